"""A gateway with its inspector, both on loopback, and two small functions behind them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from routegen.config import read_config
from routegen.serve.local_gateway import open_socket
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, running_gateway, write_project

SITE = """\
import base64, json

PAGE = "<!DOCTYPE html><html><head><title>A wiki</title></head><body>%s</body></html>"

def handler(event, context):
    path = event["rawPath"]
    headers = {"content-type": "text/html; charset=utf-8"}
    if path == "/mcp":
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"jsonrpc": "2.0"}'}
    if path == "/half":
        return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "half", "otter\\ud800": 1}
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
class InspectedGateway:
    """A gateway, and its inspector's URL."""

    gateway: RunningGateway
    url: str
    http: httpx2.Client

    @property
    def token(self) -> str:
        return self.http.get("/").text.partition('inspector-token" content="')[2].partition('"')[0]

    def change_manifest(self, **changes: Any) -> None:
        """Change keys of the manifest, and wait until the gateway has read it; None removes a key."""
        file = self.gateway.local_gateway.manifest_file
        document = {**json.loads(file.read_text()), **changes}
        file.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))
        self.gateway.wait_for_log("has changed")

    def last_number(self) -> int:
        """The number of the latest exchange."""
        return len(self.gateway.exchanges)


@contextmanager
def inspected_gateway(folder: Path) -> Iterator[InspectedGateway]:
    root = write_project(folder, SITE)
    inspector_socket = open_socket("127.0.0.1", 0)
    url = f"http://127.0.0.1:{inspector_socket.getsockname()[1]}"
    config = read_config(root / "pyproject.toml")
    with (
        running_gateway(config, ServeSettings(), inspector_socket=inspector_socket) as gateway,
        httpx2.Client(base_url=url, trust_env=False) as http,
    ):
        yield InspectedGateway(gateway, url, http)


@pytest.fixture
def inspected(tmp_path: Path) -> Iterator[InspectedGateway]:
    with inspected_gateway(tmp_path) as new_gateway:
        yield new_gateway


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InspectedGateway]:
    """One for all tests of a module that do not count its requests; the first request is `GET /mcp`."""
    with inspected_gateway(tmp_path_factory.mktemp("project")) as module_gateway:
        module_gateway.gateway.get("/mcp")
        yield module_gateway
