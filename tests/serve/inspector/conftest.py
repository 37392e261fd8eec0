"""A gateway with its inspector, both on loopback, and two small functions behind them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from routegen.config import read_config
from routegen.serve.local_gateway import listen
from routegen.serve.serve_settings import Settings
from serve.running import Running, running, write_project

SITE = """\
import base64, json

PAGE = "<!DOCTYPE html><html><head><title>A wiki</title></head><body>%s</body></html>"

def handler(event, context):
    path = event["rawPath"]
    headers = {"content-type": "text/html; charset=utf-8"}
    if path == "/mcp":
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"jsonrpc": "2.0"}'}
    if path == "/half":
        return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "half", "otter": "\\ud800"}
    if path == "/login":
        headers["location"] = "/callback?code=" + "c0de-of-the-otter&state=1"
        return {"statusCode": 302, "headers": headers, "cookies": ["session=cookie-of-the-otter; Path=/"], "body": ""}
    if path == "/image":
        body = base64.b64encode(bytes(range(256))).decode()
        return {"statusCode": 200, "headers": {"content-type": "image/png"}, "isBase64Encoded": True, "body": body}
    status = 404 if path.startswith("/.well-known/openid") else 200
    return {"statusCode": status, "headers": headers, "body": PAGE % path}
"""


@dataclass
class Inspected:
    """A gateway, and its inspector's URL."""

    gateway: Running
    url: str
    http: httpx2.Client

    @property
    def token(self) -> str:
        return self.http.get("/").text.partition('inspector-token" content="')[2].partition('"')[0]

    def last(self) -> int:
        """The number of the exchange that came last."""
        return len(self.gateway.exchanges)


@contextmanager
def inspecting_at(folder: Path) -> Iterator[Inspected]:
    root = write_project(folder, SITE)
    inspecting = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{inspecting.getsockname()[1]}"
    with (
        running(read_config(root / "pyproject.toml"), Settings(), inspecting=inspecting) as gateway,
        httpx2.Client(base_url=url, trust_env=False) as http,
    ):
        yield Inspected(gateway, url, http)


@pytest.fixture
def inspected(tmp_path: Path) -> Iterator[Inspected]:
    with inspecting_at(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    """One for a module, for tests that don't count its requests; the first is `GET /mcp`."""
    with inspecting_at(tmp_path_factory.mktemp("project")) as one:
        one.gateway.get("/mcp")
        yield one
