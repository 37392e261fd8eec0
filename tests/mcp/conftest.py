"""Fixtures: a real Otterwiki, a fake AuthKit, and the MCP Lambda in a separate process."""

import asyncio
import importlib
import importlib.util
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastmcp import Client
from helpers.forked import MCP_IMPORTS, WIKI_IMPORTS, Program, import_before_fork, start_program
from joserfc import jwt
from joserfc.jwk import RSAKey

SOURCE = Path(__file__).parents[2] / "app" / "poc" / "mcp_package"
CLIENT_ID = "client_01TEST"
BASE_URL = "https://wiki.example"
PAGES = {
    "home.md": "# Home\n\nWelcome to the otters.\n",
    "odd.md": "no line end",
    "100% sure.md": "Otters & <b>beavers</b>, for sure.\n",
    "team/onboarding.md": "# Onboarding\n\nRead this first.\nThen feed the otters.\n",
    "über uns/größe und gewicht.md": "# Größe\n\n水獺 wiegen viel.\n",
}
SERVE_WIKI = """
from werkzeug.serving import make_server
import otterwiki.views
from otterwiki.server import app
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""
LAMBDA = """
import asyncio, json, sys
import wiki_client

starts, ends, loops, failures = [], [], set(), []
open_wiki = wiki_client.open_wiki

class CountedWiki:
    def __init__(self, *arguments):
        self.wiki = open_wiki(*arguments)
    async def __aenter__(self):
        if failures:
            raise RuntimeError(failures.pop())
        starts.append(1)
        return await self.wiki.__aenter__()
    async def __aexit__(self, *error):
        ends.append(1)
        return await self.wiki.__aexit__(*error)

wiki_client.open_wiki = CountedWiki
import mcp_server

async def record_loop(scope, receive, send, app=mcp_server.handler._app):
    loops.add(id(asyncio.get_running_loop()))
    await app(scope, receive, send)

mcp_server.handler._app = record_loop
for line in sys.stdin:
    command = json.loads(line)
    try:
        result = mcp_server.handler(command["event"], None) if "event" in command else eval(command["value"])
    except Exception as error:
        result = {"raised": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)
"""

import_before_fork(*WIKI_IMPORTS, *MCP_IMPORTS)


def environment(**names: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SOURCE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AUTHKIT_DOMAIN": "https://example.authkit.app",
        "WORKOS_CLIENT_ID": CLIENT_ID,
        "MCP_BASE_URL": BASE_URL,
    } | names


@pytest.fixture
def mcp_environment() -> Callable[..., dict[str, str]]:
    return environment


def write_pages(repository: Path) -> None:
    git = partial(subprocess.run, cwd=repository, check=True, capture_output=True)
    git(["git", "init", "-q", "-b", "main"])
    git(["git", "config", "user.name", "Ada Otter"])
    git(["git", "config", "user.email", "ada@wiki.example"])
    for name, text in PAGES.items():
        file = repository / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        git(["git", "add", "."])
        git(["git", "commit", "-q", "-m", f"Add {name}"])
    git(["git", "rm", "-q", "odd.md"])
    (repository / "home.md").write_text(PAGES["home.md"] + "\nAnd to the beavers.\n")
    git(["git", "commit", "-q", "-a", "-m", "Change one page,\n\nremove <another>"])
    git(["git", "revert", "--no-edit", "HEAD"])


@pytest.fixture(scope="session")
def start_wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start an Otterwiki with the given settings, and return its URL."""
    running: list[Program] = []

    def start(**settings: str) -> str:
        home = tmp_path_factory.mktemp("otterwiki")
        (home / "repository").mkdir()
        write_pages(home / "repository")
        names = {
            "PATH": os.environ["PATH"],
            "REPOSITORY": str(home / "repository"),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{home}/wiki.sqlite",
            "SECRET_KEY": "a-key-that-only-the-tests-know",
        }
        program = start_program(SERVE_WIKI, names | settings, home / "log")
        running.append(program)
        port = program.stream.readline().strip()
        assert port, (home / "log").read_text()
        return f"http://127.0.0.1:{port}"

    yield start
    for program in running:
        program.terminate()


@pytest.fixture(scope="session")
def wiki_url(start_wiki: Callable[..., str]) -> str:
    return start_wiki()


@dataclass(frozen=True)
class Reply:
    """The response of a fake web server to a path."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pause_seconds: float = 0


@dataclass
class Site:
    """A fake web server on loopback. An unknown path gets a 404.

    `requested` lists the paths of all requests, and `authorizations` their Authorization headers.
    """

    url: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@contextmanager
def sites() -> Iterator[Callable[[], Site]]:
    stops: list[Callable[[], None]] = []

    def start() -> Site:
        site = Site()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requested.append(self.path)
                site.authorizations.append(self.headers["authorization"])
                response = site.replies.get(self.path, Reply(404))
                site.closing.wait(response.pause_seconds)
                self.send_response(response.status)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(BrokenPipeError):  # the client has closed the connection
                    self.wfile.write(response.body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name is that of the base class)
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}"

        def stop() -> None:
            site.closing.set()
            server.shutdown()
            thread.join()
            server.server_close()

        stops.append(stop)
        return site

    try:
        yield start
    finally:
        for stop in stops:
            stop()


@pytest.fixture
def start_site() -> Iterator[Callable[[], Site]]:
    with sites() as start:
        yield start


def load_server(wiki_url: str, **names: str) -> ModuleType:
    """Load mcp_server.py like a cold start, for the wiki at a URL, with more environment variables."""
    spec = importlib.util.spec_from_file_location("mcp_server_under_test", SOURCE / "mcp_server.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SOURCE)
        for name, value in environment(WIKI_URL=wiki_url, **names).items():
            patch.setenv(name, value)
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a module from the Lambda's directory."""
    monkeypatch.syspath_prepend(SOURCE)
    return importlib.import_module


