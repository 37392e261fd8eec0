"""Count the attacks and loads of a test run, and write them into docs/reliability.md.

A test with the marker `reliability("KIND")` is one attack of a kind. A test that tries several attacks gives their
number to `count_attacks`, and a test of a load gives its figures to `record_load`. If the environment variable
RELIABILITY_PAGE names a page, the figures of the run are written into it.
"""

import os
import platform
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_START = "<!-- `make reliability` writes everything below this line. -->\n"
_FAULTS = ("kill", "reload", "manifest change", "slow client", "lost client", "full disk")
_TRIED = pytest.StashKey[Counter[str]]()
_HELD = pytest.StashKey[Counter[str]]()
_LOADS = pytest.StashKey[list[Any]]()


@pytest.fixture
def count_attacks(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """`count_attacks(n)`: the test has tried n attacks."""
    return lambda number: record_property("attacks", number)


@pytest.fixture
def record_load(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """`record_load(**figures)`: the figures of a load."""
    return lambda **figures: record_property("load", figures)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TRIED], config.stash[_HELD] = Counter(), Counter()
    config.stash[_LOADS] = []
    config.pluginmanager.register(_Recorder(config))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if marker := item.get_closest_marker("reliability"):
            item.user_properties.append(("reliability", marker.args[0]))


class _Recorder:
    """Counts the reports of tests, also those of other processes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if report.when != "call" or report.skipped or "reliability" not in properties:
            return
        kind, number = str(properties["reliability"]), int(str(properties.get("attacks", 1)))
        self._config.stash[_TRIED][kind] += number
        self._config.stash[_HELD][kind] += number * report.passed
        if isinstance(load := properties.get("load"), dict):
            self._config.stash[_LOADS].append(load)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        page = os.environ.get("RELIABILITY_PAGE")
        if page and self._config.stash[_TRIED]:
            file = Path(page)
            file.write_text(file.read_text().partition(_START)[0] + _START + self._figures())
            terminalreporter.write_line(f"{page} has the figures of this run")

    def _figures(self) -> str:
        tried, held = self._config.stash[_TRIED], self._config.stash[_HELD]
        machine = (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
        )
        rows = [f"| {kind} | {tried[kind]:,} | {held[kind]:,} |" for kind in sorted(tried)]
        lines = [
            f"\nThe run was on a machine with {machine}.\n",
            "| attack or fault | tried | held |",
            "|---|---|---|",
            *rows,
        ]
        loads: list[Any] = self._config.stash[_LOADS]
        lines += map(_load_text, sorted(loads, key=lambda load: int(load["requests"])))
        return "\n".join(lines) + "\n"


def _load_text(load: dict[str, Any]) -> str:
    (memory_before, memory_after), (files_before, files_after) = load["megabytes"], load["files"]
    rows = [
        ("requests", f"{load['requests']:,} of {load['clients']} clients in {load['seconds']} s"),
        *((f"faults: {kind}", f"{load['faults'].get(kind, 0)}") for kind in _FAULTS),
        ("requests that failed, because their instance was killed", load["failed"]),
        ("saves of the wiki", load["saves"]),
        ("saves that the wiki refused while its disk was full", load["refused_saves"]),
        ("other requests and accepted saves that were lost", load["lost"]),
        (
            "memory of the gateway's process, after a third of the run and at the end",
            f"{memory_before} and {memory_after} MB",
        ),
        ("its open files, before and after the run", f"{files_before} and {files_after}"),
    ]
    return "\n".join(["", "| load | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])
