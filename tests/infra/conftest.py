"""Fixtures that run the Pulumi program from a copy that a test can change."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.pulumi_program import DIGEST, Checkout, ProgramStopped
from helpers.support import PROJECT
from pulumi.runtime import set_all_config


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    shutil.copytree(PROJECT / "infra", tmp_path / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "generated", tmp_path / "generated")
    for app, handler in (("mcp", "mcp_server.handler"), ("otterwiki", "wiki.handler")):
        (tmp_path / "build" / app).mkdir(parents=True)
        facts = {"runtime": "python3.13", "architecture": "x86_64", "handler": handler}
        (tmp_path / "build" / app / "lambda.json").write_text(json.dumps(facts))
    (tmp_path / "app" / "otterwiki").mkdir(parents=True)
    dockerfile = (PROJECT / "app" / "otterwiki" / "Dockerfile").read_text()
    pinned = re.sub("(?m)^(ARG BASE_IMAGE=[^@\\n]+).*$", rf"\1@{DIGEST}", dockerfile)
    (tmp_path / "app" / "otterwiki" / "Dockerfile").write_text(pinned)
    return Checkout(tmp_path)


@pytest.fixture
def error_line(checkout: Checkout) -> Callable[..., str]:
    """Run the program, expect it to end with one error line before it registers a resource, and return the line."""

    def run(**config: str) -> str:
        with pytest.raises(ProgramStopped) as caught:
            checkout.up(**config)
        assert caught.value.registered == []
        assert "\n" not in caught.value.line
        return caught.value.line

    return run


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop for all runs of the program, because Pulumi keeps the first loop that it gets.

    Pulumi creates one more loop for each of its threads and does not close them.
    """
    created: list[asyncio.AbstractEventLoop] = []
    new_event_loop = asyncio.new_event_loop

    def new_recorded_loop() -> asyncio.AbstractEventLoop:
        created.append(new_event_loop())
        return created[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", new_recorded_loop)
        yield asyncio.new_event_loop()
    for event_loop in created:
        event_loop.close()


@pytest.fixture(autouse=True)
def _current_event_loop(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    # Pulumi needs a current loop, and `asyncio.run` in an earlier test leaves the thread without one.
    asyncio.set_event_loop(loop)
    yield
    set_all_config({})
    asyncio.set_event_loop(None)
