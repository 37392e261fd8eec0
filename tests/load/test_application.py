"""Which objects are accepted as an app, and which messages the others get."""

from types import ModuleType
from typing import Any

import pytest
from routegen.discover import discover_paths
from routegen.load.app_reference import AppReference, resolve_app
from routegen.load.application import AppReferenceError, app_of_handler

pytestmark = pytest.mark.usefixtures("event_loop_of_mangum")

IMPORTS = """
import functools
from fastmcp import FastMCP
from mangum import Mangum
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
"""


FACTORY_METHOD = """
class Factory:
    def make(self): return FastMCP('x').http_app(path='/mcp')
factory = Factory()
"""
GUARD = """
class Guard:
    def __init__(self, guarded): self.guarded = guarded
    async def __call__(self, scope, receive, send): await self.guarded(scope, receive, send)
app = Guard(FastMCP('x').http_app(path='/mcp'))
"""
GUARD_WITH_SLOTS = """
class Guard:
    __slots__ = ('__inside',)
    def __init__(self, inside): self.__inside = inside
    async def __call__(self, scope, receive, send): await self.__inside(scope, receive, send)
app = Guard(Guard(FastMCP('x').http_app(path='/mcp')))
"""
DECORATED = """
def logged(wrapped):
    async def middleware(scope, receive, send): await wrapped(scope, receive, send)
    return middleware
app = logged(FastMCP('x').http_app(path='/mcp'))
"""
GLOBAL = """
inner = FastMCP('x').http_app(path='/mcp')
async def app(scope, receive, send): await inner(scope, receive, send)
"""
GLOBAL_IN_CLASS = """
inner = FastMCP('x').http_app(path='/mcp')
class Guard:
    async def __call__(self, scope, receive, send): await inner(scope, receive, send)
app = Guard()
"""
SDK_SERVER = """
from mcp.server.mcpserver import MCPServer
mcp = MCPServer('x')
app = mcp.streamable_http_app(streamable_http_path='/v3/mcp')
"""


def module_of(source: str) -> ModuleType:
    module = ModuleType("server")
    exec(IMPORTS + source, vars(module))
    return module


def resolve(source: str, attribute: str | None = None) -> Any:
    return resolve_app(module_of(source), AppReference("server.py", attribute))


def paths(app: Any) -> list[str]:
    return [served.path for served in discover_paths(app)]


@pytest.mark.parametrize(
    ("source", "attribute", "message"),
    [
        ("def handler(event, context): ...", "handler",
         "handler takes (event, context), so it is a Lambda handler; name the app that it wraps"),
        ("class Handler:\n    def __call__(self, event, context): ...\nhandler = Handler()", "handler",
         "handler takes (event, context), so it is a Lambda handler"),
        ("def create_app(settings): ...", "create_app",
         "create_app needs an argument 'settings'; name a factory without arguments, for example `def app(): return "),
        ("def create_app(*, settings): ...", "create_app", "create_app needs an argument 'settings'"),
        ("def create_app(host, port, debug): ...", "create_app", "create_app needs the arguments 'host', 'port'"),
        ("async def create_app(): return FastMCP('x').http_app()", "create_app",
         "create_app is an async function, and a factory must return the app without `await`"),
        ("async def create_app(settings): ...", "create_app", "create_app is an async function"),
        ("class App:\n    async def __call__(self, scope, receive, send): ...", "App",
         "App is a class; name an object, or a function without arguments that returns one"),
        ("settings = {'path': '/mcp'}", "settings",
         "settings is of type dict, which is not an application; the module has no app"),
        ("port = 8000\napp = FastMCP('x').http_app()", "port",
         "port is of type int, which is not an application; its apps are app"),
        ("def app(): return None", "app", "app() is of type NoneType, which is not an application"),
        ("def app(): return create\ndef create(name): ...", "app", "app() needs an argument 'name'"),
        ("app = functools.partial(print, 'x')", "nope", "no attribute 'nope'; the module has no app"),
    ],
)  # fmt: skip
def test_an_object_that_is_no_app_is_refused_with_the_remedy(source: str, attribute: str, message: str) -> None:
    with pytest.raises(AppReferenceError) as error:
        resolve(source, attribute)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "attribute"),
    [
        ("app = FastMCP('x').http_app(path='/mcp')", "app"),
        ("app = FastMCP('x')", "app"),
        ("from mcp.server.mcpserver import MCPServer\napp = MCPServer('x')", "app"),
        ("app = Mangum(FastMCP('x').http_app(path='/mcp'))", "app"),
        ("app = CORSMiddleware(FastMCP('x').http_app(path='/mcp'), allow_origins=['*'])", "app"),
        ("app = Mangum(CORSMiddleware(FastMCP('x').http_app(path='/mcp')))", "app"),
        ("def app(): return FastMCP('x').http_app(path='/mcp')", "app"),
        ("def app(path='/mcp'): return FastMCP('x').http_app(path=path)", "app"),
        (FACTORY_METHOD, "factory.make"),
        (GUARD, "app"),
        (GUARD_WITH_SLOTS, "app"),
        (DECORATED, "app"),
        ("app = functools.partial(FastMCP('x').http_app(path='/mcp'))", "app"),
        ("app = functools.partial(FastMCP('x').http_app, path='/mcp')", "app"),
        ("@functools.lru_cache\ndef app(): return FastMCP('x').http_app(path='/mcp')", "app"),
        (GLOBAL, "app"),
        (GLOBAL_IN_CLASS, "app"),
    ],
)  # fmt: skip
def test_servers_handlers_factories_and_middleware_are_accepted(source: str, attribute: str) -> None:
    assert paths(resolve(source, attribute)) == ["/mcp"]


