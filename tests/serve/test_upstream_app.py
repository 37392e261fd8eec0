"""An app can be a running HTTP server, to which the gateway sends requests as an HTTP_PROXY integration does."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from routegen.config import read_config
from routegen.errors import ConfigError
from routegen.extract import extract
from routegen.prove.prove_apps import prove_apps
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import PYPROJECT, RunningGateway, running_gateway

MCP = PYPROJECT.partition("[tool.routegen.apps.wiki]")[0]


class Website(BaseHTTPRequestHandler):
    """Answers with the request that it has received."""

    protocol_version = "HTTP/1.1"
    ended = threading.Event()

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/hang":
            self.ended.wait(30)
        if self.path == "/nonsense":
            self.wfile.write(b"otter otter\r\n\r\n")
            self.close_connection = True
            return
        content = b"x" * 10_485_761 if self.path == "/large" else self._request(body)
        self.send_response(418 if self.path == "/teapot" else 200)
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Connection", "X-Hop")
        self.send_header("X-Hop", "1")
        self.send_header("X-Powered-By", "\xe4n otter")
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            content = b"3\r\nott\r\n2\r\ner\r\n0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _request(self, body: bytes) -> bytes:
        pairs = [[name.lower(), value] for name, value in self.headers.items()]
        return json.dumps([self.command, self.path, pairs, body.decode("latin-1")]).encode()

    def log_message(self, *_: object) -> None: ...


for method_name in ("GET", "HEAD", "POST", "BREW"):
    setattr(Website, f"do_{method_name}", Website.answer)


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None: ...


StartProxy = Callable[..., RunningGateway]


@pytest.fixture(scope="module")
def website() -> Iterator[str]:
    server = QuietServer(("127.0.0.1", 0), Website)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Website.ended.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def start_proxy(project: Path) -> Iterator[StartProxy]:
    """Start the gateway with a default app that is the server at a URL."""
    with ExitStack() as stack:

        def start(url: str, **settings: Any) -> RunningGateway:
            file = project / "pyproject.toml"
            file.write_text(f'{MCP}[tool.routegen.apps.wiki]\nupstream = "{url}"\n')
            return stack.enter_context(running_gateway(read_config(file), ServeSettings(**settings)))

        yield start


def test_the_server_gets_the_request_and_the_client_its_response(start_proxy: StartProxy, website: str) -> None:
    gateway = start_proxy(website)
    sent = {
        "Host": "wiki.example",
        "Cookie": "a=1; b=2",
        "Authorization": "Bearer otter",
        "X-Forwarded-For": "203.0.113.9",
        "Connection": "close, X-Otter",
        "X-Otter": "1",
        "Content-Type": "text/plain",
    }
    answer = gateway.ask("POST", "/a%2Fb/%C3%A9?q=1&q=%20", b"\x00body\xff", sent)
    method, path, pairs, body = answer.json
    assert (method, path, body) == ("POST", "/a%2Fb/%C3%A9?q=1&q=%20", "\x00body\xff")
    trace_id = pairs.pop()
    host = website.removeprefix("http://")
    assert pairs == [
        ["host", host],
        ["cookie", "a=1; b=2"],
        ["authorization", "Bearer otter"],
        ["content-type", "text/plain"],
        ["forwarded", f"by={host};for=127.0.0.1;host=wiki.example;proto=http"],
        ["via", "HTTP/1.1 AmazonAPIGateway"],
        ["content-length", "6"],
    ]
    assert trace_id[0] == "x-amzn-trace-id"
    assert answer.cookies == ["a=1", "b=2"]
    assert answer.headers["x-amzn-remapped-www-authenticate"] == "Bearer"
    assert answer.headers["x-powered-by"] == "\xe4n otter"
    assert "x-hop" not in answer.headers
    exchange = gateway.exchanges[-1]
    assert (exchange.route_key, exchange.app, exchange.event, exchange.problem) == ("$default", "wiki", b"", None)
    assert "POST   /[masked]/[masked]  $default  wiki  200  " in gateway.log
    assert gateway.get("/mcp").json["cwd"].endswith("mcp")


def test_path_prefix_stage_public_url_and_methods(start_proxy: StartProxy, website: str) -> None:
    gateway = start_proxy(
        f"{website}/base/", stage="prod", public_url="https://abc.example.org", renames_challenge=False
    )
    _, path, pairs, _ = gateway.get("/prod/x").json
    assert path == "/base/x"
    assert f"by={website[7:]};for=127.0.0.1;host=abc.example.org;proto=https" in dict(pairs)["forwarded"]
    head = gateway.ask("HEAD", "/prod/x")
    assert (head.status, head.body, head.headers["www-authenticate"]) == (200, b"", "Bearer")
    assert int(head.headers["content-length"]) > 100
    assert gateway.ask("BREW", "/prod/x").json[0] == "BREW"


def test_a_status_and_a_chunked_response_arrive_unchanged(start_proxy: StartProxy, website: str) -> None:
    gateway = start_proxy(website)
    assert gateway.get("/teapot").status == 418
    assert gateway.get("/chunked").body == b"otter"


@pytest.mark.parametrize(
    ("path", "status", "message", "problem"),
    [
        ("/hang", 503, "Service Unavailable", "URL has not answered within 0.3 s"),
        ("/nonsense", 502, "Bad Gateway", "URL has sent no valid response: BadStatusLine"),
        ("/large", 413, "Request Entity Too Large", "the response is larger than 10485760 bytes"),
    ],
)
def test_a_response_that_cannot_be_sent_is_the_gateway_s_own(
    start_proxy: StartProxy, website: str, path: str, status: int, message: str, problem: str
) -> None:
    gateway = start_proxy(website, timeout=0.3 if path == "/hang" else 30)
    answer = gateway.get(path)
    assert (answer.status, answer.json) == (status, {"message": message})
    assert gateway.exchanges[-1].problem == problem.replace("URL", website)


def test_a_server_that_does_not_run_is_a_503_and_the_log_names_it(start_proxy: StartProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_server:
        url = f"http://127.0.0.1:{closed_server.getsockname()[1]}"
    gateway = start_proxy(url)
    assert (gateway.get("/").status, gateway.get("/mcp").status) == (503, 200)
    assert f"{url} cannot be reached: Connection refused; start the server" in gateway.log


SERVER = """\
from starlette.applications import Starlette
from starlette.routing import Route
app = Starlette(routes=[Route("/mcp", lambda request: None)])
"""
APPS = """\
[tool.routegen]
default = "site"
[tool.routegen.apps.mcp]
app = "server.py:app"
[tool.routegen.apps.api]
upstream = "http://127.0.0.1:1"
own = ["/api"]
routes = ["/hook"]
[tool.routegen.apps.site]
upstream = "https://site.example:8443"
"""


def test_extract_and_prove_import_nothing_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    file = tmp_path / "pyproject.toml"
    file.write_text(APPS)
    config = read_config(file)
    manifest = extract(config).manifest
    assert {(route.path, route.app) for route in manifest.routes} == {
        ("/mcp", "mcp"),
        ("/api", "api"),
        ("/api/{proxy+}", "api"),
        ("/hook", "api"),
    }
    assert [proof.app for proof in prove_apps(config, manifest)] == ["mcp"]


WRONG_URLS = (
    *("", "x", "ftp://x", "http://", "http://x:port", "http://u:p@x", "http://x?a", "http://x#a", "http://[x"),
    *("http://x y", "http://x:99999"),
)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('upstream = "http://127.0.0.1:3000"', "upstream has no code that routes can be read from; write them in own,"),
        ('upstream = "http://x"\napp = "a.py:app"', "upstream is a running server, so app has no meaning; remove one"),
        ('upstream = "http://x"\nhandler = "a.b"', "upstream is a running server, so handler has no meaning"),
        *[
            (f'upstream = "{url}"', f"upstream: {url!r} is not the URL of a server such as 'http://127.0.0.1:3000'")
            for url in WRONG_URLS
        ],
        ("", "app is missing"),
    ],
)
def test_a_wrong_upstream_is_an_error_of_one_line(tmp_path: Path, table: str, problem: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.routegen.apps.api]\n{table}\n")
    with pytest.raises(ConfigError) as caught:
        read_config(file)
    assert f"[tool.routegen.apps.api]: {problem}" in str(caught.value)
    assert "\n" not in str(caught.value)
