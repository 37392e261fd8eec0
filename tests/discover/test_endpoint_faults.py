"""MCP endpoints that fail on every request although their route exists, and similar servers that work."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from fastmcp.utilities.lifespan import combine_lifespans
from mangum import Mangum
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from routegen.discover import discover_paths
from routegen.roles import classify_path
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, Route


def in_mangum(app: Any, **options: Any) -> Mangum:
    """A Lambda handler around an application; Mangum makes an event loop, which is closed here."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    handler = Mangum(app, **options)
    asyncio.set_event_loop(None)
    loop.close()
    return handler


INNER = FastMCP("tools").http_app(path="/mcp", stateless_http=True)
SECOND = FastMCP("second").http_app(path="/second/mcp", stateless_http=True)
SIGNED_IN = FastMCP("tools", auth=StaticTokenVerifier(tokens={"t": {"client_id": "x", "scopes": []}})).http_app()
MANAGER = StreamableHTTPSessionManager(app=Server("tools"), stateless=True)


def faults(app: Any) -> tuple[str, ...]:
    """The faults of the app's only MCP endpoint."""
    served = [path for path in discover_paths(app) if classify_path(path.path, path.handlers).role == "mcp-endpoint"]
    (endpoint,) = served
    return endpoint.faults


def fastapi(mounted: Starlette = INNER, **options: Any) -> FastAPI:
    app = FastAPI(openapi_url=None, **options)
    app.mount("/", mounted)
    return app


def sdk(**options: Any) -> Starlette:
    app: Starlette = MCPServer("tools").streamable_http_app(stateless_http=True, **({"host": "0.0.0.0"} | options))
    return app


def guarded(**options: Any) -> Starlette:
    app: Starlette = FastMCP("x").http_app(stateless_http=True, host_origin_protection=True, **options)
    return app


@contextlib.asynccontextmanager
async def database(_app: Any) -> AsyncIterator[None]:
    yield


@contextlib.asynccontextmanager
async def calls_inner(app: Any) -> AsyncIterator[None]:
    async with INNER.lifespan(app):
        yield


@contextlib.asynccontextmanager
async def enters_a_stack(app: Any) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(INNER.lifespan(app))
        yield


@contextlib.asynccontextmanager
async def imports_inner(app: Any) -> AsyncIterator[None]:
    from discover import test_endpoint_faults

    async with test_endpoint_faults.INNER.lifespan(app):
        yield


@contextlib.asynccontextmanager
async def finds_inner_in_state(app: Any) -> AsyncIterator[None]:
    async with app.state.mcp_app.lifespan(app):
        yield


@contextlib.asynccontextmanager
async def runs_manager(_app: Any) -> AsyncIterator[None]:
    async with MANAGER.run():
        yield


async def handle_mcp(scope: Any, receive: Any, send: Any) -> None:
    await MANAGER.handle_request(scope, receive, send)


class Endpoint:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await MANAGER.handle_request(scope, receive, send)


class HttpOnly:
    """Middleware that forgets the lifespan."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.app(scope, receive, send)


class OwnLifespan:
    """Middleware that treats the lifespan itself."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await (INNER if scope["type"] == "lifespan" else self.app)(scope, receive, send)


def with_startup_event() -> FastAPI:
    app = fastapi()
    app.router.on_startup.append(lambda: INNER.router.lifespan_context(INNER).__aenter__())
    return app


WORKING = {
    "FastMCP's own application": INNER,
    "FastMCP's object": FastMCP("tools"),
    "a mount with the lifespan": fastapi(lifespan=INNER.lifespan),
    "combined lifespans": fastapi(lifespan=combine_lifespans(database, INNER.lifespan)),
    "a function that calls the lifespan": fastapi(lifespan=calls_inner),
    "a stack of contexts": fastapi(lifespan=enters_a_stack),
    "a function that imports the application": fastapi(lifespan=imports_inner),
    "a function that finds the application": fastapi(lifespan=finds_inner_in_state),
    "a start-up event": with_startup_event(),
    "middleware with its own lifespan": OwnLifespan(fastapi()),
    "copied routes": Starlette(routes=[*INNER.routes], lifespan=INNER.lifespan),
    "Mangum": in_mangum(INNER),
    "middleware": in_mangum(GZipMiddleware(fastapi(lifespan=INNER.lifespan))),
    "the official SDK": sdk(),
    "a session manager": Starlette(routes=[Route("/mcp", endpoint=Endpoint())], lifespan=runs_manager),
    "sign-in": SIGNED_IN,
    "sign-in in a mount": fastapi(SIGNED_IN, lifespan=SIGNED_IN.lifespan),
    "copied routes and middleware": Starlette(
        routes=[*SIGNED_IN.routes], middleware=SIGNED_IN.user_middleware, lifespan=SIGNED_IN.lifespan
    ),
    "FastMCP's protection with a host": guarded(allowed_hosts=["tools.example.org"]),
    "trusted hosts": TrustedHostMiddleware(INNER, allowed_hosts=["tools.example.org"]),
    "a configured host": sdk(
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True, allowed_hosts=["tools.example.org"]
        )
    ),
}

