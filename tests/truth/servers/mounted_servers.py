"""MCP servers inside FastAPI and Starlette applications."""

from truth.mcp_server import server

IMPORTS = """
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastmcp import FastMCP
from fastmcp.utilities.lifespan import combine_lifespans
from mangum import Mangum
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router
from starlette.staticfiles import StaticFiles

mcp = FastMCP("tools")

@mcp.tool
def add(a: int, b: int) -> int:
    return a + b
"""
AT_MCP = IMPORTS + 'inner = mcp.http_app(path="/mcp", stateless_http=True)'
AT_ROOT = IMPORTS + 'inner = mcp.http_app(path="/", stateless_http=True)'
HANDLER = "handler = Mangum(app)"
REDIRECT = "the MCP endpoint is /mcp/, and /mcp only redirects to it"
NOT_STARTED = "nothing starts its session manager"

FASTAPI = "app = FastAPI(lifespan=inner.lifespan)"
WITH_OWN_ROUTES = """
app = FastAPI(lifespan=inner.lifespan)

@app.get("/api/items")
def items() -> list[int]:
    return [1]

app.mount("/", inner)
"""
WITH_ROUTER = """
router = APIRouter(prefix="/v1")

@router.get("/items/{item}")
def item(item: int) -> int:
    return item

app = FastAPI(lifespan=inner.lifespan)
app.include_router(router)
app.mount("/llm", inner)
"""
LIFESPAN = """
@asynccontextmanager
async def lifespan(app):
    async with inner.lifespan(app):
        yield

app = FastAPI(lifespan=lifespan)
app.mount("/", inner)
"""
OTHER_LIFESPAN = """
@asynccontextmanager
async def lifespan(app):
    app.state.database = object()
    yield

app = FastAPI(lifespan=lifespan)
app.mount("/", inner)
"""
COMBINED = """
@asynccontextmanager
async def database(app):
    yield {"database": object()}

app = FastAPI(lifespan=combine_lifespans(database, inner.lifespan))
app.mount("/", inner)
"""
EVENTS = """
import warnings

app = FastAPI()
app.mount("/", inner)

async def start():
    app.state.context = inner.lifespan(inner)
    await app.state.context.__aenter__()

async def stop():
    await app.state.context.__aexit__(None, None, None)

app.router.on_startup.append(start)
app.router.on_shutdown.append(stop)
"""
TWO_SERVERS = """
read = mcp.http_app(path="/read/mcp", stateless_http=True)
write = FastMCP("write", tools=[add]).http_app(path="/mcp", stateless_http=True)

@asynccontextmanager
async def lifespan(app):
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(read.lifespan(app))
        await stack.enter_async_context(write.lifespan(app))
        yield
"""
PAGE = """
async def page(request):
    return PlainTextResponse("page")

EVERYTHING = Route("/{path:path}", page, methods=["GET", "POST"])
"""
OWN_ENDPOINT = """
class Endpoint:
    def __init__(self, app):
        self._tools = app

    async def __call__(self, scope, receive, send):
        await self._pass_on(scope, receive, send)

    async def _pass_on(self, scope, receive, send):
        await self._tools(scope, receive, send)
"""
PAGES = """
from starlette.responses import HTMLResponse

async def page(request):
    return HTMLResponse("page")

async def missing(request):
    return PlainTextResponse("not found", 404)

EVERYTHING = Route("/{path:path}", page)
NO_DOCUMENTS = [Route(f"{prefix}/.well-known/{{path:path}}", missing) for prefix in ("", "/mcp")]
"""
NESTED = """
api = FastAPI()
api.mount("/llm", inner)
app = FastAPI(lifespan=inner.lifespan)
app.mount("/v1", api)
"""
ROOT_PATH_IN_MIDDLEWARE = """
api = FastAPI(lifespan=inner.lifespan, root_path="/prod")
api.mount("/", inner)
app = GZipMiddleware(api)
"""

