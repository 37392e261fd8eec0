"""Fixtures: the wiki Lambda in a separate process, which gets events in payload format 2.0."""

import base64
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from helpers.forked import WIKI_IMPORTS, Program, import_before_fork, start_program

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


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    encoded: bool
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Wiki:
    """One instance of the function, and the cookies of a browser."""

    program: Program
    log: Path
    cookies: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, query: str = "", form: dict[str, str] | None = None, **headers: str
    ) -> Answer:
        """Send one event. `path` is decoded, as in an event of API Gateway."""
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "headers": {
                "host": "wiki.example",
                "x-forwarded-proto": "https",
                "x-forwarded-port": "443",
                "referer": "https://wiki.example/",
                **headers,
            },
            "requestContext": {
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}
            },
            "isBase64Encoded": False,
        }
        if query:
            event["rawQueryString"] = query
        if self.cookies:
            event["cookies"] = [f"{name}={value}" for name, value in self.cookies.items()]
        if form is not None:
            event["headers"]["content-type"] = "application/x-www-form-urlencoded"
            event["body"] = base64.b64encode(urlencode(form).encode()).decode()
            event["isBase64Encoded"] = True
        return self.send(event)

    def send(self, event: dict[str, Any]) -> Answer:
        self.program.stream.write(json.dumps(event) + "\n")
        result = json.loads(self.program.stream.readline())
        for cookie in result["cookies"]:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(cookie).items()}
        encoded = result["isBase64Encoded"]
        body = base64.b64decode(result["body"]) if encoded else result["body"].encode()
        return Answer(result["statusCode"], result["headers"], encoded, body)

    def evaluate(self, expression: str) -> Any:
        """Evaluate a Python expression in the instance."""
        self.program.stream.write(json.dumps(expression) + "\n")
        return json.loads(self.program.stream.readline())

    def get(self, path: str, query: str = "") -> Answer:
        return self.request("GET", path, query)

    def post(self, path: str, **form: str) -> Answer:
        """Post a form like a browser, with the CSRF token of a page."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/-/login").text)
        assert token, "the login page has no form"
        return self.request("POST", path, form={"csrf_token": token[1], **form})

    def save(self, page: str, content: str, message: str = "a change") -> Answer:
        return self.post(f"/{page}/save", content=content, commit=message)

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
