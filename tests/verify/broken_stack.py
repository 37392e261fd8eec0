"""A deployment and its authorization server on loopback, correct except for the faults that a test chooses.

    with broken_stack({"challenge-renamed", "named-slash"}) as stack:
        stack.mcp_url

The names of the faults are those of `faults.py`; a test can combine them. The authorization server is the AuthKit
stand-in of `dev.authkit`, which accepts every client. The deployment is a wiki with one page, and a small MCP server
with one tool, `hello`, which verifies tokens with the stand-in's keys. A real MCP client can therefore sign in, list
the tools and call one: give it `stack.mcp_url`, and let it follow the redirect of `/oauth2/authorize` without a
browser.
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
from verify.faults import CORS, FAULTS, RESOURCE, SERVER, Fault, Reply, StackRequest, json_reply, page

from dev.authkit.oauth_endpoints import build_app
from dev.authkit.stand_in_settings import StandInSettings, authorization_server_metadata
from dev.authkit.stand_in_state import SigningKeys

MANIFEST: Manifest = parse_manifest((PROJECT / "generated" / "routes.json").read_bytes(), "generated/routes.json")
"""The routes of the deployment are those of this project."""

RESERVED_PATHS = tuple(route.path for route in MANIFEST.routes if route.reserved)

_TOOL = {"name": "hello", "description": "Says hello.", "inputSchema": {"type": "object", "properties": {}}}


@dataclass(frozen=True)
class Stack:
    """A running stack.

    Attributes:
        deployment: the URL of the deployment.
        authkit: the URL of the authorization server.
        keys: the keys that sign its tokens.
        requests: server, method, path of each request, and whether it had a token, in order.
    """

    deployment: str
    authkit: str
    keys: SigningKeys
    requests: list[tuple[str, str, str, bool]] = field(default_factory=list)

    @property
    def mcp_url(self) -> str:
        return f"{self.deployment}/mcp"

    def token(self) -> str:
        """An access token like those of the stand-in."""
        now = int(time.time())
        claims = {"iss": self.authkit, "aud": self.mcp_url, "sub": "user_01", "iat": now, "exp": now + 300}
        (key,) = self.keys.signing().keys
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


@contextmanager
def broken_stack(
    faults: set[str] = frozenset(),  # type: ignore[assignment]  # an empty set that cannot change
    *,
    mcp: ASGIApp | None = None,
    authkit: Literal["up", "down", "tls"] = "up",
    certificate: Path | None = None,
) -> Iterator[Stack]:
    """Run both servers until the block ends.

    Args:
        faults: names of `FAULTS`.
        mcp: an ASGI app that answers /mcp and every path below it, instead of the small MCP server.
        authkit: `down` refuses connections, `tls` speaks https with `certificate`.
        certificate: a PEM file with a certificate and its key.
    """
    chosen_faults = [FAULTS[name] for name in sorted(faults)]
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        scheme = "https" if authkit == "tls" else "http"
        urls = [f"http://127.0.0.1:{first.getsockname()[1]}", f"{scheme}://127.0.0.1:{second.getsockname()[1]}"]
        settings = StandInSettings(urls[1], frozenset({f"{urls[0]}/mcp"}), auto_consent=True)
        keys = _KEYS
        stack = Stack(urls[0], urls[1], keys)
        deployment = _Deployment(stack, settings, mcp)
        servers: list[_ServerArguments] = []
        servers.append((_FaultyApp(deployment, "deployment", stack, chosen_faults), first, None))
        if authkit == "down":
            second.close()
        else:
            app = build_app(settings, keys=keys)
            servers.append(
                (_FaultyApp(app, "authkit", stack, chosen_faults), second, certificate if authkit == "tls" else None)
            )
        with _running(*servers):
            yield stack


# It takes longer to make an RSA key than to start a stack, so every stack has the same keys.
_KEYS = SigningKeys(300, time.time)

_ServerArguments = tuple[ASGIApp, socket.socket, Path | None]


@contextmanager
def _running(*arguments: _ServerArguments) -> Iterator[None]:
    """Run all servers in one thread, so that they end together."""
    servers = [_make_server(app, certificate) for app, _, certificate in arguments]
    sockets = [listener for _, listener, _ in arguments]

    async def serve() -> None:
        await asyncio.gather(*(server.serve([listener]) for server, listener in zip(servers, sockets, strict=True)))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield
    finally:
        for server in servers:
            server.should_exit = server.force_exit = True
        thread.join(timeout=10)


class _QuickServer(uvicorn.Server):
    """A server that ends within 10 ms: a run of the tests starts hundreds of servers."""

    async def main_loop(self) -> None:
        while not self.should_exit:  # noqa: ASYNC110 - uvicorn's flag has no event
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything as uvicorn does, without its pause of 100 ms."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)


def _make_server(app: ASGIApp, certificate: Path | None) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=120,  # On a slow machine, a client can take longer than the default of 5 s between requests.
        lifespan="off",
        ws="none",
        ssl_certfile=certificate,
    )
    return _QuickServer(config)


class _FaultyApp:
    """The answers of an app, changed by the faults."""

    def __init__(
        self, app: ASGIApp, server: Literal["deployment", "authkit"], stack: Stack, chosen_faults: list[Fault]
    ) -> None:
        self._app = app
        self._server = server
        self._stack = stack
        self._faults = chosen_faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        token = "authorization" in headers
        self._stack.requests.append((self._server, scope["method"], scope["path"], token))
        reply, body = await _reply_of(self._app, scope, receive)
        request = StackRequest(
            self._server, scope["method"], scope["path"], token, self._stack.deployment, self._stack.authkit,
            in_session="mcp-session-id" in headers, message=json.loads(body) if body[:1] == b"{" else {},
        )  # fmt: skip
        for fault in self._faults:
            reply = fault(request, reply)
        await asyncio.sleep(reply.delay)
        await _send(reply, send, head=scope["method"] == "HEAD")


async def _reply_of(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Reply, bytes]:
    """The reply of an app, and the body of the request."""
    messages: list[Message] = []
    body = await _read_body(receive) if scope["method"] == "POST" else b""

    async def receive_body() -> Message:
        return {"type": "http.request", "body": body}

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive_body, keep)
    start, *parts = messages
    headers = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"])
    return Reply(start["status"], headers, b"".join(message.get("body", b"") for message in parts)), body


async def _send(reply: Reply, send: Send, *, head: bool) -> None:
    length = len(reply.body) + (100 if reply.cut else 0)
    with_length = reply.with_header("content-length", str(length))
    headers = [(name.encode(), value.encode("latin-1")) for name, value in with_length.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


class _Deployment:
    """A wiki as the default app, and an MCP server behind the routes of the manifest."""

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
            reply = self._document_or_page(path)
        await _send(reply, send, head=method == "HEAD")

    def _document_or_page(self, path: str) -> Reply:
        if path == f"{RESOURCE}/mcp":
            value = {"resource": self._stack.mcp_url, "authorization_servers": [self._stack.authkit]}
            return json_reply(200, value, *CORS)
        if path == SERVER:
            return json_reply(200, authorization_server_metadata(self._settings), *CORS)
        if path in RESERVED_PATHS:
            return json_reply(404, {"error": "not_found"})
        return page(200) if path in {"/", "/Home"} else page(404)

    async def _endpoint(self, method: str, scope: Scope, receive: Receive) -> Reply:
        if method == "OPTIONS":
            return Reply(204, CORS, b"")
        if method != "POST":
            return json_reply(405, {"error": "method_not_allowed"}, ("allow", "POST"))
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._accepts(headers.get("authorization", "")):
            challenge = f'Bearer error="invalid_token", resource_metadata="{self._stack.deployment}{RESOURCE}/mcp"'
            return json_reply(401, {"error": "invalid_token"}, ("www-authenticate", challenge), *CORS)
        return _mcp_reply(json.loads(await _read_body(receive)))

    def _accepts(self, authorization: str) -> bool:
        token = authorization.removeprefix("Bearer ")
        keys = KeySet.import_key_set(self._stack.keys.published().as_dict(private=False))
        try:
            claims = jwt.decode(token, keys).claims
        except (JoseError, ValueError):
            return False
        return bool(claims["aud"] == self._stack.mcp_url and claims["exp"] > time.time())


async def _read_body(receive: Receive) -> bytes:
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body, has_more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _mcp_reply(message: dict[str, Any]) -> Reply:
    """The reply to a JSON-RPC message of MCP's Streamable HTTP, without sessions."""
    if "id" not in message:
        return Reply(202, CORS, b"")
    results = {
        "initialize": {
            "protocolVersion": message.get("params", {}).get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "broken on purpose", "version": "1"},
        },
        "tools/list": {"tools": [_TOOL]},
        "tools/call": {"content": [{"type": "text", "text": "hello"}]},
        "ping": {},
    }
    reply: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
    if message["method"] in results:
        return json_reply(200, reply | {"result": results[message["method"]]}, *CORS)
    return json_reply(200, reply | {"error": {"code": -32601, "message": "Method not found"}}, *CORS)
