"""Start gateways on loopback in a thread of the test, with functions that run in AWS's runtime client."""

import asyncio
import http.client
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from routegen.config import Config
from routegen.serve.exchange import Exchange
from routegen.serve.gateway_log import GatewayLog
from routegen.serve.local_gateway import LocalGateway, open_socket
from routegen.serve.serve_settings import ServeSettings

ECHO = """\
import base64, json, os, sys, time, urllib.request
from pathlib import Path

def show(event):
    return {"event": event, "pid": os.getpid(), "env": dict(os.environ), "cwd": os.getcwd()}

def handler(event, context):
    query = event.get("queryStringParameters", {})
    do = query.get("do", "echo")
    if do == "crash":
        os._exit(7)
    if do == "raise":
        raise RuntimeError("no otter here")
    if do == "hang":
        time.sleep(600)
    if do == "hold":  # until the test creates the file
        Path(query["file"] + ".part").write_text(str(os.getpid()))
        os.rename(query["file"] + ".part", query["file"] + ".held")
        while not Path(query["file"]).exists():
            time.sleep(0.01)
    if do == "call":
        with urllib.request.urlopen(query["url"], timeout=60) as answer:
            return {"inner": json.load(answer)["pid"], "pid": os.getpid()}
    if do == "large":
        return "x" * int(query["size"])
    if do == "child":
        import subprocess
        child = subprocess.Popen(["sleep", "600"])
        return {**show(event), "child": child.pid}
    if do == "say":
        return json.loads(event["body"])
    if do == "bytes":
        body = base64.b64decode(event["body"])
        return {"statusCode": 200, "headers": {"content-type": "image/png"}, "isBase64Encoded": True,
                "body": base64.b64encode(body).decode()}
    if do == "context":
        left = context.get_remaining_time_in_millis()
        return {"id": context.aws_request_id, "arn": context.invoked_function_arn, "left": left}
    if do == "print":
        print("an otter", flush=True)
        print("and a beaver", file=sys.stderr, flush=True)
    return show(event)
"""

RESERVED: dict[str, Any] = {
    "path": "/.well-known/oauth-protected-resource/mcp",
    "methods": [],
    "app": "mcp",
    "role": "protected-resource-metadata",
    "spec": "RFC 9728",
    "route_keys": ["ANY /.well-known/oauth-protected-resource/mcp"],
    "reserved": "MCP clients ask here about /mcp",
}
"""The manifest's entry of a reserved path."""

MANIFEST: dict[str, Any] = {
    "version": 1,
    "default": "wiki",
    "routes": [
        {"path": "/mcp", "methods": ["POST"], "app": "mcp", "role": "mcp-endpoint", "route_keys": ["ANY /mcp"]},
        {
            "path": "/files/{owner}/{rest+}",
            "methods": ["GET"],
            "app": "mcp",
            "role": "other",
            "route_keys": ["GET /files/{owner}/{rest+}"],
        },
    ],
}

PYPROJECT = """\
[tool.routegen]
manifest = "routes.json"
default = "wiki"

[tool.routegen.apps.mcp]
app = "mcp/echo.py:app"
handler = "echo.handler"
path = "mcp"
env = { GREETING = "hello" }

[tool.routegen.apps.wiki]
app = "wiki/echo.py:app"
handler = "echo.handler"
path = "wiki"
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RunningGateway:
    """A running gateway, with the lines of its log and the exchanges up to now."""

    local_gateway: LocalGateway
    loop: asyncio.AbstractEventLoop
    url: str = ""
    lines: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=90)
        try:
            connection.putrequest(method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            pairs = [(name.lower(), value) for name, value in response.getheaders()]
            cookies = [value for name, value in pairs if name == "set-cookie"]
            return Answer(response.status, dict(pairs), cookies, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def stop(self) -> None:
        """Stop it from another thread."""
        self.loop.call_soon_threadsafe(self.local_gateway.stop)

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def wait_for_log(self, text: str) -> None:
        """Wait until the log has a text; the test's time-out is the limit."""
        while text not in self.log:
            time.sleep(0.01)


@contextmanager
def running_gateway(
    config: Config,
    settings: ServeSettings,
    gateway_socket: socket.socket | None = None,
    inspector_socket: socket.socket | None = None,
) -> Iterator[RunningGateway]:
    """Run a gateway in a new thread until the block ends, on a free port if no socket is given."""
    gateways: list[RunningGateway] = []
    ready, gateway_ended = threading.Event(), threading.Event()
    failures: list[Exception] = []

    async def run() -> None:
        lines: list[str] = []
        local_gateway = LocalGateway(config, config.manifest, settings, GatewayLog(lines.append))
        gateways.append(RunningGateway(local_gateway, asyncio.get_running_loop(), lines=lines))
        local_gateway.on_exchange(gateways[0].exchanges.append)

        def on_ready(url: str) -> None:
            gateways[0].url = url
            ready.set()

        await local_gateway.run(gateway_socket or open_socket("127.0.0.1", 0), on_ready, inspector_socket)

    def thread() -> None:
        try:
            asyncio.run(run())
        except Exception as error:  # noqa: BLE001 - the test's thread raises it
            failures.append(error)
        finally:
            ready.set()
            gateway_ended.set()

    threading.Thread(target=thread).start()
    ready.wait()
    if failures:
        raise failures[0]
    try:
        yield gateways[0]
    finally:
        with suppress(RuntimeError):  # the test has stopped it
            gateways[0].stop()
        assert gateway_ended.wait(30), "the gateway has not ended"
    assert not failures, failures


def write_project(root: Path, source: str = ECHO) -> Path:
    """Write a project with two functions of the same source, and a manifest."""
    for name in ("mcp", "wiki"):
        (root / name).mkdir()
        (root / name / "echo.py").write_text(source)
    (root / "routes.json").write_text(json.dumps(MANIFEST))
    (root / "pyproject.toml").write_text(PYPROJECT)
    return root


def is_running(pid: int) -> bool:
    """Whether a process runs; a process that has ended and was not reaped does not."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return bool(state) and not state.startswith("Z")


def wait_for_file(file: Path) -> None:
    """Wait until a file exists; the test's time-out is the limit."""
    while not file.exists():
        time.sleep(0.01)


StartGateway = Callable[..., RunningGateway]
