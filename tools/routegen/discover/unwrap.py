"""Find the route table inside an app's wrappers: server objects, Lambda handlers, middleware, closures."""

import contextlib
import functools
from collections.abc import Iterator
from inspect import ismemberdescriptor
from types import FunctionType, MethodType, ModuleType
from typing import Any

_MAX_VALUES = 500
_SERVER_OBJECTS = {
    "fastmcp.server.server.FastMCP": "http_app",
    # The official SDK, version 1 and version 2.
    "mcp.server.fastmcp.server.FastMCP": "streamable_http_app",
    "mcp.server.mcpserver.server.MCPServer": "streamable_http_app",
}
"""Classes of MCP servers, each with the method that returns its ASGI application."""

LAMBDA_HANDLERS = ("mangum.adapter.Mangum",)
"""Classes of Lambda handlers that keep their ASGI application in `app`."""

# The attributes in which ASGI and WSGI middleware usually keeps the app that it wraps.
_APP_ATTRIBUTES = ("app", "_app", "asgi_app", "application", "asgi", "inner", "wrapped", "wsgi_app")


def has_class(value: Any, qualified_name: str) -> bool:
    """Whether the value is an instance of a class with this name; the class is not imported for it."""
    return any(f"{cls.__module__}.{cls.__qualname__}" == qualified_name for cls in type(value).__mro__)


def is_server_object(value: Any) -> bool:
    """Whether the value is a server of FastMCP or of the official MCP SDK, and not an ASGI application itself."""
    return any(has_class(value, name) for name in _SERVER_OBJECTS)


def is_lambda_handler(value: Any) -> bool:
    """Whether the value is a Lambda handler whose ASGI application can be found, such as Mangum."""
    return any(has_class(value, name) for name in LAMBDA_HANDLERS)


def resolve_asgi_app(app: Any) -> Any:
    """Return the ASGI application of an MCP server object or a Mangum handler, and any other app as it is."""
    for name, method in _SERVER_OBJECTS.items():
        if has_class(app, name):
            return getattr(app, method)()
    return resolve_asgi_app(app.app) if is_lambda_handler(app) else app


def find_route_table(app: Any) -> Any:
    """Return the object that holds an app's route table: a router or a Flask application; None if there is none.

    Middleware is unwrapped as long as exactly one route table is inside it. The attributes that middleware usually has
    come first, then every attribute.
    """
    for names in (_APP_ATTRIBUTES, None):
        tables = list(_route_tables(app, names, set()))
        if len(tables) == 1:
            return tables[0]
    return None


def _route_tables(app: Any, attributes: tuple[str, ...] | None, visited: set[int]) -> Iterator[Any]:
    """Yield each route table that can be reached from an app."""
    app = resolve_asgi_app(app)
    if id(app) in visited or len(visited) > _MAX_VALUES:
        return
    visited.add(id(app))
    if has_class(getattr(app, "url_map", None), "werkzeug.routing.map.Map"):
        yield app
        return
    router = getattr(app, "router", app)
    if isinstance(getattr(router, "routes", None), list):
        if router is app or id(router) not in visited:
            visited.add(id(router))
            yield router
        return
    for inner in _inner_values(app, attributes):
        yield from _route_tables(inner, attributes, visited)


def _inner_values(app: Any, attributes: tuple[str, ...] | None) -> Iterator[Any]:
    """Yield the values in a function's closure, or in an object's attributes, that can be an app."""
    values: list[Any] = []
    if isinstance(app, FunctionType):
        values = list(closure_variables(app).values())
    elif isinstance(app, MethodType):
        values = [app.__self__]
    elif isinstance(app, functools.partial):
        values = [app.func, *app.args, *app.keywords.values()]
    elif callable(app) and not isinstance(app, type):
        values = [getattr(app, name, None) for name in (attributes or _attribute_names(app))]
    for value in values:
        if callable(value) and not isinstance(value, type | ModuleType):
            yield value


def _attribute_names(value: Any) -> list[str]:
    """Return the names of an object's own attributes, also of those that its classes declare as slots."""
    members = [name for cls in type(value).__mro__ for name, member in vars(cls).items() if ismemberdescriptor(member)]
    return [*getattr(value, "__dict__", ()), *members]


def closure_variables(function: FunctionType) -> dict[str, Any]:
    """Return the variables in a function's closure that have a value."""
    variables = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # a variable that has no value yet
            variables[name] = cell.cell_contents
    return variables