SERVERS = [
    server("FastAPI with its own routes", AT_MCP, WITH_OWN_ROUTES, HANDLER),
    server("FastAPI without Lambda", AT_MCP, WITH_OWN_ROUTES, handler=""),
    server("FastAPI with a mount below a path", AT_MCP, FASTAPI, 'app.mount("/api", inner)', HANDLER,
           endpoints=("/api/mcp",)),
    server("FastAPI with the endpoint's name twice", AT_MCP, FASTAPI, 'app.mount("/mcp", inner)', HANDLER,
           endpoints=("/mcp/mcp",)),
    server("FastAPI with a mount at the endpoint", AT_ROOT, FASTAPI, 'app.mount("/mcp", inner)', HANDLER,
           endpoints=("/mcp", "/mcp/"), expected="refused", message=REDIRECT),
    server("FastAPI with a mount at the endpoint, and its parent owned", AT_ROOT, FASTAPI,
           'app.mount("/api/mcp", inner)', HANDLER, table='own = ["/api"]', endpoints=("/api/mcp",),
           expected="warned", message="the MCP endpoint is /api/mcp/, and /api/mcp only redirects to it, which not"),
    server("FastAPI with a mount at the endpoint, its parent owned, and the URL with the slash", AT_ROOT, FASTAPI,
           'app.mount("/api/mcp", inner)', HANDLER, table='own = ["/api"]', endpoints=("/api/mcp/",),
           expected="warned", message="give clients the URL with the final slash", works=True),
    server("FastAPI without the lifespan", AT_MCP, "app = FastAPI()", 'app.mount("/", inner)', HANDLER,
           expected="warned", message=NOT_STARTED),
    server("FastAPI with a router and a mount", AT_MCP, WITH_ROUTER, HANDLER, endpoints=("/llm/mcp",)),
    server("FastAPI with a lifespan function", AT_MCP, LIFESPAN, HANDLER),
    server("FastAPI with another lifespan", AT_MCP, OTHER_LIFESPAN, HANDLER, expected="warned", message=NOT_STARTED),
    server("FastAPI with combined lifespans", AT_MCP, COMBINED, HANDLER),
    server("FastAPI with start-up events", AT_MCP, EVENTS, HANDLER),
    server("FastAPI and Mangum without a lifespan", AT_MCP, FASTAPI, 'app.mount("/", inner)',
           'handler = Mangum(app, lifespan="off")', expected="warned", message='Mangum(..., lifespan="off")'),
    server("FastAPI with a root path", AT_MCP, 'app = FastAPI(lifespan=inner.lifespan, root_path="/prod")',
           'app.mount("/", inner)', HANDLER, endpoints=("/mcp", "/prod/mcp")),
    server("FastAPI with a root path in middleware", AT_MCP, ROOT_PATH_IN_MIDDLEWARE, HANDLER,
           endpoints=("/mcp", "/prod/mcp")),
    server("FastAPI in FastAPI", AT_MCP, NESTED, HANDLER, endpoints=("/v1/llm/mcp",)),
    server("FastAPI with copied routes", AT_MCP, FASTAPI, "app.router.routes.extend(inner.routes)", HANDLER),
    server("FastAPI with the routes in the constructor", AT_MCP,
           "app = FastAPI(lifespan=inner.lifespan, routes=[*inner.routes])", HANDLER),
    server("Starlette with a mount at the root", AT_MCP,
           'app = Starlette(routes=[Mount("/", inner)], lifespan=inner.lifespan)', HANDLER),
    server("Starlette with a mount below a path", AT_MCP,
           'app = Starlette(routes=[Mount("/tools", inner)], lifespan=inner.lifespan)', HANDLER,
           endpoints=("/tools/mcp",)),
    server("Starlette with a mount at the endpoint", AT_ROOT,
           'app = Starlette(routes=[Mount("/mcp", inner)], lifespan=inner.lifespan)', HANDLER,
           expected="refused", message=REDIRECT),
    server("Starlette with a mount that has a final slash", AT_ROOT,
           'app = Starlette(routes=[Mount("/mcp/", inner)], lifespan=inner.lifespan)', HANDLER,
           expected="refused", message=REDIRECT),
    server("Starlette without redirects", AT_ROOT,
           'app = Starlette(routes=[Mount("/mcp", inner)], lifespan=inner.lifespan)',
           "app.router.redirect_slashes = False", HANDLER, expected="refused", message="the MCP endpoint is /mcp/"),
    server("Starlette without the lifespan", AT_MCP, 'app = Starlette(routes=[Mount("/", inner)])', HANDLER,
           expected="warned", message=NOT_STARTED),
    server("Starlette with copied routes and no lifespan", AT_MCP, "app = Starlette(routes=[*inner.routes])", HANDLER,
           expected="warned", message=NOT_STARTED),
    server("the application as the endpoint of a route", AT_MCP,
           'app = Starlette(routes=[Route("/mcp", inner)], lifespan=inner.lifespan)', HANDLER),
    server("an endpoint that passes requests on", AT_MCP, OWN_ENDPOINT,
           'app = Starlette(routes=[Route("/mcp", Endpoint(inner))], lifespan=inner.lifespan)', HANDLER),
    server("an endpoint that passes requests on, without the lifespan", AT_MCP, OWN_ENDPOINT,
           'app = Starlette(routes=[Route("/mcp", Endpoint(inner))])', HANDLER, expected="warned", message=NOT_STARTED),
    server("pages that answer every path, without a website", AT_MCP, PAGES,
           "app = Starlette(routes=[*inner.routes, EVERYTHING], lifespan=inner.lifespan)", HANDLER, has_website=False,
           expected="warned", message="catch-all: mcp: /{path:path} also answers ", works=True),
    server("pages that answer every path except documents", AT_MCP, PAGES,
           "app = Starlette(routes=[*inner.routes, *NO_DOCUMENTS, EVERYTHING], lifespan=inner.lifespan)", HANDLER,
           has_website=False),
    server("nested mounts", AT_MCP, 'middle = Starlette(routes=[Mount("/b", inner)])',
           'app = Starlette(routes=[Mount("/a", middle)], lifespan=inner.lifespan)', HANDLER, endpoints=("/a/b/mcp",)),
    server("nested mounts with the lifespan in the middle", AT_MCP,
           'middle = Starlette(routes=[Mount("/b", inner)], lifespan=inner.lifespan)',
           'app = Starlette(routes=[Mount("/a", middle)])', HANDLER,
           endpoints=("/a/b/mcp",), expected="warned", message=NOT_STARTED),
    server("a router as the app", AT_MCP, 'app = Router(routes=[Mount("/", inner)], lifespan=inner.lifespan)', HANDLER),
    server("an endpoint for each tenant", AT_MCP,
           'app = Starlette(routes=[Mount("/{tenant}", inner)], lifespan=inner.lifespan)', HANDLER,
           endpoints=("/acme/mcp",)),
    server("a host", AT_MCP,
           'app = Starlette(routes=[Host("api.example.org", inner)], lifespan=inner.lifespan)', HANDLER,
           expected="refused", message="/mcp answers only under the host api.example.org"),
    server("static files beside the server", AT_MCP,
           'app = Starlette(routes=[Mount("/static", StaticFiles(directory=".")), Mount("/", inner)], '
           "lifespan=inner.lifespan)", HANDLER),
    server("two servers in one app", IMPORTS, TWO_SERVERS,
           'app = Starlette(routes=[Mount("/write", write), Mount("/", read)], lifespan=lifespan)', HANDLER,
           endpoints=("/read/mcp", "/write/mcp")),
    server("two servers and the lifespan of one", IMPORTS, TWO_SERVERS,
           'app = Starlette(routes=[Mount("/write", write), Mount("/", read)], lifespan=read.lifespan)', HANDLER,
           endpoints=("/write/mcp",), expected="warned", message="the MCP endpoint /write/mcp answers every request"),
    server("behind another mount", AT_MCP,
           'app = Starlette(routes=[Mount("/", Router()), Mount("/", inner)], lifespan=inner.lifespan)', HANDLER,
           expected="warned", message="/mcp never answers, because the mount at / takes its requests"),
    server("behind a route for every path", AT_MCP, PAGE,
           'app = Starlette(routes=[EVERYTHING, Mount("/", inner)], lifespan=inner.lifespan)', HANDLER,
           expected="refused", message="page at /{path:path} takes every path"),
    server("before a route for every path", AT_MCP, PAGE,
           'app = Starlette(routes=[Mount("/tools", inner), EVERYTHING], lifespan=inner.lifespan)', HANDLER,
           endpoints=("/tools/mcp",), expected="refused", message="page at /{path:path} takes every path", works=True),
    server("before a route for every path, with the advice", AT_MCP, PAGE,
           'app = Starlette(routes=[Mount("/tools", inner), EVERYTHING], lifespan=inner.lifespan)', HANDLER,
           table='own = ["/tools"]',
           endpoints=("/tools/mcp",), expected="warned", message="page at /{path:path} takes every path", works=True),
]  # fmt: skip
