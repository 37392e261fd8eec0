"""A deployment and its authorization server on loopback, right in every way but those that a test asks for.

    with broken_stack({"challenge-renamed", "named-slash"}) as stack:
        stack.mcp_url

The names are those of `faults.py`, and any may go together. The authorization server is the AuthKit stand-in of
`dev.authkit`, which lets every client in; the deployment is a wiki of one page and a small MCP server with one tool,
`hello`, that checks tokens by the stand-in's keys. So a real MCP client can sign in, list the tools and call one:
give it `stack.mcp_url`, and follow the one redirect of `/oauth2/authorize` instead of opening a browser. `asked`
tells what was asked of both servers, in order. `mcp` takes another ASGI app for everything below /mcp.
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import uvicorn
from helpers.support import PROJECT
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from routegen.manifest import Manifest, parse_manifest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from verify.faults import FAULTS, RESOURCE, SERVER, Asked, Reply, json_reply, page

from dev.authkit.oauth_endpoints import build_app
from dev.authkit.stand_in_settings import StandInSettings, authorization_server_metadata
from dev.authkit.stand_in_state import SigningKeys

MANIFEST: Manifest = parse_manifest((PROJECT / "generated" / "routes.json").read_bytes(), "generated/routes.json")
"""The deployment's routes are the project's own."""

_CORS = (
    ("access-control-allow-origin", "*"),
    ("access-control-allow-headers", "authorization, content-type, mcp-protocol-version"),
    ("access-control-allow-methods", "GET, POST, DELETE"),
)
_TOOL = {"name": "hello", "description": "Says hello.", "inputSchema": {"type": "object", "properties": {}}}


@dataclass(frozen=True)
class Stack:
    """Where everything is, and what was asked: server, method, path, and whether a token came along."""

    deployment: str
    authkit: str
    keys: SigningKeys
    asked: list[tuple[str, str, str, bool]] = field(default_factory=list)

    @property
    def mcp_url(self) -> str:
        return f"{self.deployment}/mcp"

    def token(self) -> str:
        """An access token as the stand-in would give it."""
        now = int(time.time())
        claims = {"iss": self.authkit, "aud": self.mcp_url, "sub": "user_01", "iat": now, "exp": now + 300}
        (key,) = self.keys.signing().keys
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


@contextmanager
def broken_stack(
    faults: set[str] = frozenset(),  # type: ignore[assignment]  # an empty set that nobody can change
    *,
    mcp: ASGIApp | None = None,
    authkit: Literal["up", "down", "tls"] = "up",
    certificate: Path | None = None,
) -> Iterator[Stack]:
    """Run both servers until the block ends.

    Args:
        faults: names of `FAULTS`.
        mcp: what answers below /mcp, instead of the small server with one tool.
        authkit: `down` refuses connections, `tls` speaks https with `certificate`.
        certificate: a PEM file with a certificate and its key.
    """
    changes = [FAULTS[name] for name in sorted(faults)]
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        scheme = "https" if authkit == "tls" else "http"
        urls = [f"http://127.0.0.1:{first.getsockname()[1]}", f"{scheme}://127.0.0.1:{second.getsockname()[1]}"]
        settings = StandInSettings(urls[1], frozenset({f"{urls[0]}/mcp"}), auto_consent=True)
        keys = _KEYS
        stack = Stack(urls[0], urls[1], keys)
        deployment = _Deployment(stack, settings, mcp)
        served: list[tuple[ASGIApp, socket.socket, Path | None]] = []
        served.append((_Faulty(deployment, "deployment", stack, changes), first, None))
        if authkit == "down":
            second.close()
        else:
            app = build_app(settings, keys=keys)
            served.append((_Faulty(app, "authkit", stack, changes), second, certificate if authkit == "tls" else None))
        with _running(*served):
            yield stack


# Making an RSA key takes longer than all the rest of a stack.
_KEYS = SigningKeys(300, time.time)


@contextmanager
def _running(*served: tuple[ASGIApp, socket.socket, Path | None]) -> Iterator[None]:
    """All of them in one thread, so that they end together."""
    servers = [_server(app, certificate) for app, _, certificate in served]

    async def serve() -> None:
        await asyncio.gather(*(server.serve([one[1]]) for server, one in zip(servers, served, strict=True)))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield
    finally:
        for server in servers:
            server.should_exit = server.force_exit = True
        thread.join(timeout=10)


class _Server(uvicorn.Server):
    """Notices sooner that it is to end: there are a hundred of these in a run of the tests."""

    async def main_loop(self) -> None:
        while not self.should_exit:  # noqa: ASYNC110 - uvicorn's own flag, which nobody signals
            await asyncio.sleep(0.01)


def _server(app: ASGIApp, certificate: Path | None) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        ssl_certfile=certificate,
    )
    return _Server(config)


class _Faulty:
    """Answers with what the app says, changed by the faults."""

    def __init__(
        self, app: ASGIApp, server: Literal["deployment", "authkit"], stack: Stack, changes: list[Any]
    ) -> None:
        self._app = app
        self._server = server
        self._stack = stack
        self._changes = changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        token = "authorization" in headers
        self._stack.asked.append((self._server, scope["method"], scope["path"], token))
        asked = Asked(
            self._server, scope["method"], scope["path"], token, self._stack.deployment, self._stack.authkit
        )  # fmt: skip
        reply = await _reply(self._app, scope, receive)
        for change in self._changes:
            reply = change(asked, reply)
        await asyncio.sleep(reply.delay)
        await _send(reply, send, head=scope["method"] == "HEAD")


async def _reply(app: ASGIApp, scope: Scope, receive: Receive) -> Reply:
    said: list[Message] = []

    async def keep(message: Message) -> None:
        said.append(message)

    await app(scope, receive, keep)
    headers = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in said[0]["headers"])
    return Reply(said[0]["status"], headers, b"".join(message.get("body", b"") for message in said[1:]))


async def _send(reply: Reply, send: Send, *, head: bool) -> None:
    length = len(reply.body) + (100 if reply.cut else 0)
    sized = reply.having("content-length", str(length))
    headers = [(name.encode(), value.encode("latin-1")) for name, value in sized.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


class _Deployment:
    """A wiki, and an MCP server behind its own routes."""

    def __init__(self, stack: Stack, settings: StandInSettings, mcp: ASGIApp | None) -> None:
        self._stack = stack
        self._settings = settings
        self._mcp = mcp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if self._mcp and (path == "/mcp" or path.startswith("/mcp/")):
            await self._mcp(scope, receive, send)
            return
        if path in {"/mcp", "/mcp/"}:
            reply = await self._endpoint(method, scope, receive)
        elif path.startswith("/mcp/"):
            reply = json_reply(404, {"error": "not_found"})
        else:
            reply = self._other(path)
        await _send(reply, send, head=method == "HEAD")

    def _other(self, path: str) -> Reply:
        if path == f"{RESOURCE}/mcp":
            value = {"resource": self._stack.mcp_url, "authorization_servers": [self._stack.authkit]}
            return json_reply(200, value, *_CORS)
        if path == SERVER:
            return json_reply(200, authorization_server_metadata(self._settings), *_CORS)
        return page(200) if path in {"/", "/Home"} else page(404)

    async def _endpoint(self, method: str, scope: Scope, receive: Receive) -> Reply:
        if method == "OPTIONS":
            return Reply(204, _CORS, b"")
        if method != "POST":
            return json_reply(405, {"error": "method_not_allowed"}, ("allow", "POST"))
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._lets_in(headers.get("authorization", "")):
            said = f'Bearer error="invalid_token", resource_metadata="{self._stack.deployment}{RESOURCE}/mcp"'
            return json_reply(401, {"error": "invalid_token"}, ("www-authenticate", said), *_CORS)
        return _answer(json.loads(await _body(receive)))

    def _lets_in(self, authorization: str) -> bool:
        token = authorization.removeprefix("Bearer ")
        keys = KeySet.import_key_set(self._stack.keys.published().as_dict(private=False))
        try:
            claims = jwt.decode(token, keys).claims
        except (JoseError, ValueError):
            return False
        return bool(claims["aud"] == self._stack.mcp_url and claims["exp"] > time.time())


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _answer(asked: dict[str, Any]) -> Reply:
    """MCP's Streamable HTTP, without sessions."""
    if "id" not in asked:
        return Reply(202, _CORS, b"")
    results = {
        "initialize": {
            "protocolVersion": asked.get("params", {}).get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "broken on purpose", "version": "1"},
        },
        "tools/list": {"tools": [_TOOL]},
        "tools/call": {"content": [{"type": "text", "text": "hello"}]},
        "ping": {},
    }
    said: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
    if asked["method"] in results:
        return json_reply(200, said | {"result": results[asked["method"]]}, *_CORS)
    return json_reply(200, said | {"error": {"code": -32601, "message": "Method not found"}}, *_CORS)
