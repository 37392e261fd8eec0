"""Fixtures: the wiki Lambda in a separate process, which gets events in payload format 2.0."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from helpers.forked import WIKI_IMPORTS, Program, import_before_fork, start_program
from helpers.wiki_browser import WikiBrowser

SOURCE = Path(__file__).parents[2] / "app" / "otterwiki"
DRIVER = """
import json, os, pathlib, sys, time
os.setsid()
if gate := os.environ.get("START_WHEN"):
    pathlib.Path(gate).with_suffix(f".{os.getpid()}").touch()
    while not os.path.exists(gate):
        time.sleep(0.001)
import wiki
wiki.BUSY_SECONDS = float(os.environ.get("TEST_BUSY_SECONDS", wiki.BUSY_SECONDS))
for line in sys.stdin:
    event = json.loads(line)
    print(json.dumps(eval(event) if isinstance(event, str) else wiki.handler(event, None)), flush=True)
"""

import_before_fork(*WIKI_IMPORTS)


@dataclass
class Wiki(WikiBrowser):
    """One instance of the function, and the cookies of a browser."""

    program: Program
    log: Path

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        self.program.stream.write(json.dumps(event) + "\n")
        response: dict[str, Any] = json.loads(self.program.stream.readline())
        return response

    def evaluate(self, expression: str) -> Any:
        """Evaluate a Python expression in the instance."""
        self.program.stream.write(json.dumps(expression) + "\n")
        return json.loads(self.program.stream.readline())

    def kill(self) -> None:
        """Kill the instance with its git processes, as Lambda does after a time-out."""
        os.killpg(self.program.process.pid or 0, signal.SIGKILL)

    def stop(self) -> None:
        self.program.exit_code()


def environment(data: Path | None, **settings: str) -> dict[str, str]:
    """Return the environment of a Lambda function: no HOME, and only PATH from this process."""
    names = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}
    if data:
        names["WIKI_DATA_DIR"] = str(data)
    return names | settings


Start = Callable[..., Wiki]


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start wikis with a data directory; they end after the test."""
    started: list[Wiki] = []

    def run(data: Path, **settings: str) -> Wiki:
        log = tmp_path_factory.mktemp("log") / "stderr"
        started.append(Wiki(start_program(DRIVER, environment(data, **settings), log), log))
        return started[-1]

    yield run
    for wiki in started:
        wiki.stop()


@pytest.fixture
def fail_to_start(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Start a wiki that must exit with code 1 and an empty stdout; return its stderr."""

    def run(data: Path | None, **settings: str) -> str:
        stderr = tmp_path_factory.mktemp("log") / "stderr"
        program = start_program(DRIVER, environment(data, **settings), stderr)
        assert program.stream.read() == ""
        assert program.exit_code() == 1
        return stderr.read_text()

    return run


@pytest.fixture(scope="module")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiki]:
    """One wiki for a module. Each test writes only its own pages."""
    data = tmp_path_factory.mktemp("wiki") / "data"
    log = tmp_path_factory.mktemp("log") / "stderr"
    running = Wiki(start_program(DRIVER, environment(data, SITE_NAME="Otters at work"), log), log)
    yield running
    running.stop()