@pytest.fixture
def client() -> Callable[..., "Client[Any]"]:
    """Create an in-memory FastMCP client of the server for the wiki at a URL, with more environment variables."""
    return lambda wiki_url, **names: Client(load_server(wiki_url, **names).mcp)


@pytest.fixture
def call(client: Callable[[str], "Client[Any]"]) -> Callable[..., Any]:
    """Call a tool for the wiki at a URL; return its structured result or raise its ToolError."""

    def run(wiki_url: str, tool: str, **arguments: Any) -> Any:
        async def once() -> Any:
            async with client(wiki_url) as connected:
                content = (await connected.call_tool(tool, arguments)).structured_content
                return content["result"] if content and set(content) == {"result"} else content

        return asyncio.run(once())

    return run


def build_event(
    method: str, path: str, body: object = None, *, query: str = "", headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Build an event in payload format 2.0. `body` is sent as JSON; an empty query or body is left out."""
    names = {"host": "wiki.example", "x-forwarded-proto": "https", "x-forwarded-port": "443"}
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "tests"}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"ANY {path}",
        "rawPath": path,
        "headers": names | (headers or {}),
        "requestContext": {"http": http, "stage": "$default", "requestId": "id", "domainName": "wiki.example"},
        "isBase64Encoded": False,
    }
    if query:
        event["rawQueryString"] = query
    if body is not None:
        event["headers"] |= {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        event["body"] = json.dumps(body)
    return event


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    return build_event


def rpc(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Lambda:
    """One running instance of the function."""

    program: Program
    log: Path

    def _run(self, **command: Any) -> Any:
        self.program.stream.write(json.dumps(command) + "\n")
        answer = self.program.stream.readline()
        assert answer, self.log.read_text()
        return json.loads(answer)

    def value(self, expression: str) -> Any:
        """Evaluate a Python expression in the process of the function."""
        return self._run(value=expression)

    def error_of_invocation(self) -> str:
        """Return the error that the handler raises for a request to /mcp."""
        error: str = self._run(event=build_event("GET", "/mcp"))["raised"]
        return error

    def send(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        result = self._run(event=build_event(method, path, body, **options))
        assert result["isBase64Encoded"] is False, result
        return Answer(result["statusCode"], result["headers"], result["body"])

    def post(self, token: str | None, method: str, **params: Any) -> Answer:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return self.send("POST", "/mcp", rpc(method, **params), headers=headers)

    def read(self, token: str, page: str) -> Any:
        return self.post(token, "tools/call", name="read_page", arguments={"page": page}).json["result"]


@dataclass(frozen=True)
class AuthKit:
    """A fake AuthKit on loopback: its metadata and its signing key."""

    site: Site
    key: RSAKey

    def token(self, *, key: RSAKey | None = None, missing: str = "", **claims: Any) -> str:
        defaults = {"iss": self.site.url, "aud": f"{BASE_URL}/mcp", "sub": "user_1", "exp": int(time.time()) + 3600}
        payload = {name: value for name, value in (defaults | claims).items() if name != missing}
        header = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode(header, payload, key or self.key)


def start_authkit(start_site: Callable[[], Site]) -> AuthKit:
    key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    site = start_site()
    json_type = {"content-type": "application/json"}
    jwks = {"keys": [key.as_dict(private=False)]}
    site.replies["/oauth2/jwks"] = Reply(200, json.dumps(jwks).encode(), json_type)
    metadata = {"issuer": site.url, "token_endpoint": f"{site.url}/oauth2/token"}
    site.replies["/.well-known/oauth-authorization-server"] = Reply(200, json.dumps(metadata).encode(), json_type)
    return AuthKit(site, key)


@contextmanager
def start_function(authkit: AuthKit, wiki_url: str, log: Path) -> Iterator[Lambda]:
    """Start the Lambda in a separate process. The log is its stderr."""
    program = start_program(LAMBDA, environment(AUTHKIT_DOMAIN=authkit.site.url, WIKI_URL=wiki_url), log)
    yield Lambda(program, log)
    assert program.exit_code() == 0
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def authkit() -> Iterator[AuthKit]:
    with sites() as start:
        yield start_authkit(start)


@pytest.fixture(scope="module")
def function(authkit: AuthKit, wiki_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lambda]:
    """An instance that all tests of a module share."""
    with start_function(authkit, wiki_url, tmp_path_factory.mktemp("function") / "log") as running:
        yield running


@pytest.fixture
def new_authkit(start_site: Callable[[], Site]) -> AuthKit:
    return start_authkit(start_site)


@pytest.fixture
def new_function(new_authkit: AuthKit, wiki_url: str, tmp_path: Path) -> Iterator[Lambda]:
    """An instance without earlier invocations."""
    with start_function(new_authkit, wiki_url, tmp_path / "log") as running:
        yield running
