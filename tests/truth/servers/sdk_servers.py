"""Servers of the official SDK, version 2: `MCPServer` and the low-level `Server` with its session manager."""

from truth.mcp_server import server

MCP = """
from contextlib import asynccontextmanager

from mangum import Mangum
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

mcp = MCPServer("tools")

@mcp.tool()
def add(a: int, b: int) -> int:
    return a + b

@asynccontextmanager
async def lifespan(app):
    async with mcp.session_manager.run():
        yield

every_host = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""
APP = "app = mcp.streamable_http_app(stateless_http=True, transport_security=every_host)"
INNER = "inner = mcp.streamable_http_app(stateless_http=True, transport_security=every_host)"
HANDLER = "handler = Mangum(app)"
ONE_LIFESPAN = """
from mangum.protocols import LifespanCycle

class Handler:
    def __init__(self, app):
        self.app, self.mangum = app, None

    def __call__(self, event, context):
        if self.mangum is None:
            self.lifespan = LifespanCycle(self.app, "on")
            self.lifespan.__enter__()
            self.mangum = Mangum(self.app, lifespan="off")
        return self.mangum(event, context)

handler = Handler(app)
"""
APP_FOR_EACH_EVENT = """
def create_app():
    return mcp.streamable_http_app(stateless_http=True, transport_security=every_host)

def handler(event, context):
    return Mangum(create_app())(event, context)
"""
CUSTOM_ROUTE = """
@mcp.custom_route("/health", methods=["GET"])
async def health(request):
    return PlainTextResponse("ok")
"""
ALLOWED_HOST = """
app = mcp.streamable_http_app(
    stateless_http=True,
    transport_security=TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=["tools.example.org", "127.0.0.1:*"]
    ),
)
"""
LOW_LEVEL = """
from contextlib import asynccontextmanager

import mcp_types as types
from mangum import Mangum
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route

async def list_tools(context, params):
    return types.ListToolsResult(tools=[types.Tool(name="add", input_schema={"type": "object"})])

server = Server("tools", on_list_tools=list_tools)
manager = StreamableHTTPSessionManager(app=server, json_response=True, stateless=True)

@asynccontextmanager
async def lifespan(app):
    async with manager.run():
        yield

async def handle_mcp(scope, receive, send):
    await manager.handle_request(scope, receive, send)

class Endpoint:
    async def __call__(self, scope, receive, send):
        await manager.handle_request(scope, receive, send)
"""
ASGI_FUNCTION = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await Starlette(lifespan=lifespan)(scope, receive, send)
    else:
        await manager.handle_request(scope, receive, send)
"""
REQUEST_FUNCTION = """
async def post(request):
    class Passed(Response):
        async def __call__(self, scope, receive, send):
            await manager.handle_request(scope, receive, send)

    return Passed()

app = Starlette(routes=[Route("/mcp", post, methods=["GET", "POST", "DELETE"])], lifespan=lifespan)
"""
HTTP_SSE = "the MCP endpoint /sse uses the HTTP+SSE transport"
LOOPBACK = "answers 421 to every host name except those of its own machine"
ONCE = "its session manager can start once"
NOT_STARTED = "nothing starts its session manager"
REDIRECT = "the MCP endpoint is /mcp/, and /mcp only redirects to it"
EVERYTHING = "app at /{proxy:path} takes every path"

