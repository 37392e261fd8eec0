"""FastMCP's own application: at several paths, named in several ways, with and without Lambda."""

from routegen.roles import discovery_documents
from truth.mcp_server import server

MCP = """
from fastmcp import FastMCP
from mangum import Mangum

mcp = FastMCP("tools")

@mcp.tool
def add(a: int, b: int) -> int:
    return a + b
"""
APP = "app = mcp.http_app(stateless_http=True)"
HANDLER = "handler = Mangum(app)"
MOVED = 'handler = Mangum(mcp.http_app(path="/v2/mcp", stateless_http=True))'

HEALTH = """
from starlette.responses import PlainTextResponse

@mcp.custom_route("/health", methods=["GET"])
async def health(request):
    return PlainTextResponse("ok")
"""
FACTORY = """
def create_app():
    return mcp.http_app(path="/tools/mcp", stateless_http=True)

handler = Mangum(create_app())
"""
CACHED_FACTORY = """
import functools

@functools.lru_cache
def create_app():
    return mcp.http_app(stateless_http=True)

def handler(event, context):
    return Mangum(create_app())(event, context)
"""
FACTORY_WITH_ARGUMENT = """
def create_app(settings):
    return mcp.http_app(path=settings["path"], stateless_http=True)

app = create_app({"path": "/mcp"})
handler = Mangum(app)
"""
ASYNC_FACTORY = """
import asyncio

async def create_app():
    return mcp.http_app(stateless_http=True)

def handler(event, context):
    return Mangum(asyncio.run(create_app()))(event, context)
"""
OPENAPI = """
from fastapi import FastAPI

api = FastAPI()

@api.get("/items/{item}")
def item(item: int) -> int:
    return item

app = FastMCP.from_fastapi(api).http_app(stateless_http=True)
"""
COMPOSED = """
main = FastMCP("main")
main.mount(mcp, namespace="calculator")
app = main.http_app(stateless_http=True)
"""
DOTTED = """
class Settings:
    app = mcp.http_app(stateless_http=True)

settings = Settings()
handler = Mangum(settings.app)
"""

HTTP_SSE = "the MCP endpoint /sse uses the HTTP+SSE transport"

BY_HAND = """
from fastapi import FastAPI, Request

app = FastAPI()
TOOL = {"name": "add", "inputSchema": {"type": "object"}}
INITIALIZED = {
    "protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "tools", "version": "1"}
}

@app.post("/mcp")
async def answer(request: Request):
    call = await request.json()
    results = {"initialize": INITIALIZED, "tools/list": {"tools": [TOOL]}}
    if call["method"] not in results:
        return {"jsonrpc": "2.0", "id": call.get("id"), "error": {"code": -32601, "message": "unknown method"}}
    return {"jsonrpc": "2.0", "id": call["id"], "result": results[call["method"]]}
"""
RESERVED = [path for path, _ in discovery_documents("/mcp")]

