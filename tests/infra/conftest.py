"""Fixtures that run the Pulumi program from a copy that a test can change."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from helpers.pulumi_program import DIGEST, Checkout, ProgramStopped, RecordedStack
from helpers.support import PROJECT
from pulumi.runtime import set_all_config
from pulumi.runtime.proto.source_pb2 import StackTrace


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path)


@pytest.fixture
def stack(first_stack: RecordedStack) -> RecordedStack:
    """The resources of the committed program with the REQUIRED configuration."""
    return deepcopy(first_stack)


@pytest.fixture(scope="session")
def first_stack(tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop) -> RecordedStack:
    asyncio.set_event_loop(loop)
    return make_checkout(tmp_path_factory.mktemp("checkout")).up()


def make_checkout(root: Path) -> Checkout:
    shutil.copytree(PROJECT / "infra", root / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "generated", root / "generated")
    for app, handler in (("mcp", "mcp_server.handler"), ("otterwiki", "wiki.handler")):
        (root / "build" / app).mkdir(parents=True)
        facts = {"runtime": "python3.13", "architecture": "x86_64", "handler": handler}
        (root / "build" / app / "lambda.json").write_text(json.dumps(facts))
    (root / "app" / "otterwiki").mkdir(parents=True)
    dockerfile = (PROJECT / "app" / "otterwiki" / "Dockerfile").read_text()
    pinned = re.sub("(?m)^(ARG BASE_IMAGE=[^@\\n]+).*$", rf"\1@{DIGEST}", dockerfile)
    (root / "app" / "otterwiki" / "Dockerfile").write_text(pinned)
    return Checkout(root)


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


@pytest.fixture(scope="session", autouse=True)
def _no_stack_traces() -> Iterator[None]:
    """Let Pulumi send the engine no stack trace of each resource, which the mocks ignore."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulumi.runtime.resource._get_stack_trace", StackTrace)
        yield


@pytest.fixture(autouse=True)
def _current_event_loop(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    # Pulumi needs a current loop, and `asyncio.run` in an earlier test leaves the thread without one.
    asyncio.set_event_loop(loop)
    yield
    set_all_config({})
    asyncio.set_event_loop(None)
