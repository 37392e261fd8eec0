"""The headers, bodies and event streams that each server passes on."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from differential.servers import SERVERS, run_server
from render.manifests import COMMITTED

APPS = ["mcp", "otterwiki"]
LARGEST_BODY = 10 * 1024 * 1024
TIMEOUT = 30.0
"""Seconds."""


class RecordingApp(BaseHTTPRequestHandler):
    """Answers a POST with the headers and the length of the body, and a GET with two events.

    The first byte of a POST's body sets `signal`, and the second event waits for it.
    """

    protocol_version = "HTTP/1.1"
    signal = threading.Event()

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        first = self.rfile.read(1)
        self.signal.set()
        rest = self.rfile.read(length - 1)
        self.respond(json.dumps({"headers": self.headers.items(), "length": len(first + rest)}).encode())

    def respond(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        assert self.signal.wait(TIMEOUT)
        self.wfile.write(b"data: second\n\n")

    def log_message(self, *_arguments: Any) -> None:
        pass


AppClass = type[RecordingApp]


@pytest.fixture
def app() -> Iterator[AppClass]:
    RecordingApp.signal = threading.Event()
    yield RecordingApp
    RecordingApp.signal.set()


@pytest.fixture(params=SERVERS)
def connection(request: pytest.FixtureRequest, app: AppClass, tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    with ThreadingHTTPServer(("127.0.0.1", 0), app) as upstream:
        threading.Thread(target=upstream.serve_forever, args=(0.01,), daemon=True).start()
        address = f"127.0.0.1:{upstream.server_port}"
        with ExitStack() as stack:
            stack.callback(upstream.shutdown)
            port = stack.enter_context(run_server(request.param, COMMITTED, dict.fromkeys(APPS, address), tmp_path))
            yield stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)))


def test_the_forwarded_headers_describe_the_connection(connection: http.client.HTTPConnection) -> None:
    spoofed = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.test",
        "Forwarded": "for=192.0.2.1",
    }
    connection.request("POST", "/mcp", b"x", {"Host": "wiki.test:8443", "X-Own": "otter", **spoofed})
    headers = [(name.lower(), value) for name, value in json.load(connection.getresponse())["headers"]]
    assert sorted(pair for pair in headers if "forwarded" in pair[0] or pair[0] in {"host", "x-own"}) == [
        ("host", "wiki.test:8443"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "wiki.test:8443"),
        ("x-forwarded-proto", "http"),
        ("x-own", "otter"),
    ]


def test_an_event_arrives_before_the_next_is_sent(connection: http.client.HTTPConnection, app: AppClass) -> None:
    connection.request("GET", "/mcp")
    response = connection.getresponse()
    assert response.readline() == b"data: first\n"
    app.signal.set()
    assert response.read() == b"\ndata: second\n\n"


def test_a_body_arrives_as_it_is_sent(connection: http.client.HTTPConnection, app: AppClass) -> None:
    connection.putrequest("POST", "/mcp")
    connection.putheader("content-length", "100000")
    connection.endheaders(b"x" * 50_000)
    assert app.signal.wait(TIMEOUT)
    connection.send(b"x" * 50_000)
    assert json.load(connection.getresponse())["length"] == 100_000


def test_a_body_of_10_mb_is_accepted(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/mcp", b"x" * LARGEST_BODY)
    assert json.load(connection.getresponse())["length"] == LARGEST_BODY


def test_a_larger_body_is_refused(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", "/mcp")
    connection.putheader("content-length", str(LARGEST_BODY + 1))
    connection.endheaders()
    with suppress(ConnectionError):  # a server that refuses the announced length closes the connection at once
        connection.send(b"x" * (LARGEST_BODY + 1))
    # Caddy counts the bytes while it reads the body; before version 2.7 it then answers 502.
    assert connection.getresponse().status in {413, 502}
