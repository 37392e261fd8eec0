"""How many request decisions a run of the suite has checked, summed over the processes that it runs in."""

from collections.abc import Callable
from typing import Any

import pytest

_COUNTED = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def decided(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """`decided(n)`: a test has checked n decisions about where a request goes."""
    config = request.config

    def count(number: int) -> None:
        config.stash[_COUNTED] = config.stash.get(_COUNTED, 0) + number

    return count


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["decided"] = session.config.stash.get(_COUNTED, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    stash = node.config.stash
    stash[_COUNTED] = stash.get(_COUNTED, 0) + getattr(node, "workeroutput", {}).get("decided", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if number := config.stash.get(_COUNTED, 0):
        terminalreporter.write_line(f"{number:,} request decisions checked")
