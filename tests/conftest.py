"""Fixtures and hooks for all tests: the number of checked request decisions, and what tests share."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

pytest_plugins = [
    "helpers.moto_account",
    "helpers.forked_apps",
    "helpers.project",
    "helpers.reliability",
    "helpers.tls_contexts",
]

_ROOMS_IN_ONE_PROCESS = {"infra": "pulumi", "audit": "moto", "adopt": "moto", "matrix": "matrix"}
"""The xdist group of each room whose tests share imports that take seconds."""
_DECISIONS = pytest.StashKey[Counter[str]]()
_MODEL = ""


@pytest.fixture(scope="session")
def count_decisions(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`count_decisions(n)` adds n request decisions that a test has checked; `count_decisions(n, server)`, of a server.

    A request decision is the app that gets a request.
    """
    config = request.config

    def count(number: int, server: str = _MODEL) -> None:
        _decisions(config)[server] += number

    return count


def _decisions(config: pytest.Config) -> Counter[str]:
    return config.stash.setdefault(_DECISIONS, Counter())


@pytest.fixture(scope="session")
def aws_models() -> Iterator[None]:
    """Read AWS's models of its services once, and not in each botocore session, which takes most of a test's time."""
    from botocore.loaders import create_loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(create_loader))
        yield


@pytest.fixture
def event_loop_of_mangum() -> Iterator[None]:
    """Set an event loop and close it after the test, because Mangum creates one and does not close it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process run all tests that share slow imports, a module-scoped fixture or a function."""
    for item in items:
        if not isinstance(item, pytest.Function) or item.get_closest_marker("xdist_group"):
            continue
        if group := _ROOMS_IN_ONE_PROCESS.get(item.path.parent.name):
            item.add_marker(pytest.mark.xdist_group(group))
            continue
        fixtures = [definitions[-1] for definitions in item._fixtureinfo.name2fixturedefs.values()]
        shared = [fixture.argname for fixture in fixtures if fixture.scope == "module"]
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if shared:
            values = [f"{parameters[name]}" for name in shared if name in parameters]
            item.add_marker(pytest.mark.xdist_group("-".join([item.path.stem, *values])))
        elif parameters:
            # The scheduler's time grows with the square of the number of groups.
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{item.originalname}"))


def pytest_collection_finish() -> None:
    """Exclude the imported modules from garbage collection, which took a seventh of a run's time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["decisions"] = dict(_decisions(session.config))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _decisions(node.config).update(getattr(node, "workeroutput", {}).get("decisions", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    decisions = _decisions(config)
    if decisions:
        terminalreporter.write_line(f"{decisions.total():,} request decisions checked")
    for server in sorted(set(decisions) - {_MODEL}):
        terminalreporter.write_line(f"  {decisions[server]:,} of them through {server}")
