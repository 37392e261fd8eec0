"""Fixtures: the packages of both Lambdas, built once per session, and a package in AWS's Lambda runtime client."""

import fcntl
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BUILDS = {"mcp": "app/poc/mcp_package/build.sh", "otterwiki": "app/otterwiki/build.sh"}
RUNTIME_PATH = "/2018-06-01/runtime"
BOOT = """
import sys
sys.path[:0] = sys.argv[1:3]
from awslambdaric.__main__ import main
main(["bootstrap", sys.argv[3]])
"""


@dataclass(frozen=True)
class Package:
    """A package directory, and the stdout of its build."""

    path: Path
    summary: str

    @property
    def facts(self) -> dict[str, str]:
        facts: dict[str, str] = json.loads((self.path / "lambda.json").read_text())
        return facts

    def tree(self) -> dict[str, tuple[int, int]]:
        """The size and the modification time of every file."""
        files = (path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def build(name: str, directory: Path) -> Package:
    """Run the build.sh of a Lambda from another directory, unless another test process has built the package."""
    summary = directory / f"{name}.txt"
    with (directory / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not summary.exists():
            command = ["bash", str(ROOT / BUILDS[name]), "-o", str(directory / name)]
            completed = subprocess.run(
                command,
                cwd=directory,
                env=os.environ | {"PYTHON": sys.executable},
                capture_output=True,
                text=True,
                check=False,
            )
            assert completed.returncode == 0, completed.stderr
            summary.write_text(completed.stdout)
    return Package(directory / name, summary.read_text())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Package]:
    """Build a package with the interpreter of the tests, once for all processes of xdist."""
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "packages"
    directory.mkdir(exist_ok=True)
    return lambda name: build(name, directory)


class RuntimeApi(ThreadingHTTPServer):
    """A server of Lambda's Runtime API: it sends events and receives results."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RuntimeApiHandler)
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.results: queue.Queue[Any] = queue.Queue()


class RuntimeApiHandler(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        assert self.path == f"{RUNTIME_PATH}/invocation/next"
        event = self.server.events.get()
        body = json.dumps(event).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:f")
        self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.results.put((self.path.rsplit("/", 1)[1], json.loads(body)))
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is that of http.server)
        """Print no log line."""


def link_runtime_client(directory: Path) -> Path:
    """Create a directory with only awslambdaric and its requirements, which AWS's runtime has."""
    directory.mkdir()
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        installed = distribution(name)
        for top in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
            (directory / top).symlink_to(Path(str(installed.locate_file(top))))
    return directory


@dataclass
class RunningFunction:
    """A package in a running Lambda instance."""

    api: RuntimeApi
    process: subprocess.Popen[bytes]
    log: Path = field(repr=False)

    def invoke(self, method: str, path: str, body: str = "") -> dict[str, Any]:
        """Send one event in payload format 2.0, and return the response."""
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"host": "dev.wikibot.io", "x-forwarded-proto": "https", "accept": "*/*"},
            "requestContext": {
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
                "stage": "$default",
            },
            "isBase64Encoded": False,
        }
        if body:
            event["headers"]["content-type"] = "application/json"
            event["body"] = body
        return self.send(event)

    def send(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send an event through the Runtime API, and return the response."""
        self.api.events.put(event)
        try:
            kind, result = self.api.results.get(timeout=60)
        except queue.Empty:
            pytest.fail(f"the function has not answered; its log: {self.log.read_text()}")
        assert kind == "response", (result, self.log.read_text())
        answer: dict[str, Any] = result
        return answer


Run = Callable[..., RunningFunction]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run the handler of a package with only the package, the runtime client and the standard library."""
    running: list[RunningFunction] = []

    def start(package: Package, **environment: str) -> RunningFunction:
        api = RuntimeApi()
        threading.Thread(target=api.serve_forever, daemon=True).start()
        client = link_runtime_client(tmp_path / "runtime")
        arguments = [str(package.path), str(client), package.facts["handler"]]
        log = tmp_path / "function.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BOOT, *arguments],
                cwd=package.path,
                env={
                    "PATH": os.environ["PATH"],
                    "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
                    "AWS_LAMBDA_FUNCTION_NAME": "f",
                    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                    "AWS_REGION": "eu-west-1",
                    "LAMBDA_TASK_ROOT": str(package.path),
                    "_HANDLER": package.facts["handler"],
                }
                | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        running.append(RunningFunction(api, process, log))
        return running[-1]

    yield start
    for function in running:
        function.process.kill()
        function.process.wait()
        function.api.shutdown()
        function.api.server_close()
