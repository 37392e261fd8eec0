"""The headers, bodies and event streams that each server passes on."""

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from differential.servers import SERVERS, run_configured, run_server
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


FORWARDED = ("host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")


def forwarded_headers(connection: http.client.HTTPConnection, headers: list[tuple[str, str]]) -> list[str]:
    """The values of the headers that an app gets about the client, for a request with headers."""
    connection.putrequest("POST", "/mcp", skip_host=True)
    for name, value in [("content-length", "1"), *headers]:
        connection.putheader(name, value)
    connection.endheaders(b"x")
    received = [(name.lower(), value) for name, value in json.load(connection.getresponse())["headers"]]
    return [value for header in FORWARDED for name, value in received if name == header]


@contextmanager
def run_behind(server: str, app: AppClass, folder: Path, trusted: str) -> Iterator[int]:
    """Run a server with trusted proxies in front of an app, and yield its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), app) as upstream, ExitStack() as stack:
        threading.Thread(target=upstream.serve_forever, args=(0.01,), daemon=True).start()
        stack.callback(upstream.shutdown)
        apps = dict.fromkeys(APPS, f"127.0.0.1:{upstream.server_port}")
        yield stack.enter_context(run_server(server, COMMITTED, apps, folder, trusted=trusted))


@pytest.mark.parametrize("server", SERVERS)
def test_only_a_trusted_proxy_names_the_scheme_and_the_host(server: str, app: AppClass, tmp_path: Path) -> None:
    host, spoofed = ("Host", "internal.test"), [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https")]
    spoofed_host = ("X-Forwarded-Host", "wiki.test:8443")
    (tmp_path / "other").mkdir()
    with (
        run_behind(server, app, tmp_path, "10.0.0.0/8,127.0.0.1, ::1") as port,
        run_behind(server, app, tmp_path / "other", "10.0.0.0/8,fd00::/8") as other_port,
    ):
        for asked, headers, expected in (
            (port, [host, *spoofed, spoofed_host],
             ["wiki.test:8443", "192.0.2.1, 127.0.0.1", "wiki.test:8443", "https"]),
            (port, [host, *spoofed], ["internal.test", "192.0.2.1, 127.0.0.1", "internal.test", "https"]),
            (port, [host], ["internal.test", "127.0.0.1", "internal.test", "http"]),
            (port, [host, ("X-Forwarded-Proto", "https, http"), ("X-Forwarded-Host", "a.test, b.test")],
             ["internal.test", "127.0.0.1", "internal.test", "http"]),
            (port, [host, ("X-Forwarded-Proto", "javascript"), ("X-Forwarded-Host", "evil.test/path?")],
             ["internal.test", "127.0.0.1", "internal.test", "http"]),
            (port, [host, ("X-Forwarded-Proto", ""), ("X-Forwarded-Host", "")],
             ["internal.test", "127.0.0.1", "internal.test", "http"]),
            (other_port, [host, *spoofed, spoofed_host], ["internal.test", "127.0.0.1", "internal.test", "http"]),
        ):  # fmt: skip
            with closing(http.client.HTTPConnection("127.0.0.1", asked, timeout=TIMEOUT)) as connection:
                assert forwarded_headers(connection, headers) == expected, headers


BALANCER = """
error_log stderr;
pid FOLDER/pid;
events {}
http {
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:PORT ssl;
        ssl_certificate CERTIFICATE;
        ssl_certificate_key CERTIFICATE;
        location / {
            proxy_pass http://127.0.0.1:BEHIND;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
        }
    }
}
"""
"""A balancer that ends TLS, and gives the server behind it another host."""


@pytest.mark.parametrize("server", SERVERS)
def test_behind_a_balancer_that_ends_tls_the_app_gets_what_the_client_sent(
    server: str, app: AppClass, tmp_path: Path, certificate: Path
) -> None:
    folder = tmp_path / "balancer"
    folder.mkdir()
    context = ssl.create_default_context(cafile=certificate)
    with run_behind(server, app, tmp_path, "127.0.0.0/8") as port:
        values = {"FOLDER": str(folder), "CERTIFICATE": str(certificate), "BEHIND": str(port)}
        with (
            run_configured("nginx", folder, lambda listen: fill(BALANCER, {**values, "PORT": str(listen)})) as balancer,
            closing(http.client.HTTPSConnection("127.0.0.1", balancer, timeout=TIMEOUT, context=context)) as connection,
        ):
            assert forwarded_headers(connection, [("Host", "wiki.test:8443")]) == [
                "wiki.test:8443", "127.0.0.1, 127.0.0.1", "wiki.test:8443", "https",
            ]  # fmt: skip
            app.signal.clear()
            test_an_event_arrives_before_the_next_is_sent(connection, app)


def fill(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(name, value)
    return template