SERVERS = [
    server("MCPServer's object", MCP, app="mcp", handler="", expected="warned", message=LOOPBACK),
    server("MCPServer's application", MCP, "app = mcp.streamable_http_app(stateless_http=True)", handler="",
           expected="warned", message=LOOPBACK),
    server("MCPServer at every address", MCP, 'app = mcp.streamable_http_app(stateless_http=True, host="0.0.0.0")',
           handler=""),
    server("MCPServer for every host", MCP, APP, handler=""),
    server("MCPServer for its host", MCP, ALLOWED_HOST, handler=""),
    server("MCPServer with sessions", MCP, 'app = mcp.streamable_http_app(host="0.0.0.0")', handler=""),
    server("MCPServer with a custom route", MCP, CUSTOM_ROUTE, APP, handler=""),
    server("MCPServer in Mangum", MCP, APP, HANDLER, expected="warned", message=ONCE),
    server("MCPServer with one lifespan on Lambda", MCP, APP, ONE_LIFESPAN),
    server("MCPServer with sessions on Lambda", MCP, APP_FOR_EACH_EVENT.replace("stateless_http=True, ", ""),
           app="create_app", expected="warned", message="keeps sessions"),
    server("MCPServer for each event", MCP, APP_FOR_EACH_EVENT, app="create_app"),
    server("MCPServer at a path", MCP,
           'app = mcp.streamable_http_app(streamable_http_path="/v3/mcp", stateless_http=True, '
           "transport_security=every_host)", ONE_LIFESPAN, endpoints=("/v3/mcp",)),
    server("MCPServer in a mount", MCP, INNER,
           'app = Starlette(routes=[Mount("/", inner)], lifespan=lifespan)', handler=""),
    server("MCPServer in a mount without the lifespan", MCP, INNER, 'app = Starlette(routes=[Mount("/", inner)])',
           handler="", expected="warned", message=NOT_STARTED),
    server("MCPServer in a mount at the endpoint", MCP,
           'inner = mcp.streamable_http_app(streamable_http_path="/", transport_security=every_host)',
           'app = Starlette(routes=[Mount("/mcp", inner)], lifespan=lifespan)', handler="",
           expected="refused", message=REDIRECT),
    server("MCPServer with HTTP+SSE", MCP, 'app = mcp.sse_app(host="0.0.0.0")', handler="",
           endpoints=("/sse",), timeout=1.0, expected="warned", message=HTTP_SSE),
    server("a session manager in a route", LOW_LEVEL,
           'app = Starlette(routes=[Route("/mcp", Endpoint())], lifespan=lifespan)', handler=""),
    server("a session manager in a route, in Mangum", LOW_LEVEL,
           'app = Starlette(routes=[Route("/mcp", Endpoint())], lifespan=lifespan)', HANDLER,
           expected="warned", message=ONCE),
    server("a session manager in a route without the lifespan", LOW_LEVEL,
           'app = Starlette(routes=[Route("/mcp", Endpoint())])', handler="", expected="warned", message=NOT_STARTED),
    server("a session manager in a route's function", LOW_LEVEL,
           'app = Starlette(routes=[Route("/mcp", handle_mcp, methods=["POST"])], lifespan=lifespan)', handler="",
           expected="warned", message="Starlette calls the function of a Route with one request"),
    server("a session manager in a mounted function", LOW_LEVEL,
           'app = Starlette(routes=[Mount("/mcp", app=handle_mcp)], lifespan=lifespan)', handler="",
           expected="refused", message=REDIRECT),
    server("a session manager's method in a mount", LOW_LEVEL,
           'app = Starlette(routes=[Mount("/mcp", app=manager.handle_request)], lifespan=lifespan)', handler="",
           expected="refused", message=REDIRECT),
    server("a session manager in a response", LOW_LEVEL, REQUEST_FUNCTION, handler=""),
    server("a session manager in an ASGI function", LOW_LEVEL, ASGI_FUNCTION, handler="",
           expected="refused", message=EVERYTHING),
    server("a session manager in an ASGI function, with the advice", LOW_LEVEL, ASGI_FUNCTION, handler="",
           table='own = ["/mcp"]', expected="warned", message=EVERYTHING, works=True),
    server("the application of a low-level server", LOW_LEVEL,
           'app = server.streamable_http_app(stateless_http=True, host="0.0.0.0")', handler=""),
    server("the object of a low-level server", LOW_LEVEL, app="server", handler="",
           expected="refused", message="server is of type Server, which is not an application"),
]  # fmt: skip
