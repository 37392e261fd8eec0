"""A checkout of the Pulumi program to run and to break."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.stack import Checkout, Refused
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
    return Checkout(tmp_path)


@pytest.fixture
def refused(checkout: Checkout) -> Callable[..., str]:
    """Run the program, expect it to stop, and return its line: one, with nothing registered before it."""

    def run(**config: str) -> str:
        with pytest.raises(Refused) as caught:
            checkout.up(**config)
        assert caught.value.registered == []
        assert "\n" not in caught.value.line
        return caught.value.line

    return run


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop for every run of the program: Pulumi keeps hold of the first that it sees.

    It makes more of them, one for each of its threads, and closes none.
    """
    made: list[asyncio.AbstractEventLoop] = []
    new_event_loop = asyncio.new_event_loop

    def noted() -> asyncio.AbstractEventLoop:
        made.append(new_event_loop())
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", noted)
        yield asyncio.new_event_loop()
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def _as_pulumi_wants_it(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    # `asyncio.run`, in a test before this one, leaves the thread without a loop.
    asyncio.set_event_loop(loop)
    yield
    set_all_config({})
    asyncio.set_event_loop(None)