FAILING: dict[str, tuple[Any, str]] = {
    "a mount without the lifespan": (fastapi(), "not-started"),
    "copied routes without the lifespan": (Starlette(routes=[*INNER.routes]), "not-started"),
    "the lifespan of something else": (fastapi(lifespan=database), "not-started"),
    "the lifespan of another server": (fastapi(lifespan=SECOND.lifespan), "not-started"),
    "a session manager without its lifespan": (Starlette(routes=[Route("/mcp", Endpoint())]), "not-started"),
    "middleware that drops the lifespan": (HttpOnly(INNER), "not-started"),
    "middleware in the application that drops it": (fastapi(lifespan=INNER.lifespan), "not-started"),
    "a handler without a lifespan": (in_mangum(INNER, lifespan="off"), "lifespan-off"),
    "the official SDK in Mangum": (in_mangum(sdk()), "starts-once"),
    "a function with the arguments of ASGI": (
        Starlette(routes=[Route("/mcp", handle_mcp, methods=["POST"])], lifespan=runs_manager),
        "asgi-function",
    ),
    "copied routes without the middleware": (
        Starlette(routes=[*SIGNED_IN.routes], lifespan=SIGNED_IN.lifespan),
        "no-authentication",
    ),
    "the default of the official SDK": (sdk(host="127.0.0.1"), "loopback-only"),
    "the official SDK's object": (MCPServer("tools"), "loopback-only"),
    "FastMCP's protection without hosts": (guarded(), "host-guard"),
    "FastMCP's protection for loopback": (guarded(allowed_hosts=["localhost"]), "host-guard"),
    "trusted hosts of loopback": (TrustedHostMiddleware(INNER, allowed_hosts=["localhost"]), "trusted-hosts"),
}
FAILING["middleware in the application that drops it"][0].add_middleware(HttpOnly)


@pytest.mark.parametrize("name", WORKING)
def test_a_server_that_works_has_no_fault(name: str) -> None:
    assert faults(WORKING[name]) == ()


@pytest.mark.parametrize("name", FAILING)
def test_a_server_that_fails_has_the_fault(name: str) -> None:
    app, fault = FAILING[name]
    assert faults(app) == (fault,)


def test_only_middleware_runs_for_it() -> None:
    started = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        started.append(app)
        async with INNER.lifespan(app):
            yield

    assert faults(fastapi(lifespan=lifespan)) == ()
    assert not started


def test_each_endpoint_has_its_own_faults() -> None:
    app = Starlette(routes=[Mount("/one", INNER), Mount("/two", SECOND)], lifespan=INNER.lifespan)
    assert {path.path: path.faults for path in discover_paths(app)} == {
        "/one/mcp": (),
        "/two/second/mcp": ("not-started",),
    }


def test_the_loggers_of_a_large_process_hide_nothing() -> None:
    for number in range(3000):
        logging.getLogger(f"tests.many_loggers.{number}")
    try:
        assert faults(fastapi(lifespan=INNER.lifespan)) == ()
        assert faults(fastapi(lifespan=database)) == ("not-started",)
    finally:
        for number in range(3000):
            del logging.Logger.manager.loggerDict[f"tests.many_loggers.{number}"]


def test_a_lifespan_that_reaches_too_many_objects_is_not_accused() -> None:
    records = [{"number": number} for number in range(30_000)]

    @contextlib.asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        records.append({})
        yield

    assert faults(fastapi(lifespan=lifespan)) == ()