SERVERS = [
    server("FastMCP's object without Lambda", MCP, app="mcp", handler=""),
    server("no attribute named", MCP, app="", handler=""),
    server("http_app on Lambda", MCP, APP, HANDLER),
    server("http_app without Lambda", MCP, APP, handler=""),
    server("an endpoint below a path", MCP, 'app = mcp.http_app(path="/api/v1/mcp", stateless_http=True)', HANDLER,
           endpoints=("/api/v1/mcp",)),
    server("an endpoint at the root", MCP, 'app = mcp.http_app(path="/", stateless_http=True)', HANDLER,
           endpoints=("/",)),
    server("an endpoint with a final slash", MCP, 'app = mcp.http_app(path="/mcp/", stateless_http=True)', HANDLER,
           endpoints=("/mcp", "/mcp/"), expected="refused", message="the MCP endpoint is /mcp/"),
    server("sessions on Lambda", MCP, "app = mcp.http_app()", HANDLER,
           expected="warned", message="keeps sessions"),
    server("sessions without Lambda", MCP, "app = mcp.http_app()", handler=""),
    server("answers in JSON", MCP, "app = mcp.http_app(stateless_http=True, json_response=True)", HANDLER),
    server("a custom route", MCP, HEALTH, APP, HANDLER),
    server("composed servers", MCP, COMPOSED, HANDLER),
    server("tools of an OpenAPI document", MCP, OPENAPI, HANDLER),
    server("an owned path", MCP, APP, HANDLER, table='own = ["/mcp"]'),
    server("a route key for each method", MCP, APP, HANDLER, table='methods = "exact"'),
    server("allowed hosts", MCP,
           'app = mcp.http_app(host_origin_protection=True, allowed_hosts=["tools.example.org"])', handler=""),
    server("a factory", MCP, FACTORY, app="create_app", endpoints=("/tools/mcp",)),
    server("a factory with a cache", MCP, CACHED_FACTORY, app="create_app"),
    server("a factory with an argument", MCP, FACTORY_WITH_ARGUMENT, app="create_app",
           expected="refused", message="create_app needs an argument 'settings'"),
    server("an async factory", MCP, ASYNC_FACTORY, app="create_app",
           expected="refused", message="create_app is an async function"),
    server("a number", MCP, APP, HANDLER, "PORT = 8000", app="PORT",
           expected="refused", message="PORT is of type int"),
    server("a class", MCP, APP, HANDLER, "class Settings: ...", app="Settings",
           expected="refused", message="Settings is a class"),
    server("a Lambda function as the app", MCP, APP, "def handler(event, context): return Mangum(app)(event, context)",
           app="handler", expected="refused", message="takes (event, context)"),
    server("a dotted attribute", MCP, DOTTED, app="settings.app"),
    server("Mangum as the app", MCP, MOVED, app="handler", endpoints=("/v2/mcp",)),
    server("Mangum and no attribute named", MCP, MOVED, app="", endpoints=("/v2/mcp",)),
    server("Mangum of another app", MCP, APP, MOVED,
           expected="refused", message="the handler 'handler' serves another app"),
    server("FastMCP's object on Lambda", MCP, "handler = Mangum(mcp.http_app(stateless_http=True))", app="mcp"),
    server("FastMCP's object at another path on Lambda", MCP, MOVED, app="mcp",
           expected="refused", message="the handler 'handler' serves another app"),
    server("a base path of Mangum", MCP, APP, 'handler = Mangum(app, api_gateway_base_path="/v1")'),
    server("a URL below the base path of Mangum", MCP, APP, 'handler = Mangum(app, api_gateway_base_path="/v1")',
           endpoints=("/v1/mcp",)),
    server("a base path of Mangum that the app has too", MCP,
           'app = mcp.http_app(path="/v1/mcp", stateless_http=True)',
           'handler = Mangum(app, api_gateway_base_path="/v1")', endpoints=("/v1/mcp",),
           expected="warned", message="/v1/mcp never answers, because the mount at /v1 (Mangum's api_gateway_base"),
    server("a function around Mangum", MCP, APP, "_mangum = Mangum(app)",
           "def handler(event, context): return _mangum(event, context)"),
    server("an endpoint by hand with its reserved paths", MCP, BY_HAND, HANDLER, table=f"reserve = {RESERVED}"),
    server("an endpoint by hand", MCP, BY_HAND, HANDLER),
    server("Mangum without a lifespan", MCP, APP, 'handler = Mangum(app, lifespan="off")',
           expected="warned", message='Mangum(..., lifespan="off")'),
    server("HTTP+SSE on Lambda", MCP, 'app = mcp.http_app(transport="sse")', HANDLER,
           endpoints=("/sse",), timeout=1.0, expected="warned", message=HTTP_SSE),
    server("HTTP+SSE without Lambda", MCP, 'app = mcp.http_app(transport="sse")', handler="",
           endpoints=("/sse",), timeout=1.0, expected="warned", message=HTTP_SSE),
]  # fmt: skip
