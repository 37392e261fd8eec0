"""FastMCP applications inside middleware: classes, functions, decorators, and the frameworks' own."""

from truth.mcp_server import server

MCP = """
import functools

from fastapi import FastAPI
from fastmcp import FastMCP
from mangum import Mangum
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Mount

mcp = FastMCP("tools")

@mcp.tool
def add(a: int, b: int) -> int:
    return a + b

inner = mcp.http_app(stateless_http=True)
"""
HANDLER = "handler = Mangum(app)"
AUDIT = """
class Audit:
    def __init__(self, downstream):
        self.downstream = downstream

    async def __call__(self, scope, receive, send):
        await self.downstream(scope, receive, send)

app = Audit(inner)
"""
SLOTS = """
class Audit:
    __slots__ = ("_next",)

    def __init__(self, app):
        self._next = app

    async def __call__(self, scope, receive, send):
        await self._next(scope, receive, send)

app = Audit(GZipMiddleware(inner))
"""
DECORATOR = """
def audited(app):
    @functools.wraps(app)
    async def call(scope, receive, send):
        await app(scope, receive, send)
    return call

app = audited(inner)
"""
GLOBAL = """
async def app(scope, receive, send):
    await inner(scope, receive, send)
"""
PARTIAL = """
async def call(app, scope, receive, send):
    await app(scope, receive, send)

app = functools.partial(call, inner)
"""
HTTP = """
class Audit(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-audit"] = "yes"
        return response
"""
FASTAPI = """
app = FastAPI(lifespan=inner.lifespan)
app.add_middleware(GZipMiddleware)
app.mount("/", inner)

@app.middleware("http")
async def audit(request, call_next):
    return await call_next(request)
"""
DROPS_LIFESPAN = """
class HttpOnly:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            await self.app(scope, receive, send)

app = HttpOnly(inner)
"""
CHOICE = """
other = FastMCP("other").http_app(path="/other/mcp", stateless_http=True)

class Choice:
    def __init__(self, first, second):
        self.first, self.second = first, second

    async def __call__(self, scope, receive, send):
        chosen = self.second if scope.get("path", "").startswith("/other") else self.first
        await chosen(scope, receive, send)

app = Choice(inner, other)
"""
PREFIX = """
class WithoutPrefix:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].removeprefix("/v1")}
        await self.app(scope, receive, send)

app = WithoutPrefix(inner)
"""
API_KEY = """
class ApiKey:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        headers = dict(scope.get("headers", []))
        if scope["type"] == "http" and headers.get(b"authorization") != b"Bearer otter":
            await JSONResponse({"error": "unauthorized"}, 401)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

app = ApiKey(inner)
"""

SERVERS = [
    server("CORS around the app", MCP, 'app = CORSMiddleware(inner, allow_origins=["*"])', HANDLER),
    server("CORS in the app", MCP,
           'app = mcp.http_app(stateless_http=True, middleware=[Middleware(CORSMiddleware, allow_origins=["*"])])',
           HANDLER),
    server("a class that keeps the app in an unusual attribute", MCP, AUDIT, HANDLER),
    server("a class with slots", MCP, SLOTS, HANDLER),
    server("a decorator", MCP, DECORATOR, HANDLER),
    server("a function that calls a global variable", MCP, GLOBAL, HANDLER),
    server("a partial function", MCP, PARTIAL, HANDLER),
    server("HTTP middleware in the app", MCP, HTTP,
           "app = mcp.http_app(stateless_http=True, middleware=[Middleware(Audit)])", HANDLER),
    server("HTTP middleware around the app", MCP, HTTP, "app = Audit(inner)", HANDLER),
    server("middleware of FastAPI", MCP, FASTAPI, HANDLER),
    server("middleware in a mount", MCP,
           'app = Starlette(routes=[Mount("/api", GZipMiddleware(inner))], lifespan=inner.lifespan)', HANDLER,
           endpoints=("/api/mcp",)),
    server("middleware of a mount", MCP,
           'app = Starlette(routes=[Mount("/api", inner, middleware=[Middleware(GZipMiddleware)])], '
           "lifespan=inner.lifespan)", HANDLER, endpoints=("/api/mcp",)),
    server("middleware that removes a prefix", MCP, PREFIX, HANDLER),
    server("middleware that asks for a key", MCP, API_KEY, HANDLER, sign_in="token"),
    server("middleware that drops the lifespan", MCP, DROPS_LIFESPAN, HANDLER,
           expected="warned", message="nothing starts its session manager"),
    server("a choice between two apps", MCP, CHOICE, HANDLER,
           expected="refused", message="Choice at /{proxy:path} takes every path"),
    server("a class derived from Mangum", MCP, "class Handler(Mangum): ...", "app = inner", "handler = Handler(app)"),
]  # fmt: skip
