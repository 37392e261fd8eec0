"""What an app behind each server gets beside the decision: headers, bodies as they come, streams."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from differential.servers import SERVERS, serving
from render.manifests import COMMITTED

APPS = ["mcp", "otterwiki"]
LARGEST_BODY = 10 * 1024 * 1024
LONG = 30.0


class App(BaseHTTPRequestHandler):
    """Answers a POST with what it got, and a GET with two events, the second when it is let go."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        first = self.rfile.read(1)
        self.go_on.set()
        rest = self.rfile.read(length - 1)
        self.answer(json.dumps({"headers": self.headers.items(), "length": len(first + rest)}).encode())

    def answer(self, body: bytes) -> None:
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
        assert self.go_on.wait(LONG)
        self.wfile.write(b"data: second\n\n")

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def app() -> Iterator[type[App]]:
    App.go_on = threading.Event()
    yield App
    App.go_on.set()


@pytest.fixture(params=SERVERS)
def connection(request: pytest.FixtureRequest, app: type[App], tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    with ThreadingHTTPServer(("127.0.0.1", 0), app) as upstream:
        threading.Thread(target=upstream.serve_forever, args=(0.01,), daemon=True).start()
        where = f"127.0.0.1:{upstream.server_port}"
        with ExitStack() as stack:
            stack.callback(upstream.shutdown)
            port = stack.enter_context(serving(request.param, COMMITTED, dict.fromkeys(APPS, where), tmp_path))
            yield stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)))


def test_forwarded_headers_are_the_connection_s_own(connection: http.client.HTTPConnection) -> None:
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


def test_an_event_arrives_before_the_next_is_sent(connection: http.client.HTTPConnection, app: type[App]) -> None:
    connection.request("GET", "/mcp")
    answer = connection.getresponse()
    assert answer.readline() == b"data: first\n"
    app.go_on.set()
    assert answer.read() == b"\ndata: second\n\n"


def test_a_body_arrives_as_it_is_sent(connection: http.client.HTTPConnection, app: type[App]) -> None:
    connection.putrequest("POST", "/mcp")
    connection.putheader("content-length", "100000")
    connection.endheaders(b"x" * 50_000)
    assert app.go_on.wait(LONG)
    connection.send(b"x" * 50_000)
    assert json.load(connection.getresponse())["length"] == 100_000


def test_a_body_may_have_10_mb(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/mcp", b"x" * LARGEST_BODY)
    assert json.load(connection.getresponse())["length"] == LARGEST_BODY


def test_a_larger_body_is_refused(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", "/mcp")
    connection.putheader("content-length", str(LARGEST_BODY + 1))
    connection.endheaders()
    with suppress(ConnectionError):  # who knows from the length that it is too much answers at once
        connection.send(b"x" * (LARGEST_BODY + 1))
    # Caddy looks while it reads, and before 2.7 gives an app's error for it.
    assert connection.getresponse().status in {413, 502}
