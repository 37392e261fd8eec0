"""How many request decisions a run of the suite has checked, summed over its processes; and what many tests share."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

pytest_plugins = ["helpers.project"]

_COUNTED = pytest.StashKey[Counter[str]]()
_MODEL = ""


@pytest.fixture(scope="session")
def decided(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`decided(n)`: a test has checked n decisions about where a request goes; `decided(n, server)`: a server's."""
    config = request.config

    def count(number: int, server: str = _MODEL) -> None:
        _counted(config)[server] += number

    return count


def _counted(config: pytest.Config) -> Counter[str]:
    return config.stash.setdefault(_COUNTED, Counter())


@pytest.fixture(scope="session")
def aws_models() -> Iterator[None]:
    """AWS's models of its services are read once, not by each session: most of a short test's time goes there."""
    from botocore.loaders import create_loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(create_loader))
        yield


@pytest.fixture
def event_loop_of_mangum() -> Iterator[None]:
    """A current event loop that is closed after the test: Mangum makes one without closing it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what a module's fixture has started run in one process, or each process would start its own."""
    for item in items:
        if not isinstance(item, pytest.Function) or item.get_closest_marker("xdist_group"):
            continue
        found = [fixtures[-1] for fixtures in item._fixtureinfo.name2fixturedefs.values()]
        shared = [one.argname for one in found if one.scope == "module"]
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if shared:
            which = [f"{params[name]}" for name in shared if name in params]
            item.add_marker(pytest.mark.xdist_group("-".join([item.path.stem, *which])))


def pytest_collection_finish() -> None:
    """What has been imported stays: looking at it again and again took the collector a seventh of a run's time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["decided"] = dict(_counted(session.config))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _counted(node.config).update(getattr(node, "workeroutput", {}).get("decided", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    counted = _counted(config)
    if counted:
        terminalreporter.write_line(f"{counted.total():,} request decisions checked")
    for server in sorted(set(counted) - {_MODEL}):
        terminalreporter.write_line(f"  {counted[server]:,} of them through {server}")
