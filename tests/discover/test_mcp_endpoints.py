"""Whether an MCP endpoint keeps sessions, and endpoints that call a session manager of the official SDK."""

import contextlib
from typing import Any

import pytest
from fastapi import FastAPI
from fastmcp import FastMCP
from fastmcp.server.auth.providers.workos import AuthKitProvider
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from routegen.discover import discover_paths
from routegen.roles import classify_path
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

AUTH = AuthKitProvider(authkit_domain="https://example.authkit.app", base_url="https://tools.example.org")


def endpoints(app: Any) -> dict[str, bool | None]:
    """Each path that an MCP endpoint answers, and whether the endpoint keeps sessions."""
    served = [path for path in discover_paths(app) if classify_path(path.path, path.handlers).role == "mcp-endpoint"]
    return {path.path: path.keeps_sessions for path in served if not path.only_redirects}


@pytest.mark.parametrize("stateless", [True, False])
@pytest.mark.parametrize("auth", [None, AUTH])
def test_fastmcp(stateless: bool, auth: Any) -> None:
    server: FastMCP = FastMCP("tools", auth=auth)
    assert endpoints(server.http_app(path="/mcp", stateless_http=stateless)) == {"/mcp": not stateless}


def test_fastmcp_keeps_sessions_by_default() -> None:
    assert endpoints(FastMCP("tools")) == {"/mcp": True}


@pytest.mark.parametrize("stateless", [True, False])
def test_fastmcp_mounted_in_fastapi(stateless: bool) -> None:
    inner = FastMCP("tools").http_app(path="/mcp", stateless_http=stateless)
    app = FastAPI(lifespan=inner.lifespan, openapi_url=None)
    app.mount("/", inner)
    assert endpoints(app) == {"/mcp": not stateless}


@pytest.mark.parametrize("stateless", [True, False])
def test_routes_of_a_server_in_another_application(stateless: bool) -> None:
    inner = FastMCP("tools").http_app(path="/mcp", stateless_http=stateless)
    assert endpoints(Starlette(routes=[*inner.routes], lifespan=inner.lifespan)) == {"/mcp": not stateless}
    assert endpoints(Starlette(routes=[*inner.routes])) == {"/mcp": None}, "the lifespan that knows it is not there"


@pytest.mark.parametrize("stateless", [True, False])
def test_the_official_sdk(stateless: bool) -> None:
    app = MCPServer("tools").streamable_http_app(stateless_http=stateless)
    assert endpoints(app) == {"/mcp": not stateless}


manager = StreamableHTTPSessionManager(app=Server("tools"), json_response=True, stateless=True)


async def handle_mcp(scope: Any, receive: Any, send: Any) -> None:
    await manager.handle_request(scope, receive, send)


async def show_health(_request: Any) -> PlainTextResponse:
    return PlainTextResponse(str(manager.stateless))


class HandlerObject:
    def __init__(self, sessions: StreamableHTTPSessionManager) -> None:
        self.sessions = sessions

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.sessions.handle_request(scope, receive, send)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        await self.sessions.handle_request(scope, receive, send)


def handler_in_a_closure(sessions: StreamableHTTPSessionManager) -> Any:
    async def handle(scope: Any, receive: Any, send: Any) -> None:
        await sessions.handle_request(scope, receive, send)

    return handle


@contextlib.asynccontextmanager
async def lifespan(_app: Any) -> Any:
    async with manager.run():
        yield


@pytest.mark.parametrize(
    "handler",
    [handle_mcp, HandlerObject(manager), HandlerObject(manager).handle, handler_in_a_closure(manager)],
    ids=["function", "object", "method", "closure"],
)
def test_a_session_manager_behind_a_mount_is_an_endpoint(handler: Any) -> None:
    app = Starlette(routes=[Route("/health", show_health), Mount("/mcp", app=handler)], lifespan=lifespan)
    assert endpoints(app) == {"/mcp/{proxy:path}": False}


class Proxy:
    """An object that answers no question before somebody gives it its object."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return Proxy
        raise RuntimeError(name)


class Slots:
    """A class whose attribute `_state` is a descriptor, and whose instances have no `__dict__`."""

    __slots__ = ("_state", "app")


class Odd:
    """An object whose `__dict__` is no dictionary."""

    __dict__ = property(lambda _self: 7)


VALUES: list[Any] = [Proxy, Proxy(), Slots, Slots(), Odd(), type, object.__init__, int.real]


@pytest.mark.parametrize("position", range(len(VALUES)))
def test_a_value_that_an_endpoint_uses_can_be_any_object(position: int) -> None:
    value = VALUES[position]

    async def answer(request: Any) -> PlainTextResponse:
        return PlainTextResponse(str((value.app, value._state, request)))

    inner = FastMCP("tools").http_app(path="/mcp", stateless_http=True)
    app = Starlette(routes=[Route("/report", answer), Mount("/", inner)], lifespan=inner.lifespan)
    assert endpoints(app) == {"/mcp": False}