@pytest.mark.parametrize(
    "source",
    [
        "async def app(scope, receive, send): ...",
        "def app(scope, receive, send): ...",
        "def app(environ, start_response): ...",
        "class App:\n    async def __call__(self, scope, receive, send): ...\napp = App()",
        "class App:\n    def __call__(self, environ, respond): ...\napp = App()",
    ],
)
def test_a_callable_with_the_arguments_of_asgi_or_wsgi_is_an_app(source: str) -> None:
    assert paths(resolve(source, "app")) == ["/{proxy:path}"]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("mcp = FastMCP('x')", "/mcp"),
        ("mcp = FastMCP('x')\napp = mcp.http_app(path='/v1/mcp')", "/v1/mcp"),
        ("mcp = FastMCP('x')\napp = CORSMiddleware(mcp.http_app(path='/v1/mcp'))", "/v1/mcp"),
        ("mcp = FastMCP('x')\nhandler = Mangum(mcp.http_app(path='/v2/mcp'))", "/v2/mcp"),
        ("mcp = FastMCP('x')\napp = mcp.http_app(path='/v2/mcp')\nhandler = Mangum(app)", "/v2/mcp"),
        (SDK_SERVER, "/v3/mcp"),
    ],
)  # fmt: skip
def test_without_an_attribute_the_outermost_app_is_taken_and_announced(
    source: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert paths(resolve(source)) == [path]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("routegen: server.py names no attribute; the app is `")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("one = FastMCP('x')\ntwo = FastMCP('y')", ":one or :two"),
        ("mcp = FastMCP('x')\napp = FastMCP('y').http_app()", ":mcp or :app"),
        ("app = Starlette(routes=[])\nhandler = Mangum(Starlette(routes=[]))", ":app or :handler"),
    ],
)
def test_several_apps_are_refused_with_their_names(source: str, names: str) -> None:
    with pytest.raises(AppReferenceError, match=f"holds several apps; name one: {names}$"):
        resolve(source)


HANDLERS = """
app = FastMCP('x').http_app(path='/mcp')
right = Mangum(app)
wrong = Mangum(FastMCP('x').http_app(path='/v2/mcp'))
mcp = FastMCP('x')
stateless = Mangum(mcp.http_app(stateless_http=True))
def create_app(): return FastMCP('x').http_app(path='/v3/mcp')
made = Mangum(create_app())
def function(event, context): ...
"""


def test_the_lambda_handler_is_the_app_that_runs() -> None:
    module = module_of(HANDLERS)
    assert app_of_handler(module, module.app, "right") is module.right
    assert app_of_handler(module, module.mcp, "stateless") is module.stateless
    assert app_of_handler(module, module.create_app(), "made") is module.made, "a factory makes another app each time"
    assert app_of_handler(module, module.app, "function") is module.app, "its app cannot be found"
    assert app_of_handler(module, module.app, "") is module.app


@pytest.mark.parametrize("name", ["app", "mcp"])
def test_a_handler_of_another_app_is_an_error(name: str) -> None:
    module = module_of(HANDLERS)
    with pytest.raises(AppReferenceError, match=r"^the handler 'wrong' serves another app; name :wrong as the app$"):
        app_of_handler(module, getattr(module, name), "wrong")
