"""Find the route table inside an app's wrappers: server objects, Lambda handlers, middleware, closures."""

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import ismemberdescriptor
from types import CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
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


def base_path(handler: Any) -> str:
    """Return the path that a Lambda handler takes off the requests (Mangum's `api_gateway_base_path`), or nothing."""
    path = str(handler.config["api_gateway_base_path"]).strip("/") if is_lambda_handler(handler) else ""
    return f"/{path}" if path else ""


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
    return _unwrap(app)[0]


def find_wrappers(app: Any) -> list[Any]:
    """Return the objects through which the route table is found: each middleware, and the application itself."""
    return _unwrap(app)[1]


def _unwrap(app: Any) -> tuple[Any, list[Any]]:
    for names in (_APP_ATTRIBUTES, None):
        visited: dict[int, Any] = {}
        tables = list(_route_tables(app, names, visited))
        if len(tables) == 1:
            return tables[0], list(visited.values())
    return None, []


def _route_tables(app: Any, attributes: tuple[str, ...] | None, visited: dict[int, Any]) -> Iterator[Any]:
    """Yield each route table that can be reached from an app."""
    app = resolve_asgi_app(app)
    if id(app) in visited or len(visited) > _MAX_VALUES:
        return
    visited[id(app)] = app
    if has_class(getattr(app, "url_map", None), "werkzeug.routing.map.Map"):
        yield app
        return
    router = getattr(app, "router", app)
    if isinstance(getattr(router, "routes", None), list):
        if router is app or id(router) not in visited:
            visited[id(router)] = router
            yield router
        return
    for inner in _inner_values(app, attributes):
        yield from _route_tables(inner, attributes, visited)


def _inner_values(app: Any, attributes: tuple[str, ...] | None) -> Iterator[Any]:
    """Yield the values in a function's closure, or in an object's attributes, that can be an app."""
    values: list[Any] = []
    if isinstance(app, FunctionType):
        values = [*closure_variables(app).values(), *_global_apps(app)]
    elif isinstance(app, MethodType):
        values = [app.__self__]
    elif isinstance(app, functools.partial):
        values = [app.func, *app.args, *app.keywords.values()]
    elif callable(app) and not isinstance(app, type):
        values = [getattr(app, name, None) for name in (attributes or attribute_names(app))]
        if attributes is None:
            values += _global_apps(call_function(app))
    for value in values:
        if callable(value) and not isinstance(value, type | ModuleType):
            yield value


def _global_apps(function: FunctionType | None) -> list[Any]:
    """Return the global variables that an ASGI function uses: one of them can be the app that it calls."""
    if function is None or "scope" not in function.__code__.co_varnames[: function.__code__.co_argcount]:
        return []
    return list(global_variables(function).values())


def instance_variables(value: Any) -> Mapping[str, Any]:
    """Return an object's `__dict__`; empty if it has none, or another object that has this name, as some proxies do."""
    try:
        variables = value.__dict__
    except Exception:  # noqa: BLE001 - a proxy without its object can raise any error
        return {}
    return variables if isinstance(variables, dict | MappingProxyType) else {}


def attribute_names(value: Any) -> list[str]:
    """Return the names of an object's own attributes, also of those that its classes declare as slots."""
    members = [name for cls in type(value).__mro__ for name, member in vars(cls).items() if ismemberdescriptor(member)]
    return [*instance_variables(value), *members]


def has_slot(value: Any, name: str) -> bool:
    """Whether one of an object's classes declares a slot with this name."""
    return any(ismemberdescriptor(vars(cls).get(name)) for cls in type(value).__mro__)


def closure_variables(function: FunctionType) -> dict[str, Any]:
    """Return the variables in a function's closure that have a value."""
    variables = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # a variable that has no value yet
            variables[name] = cell.cell_contents
    return variables


def global_variables(function: FunctionType) -> dict[str, Any]:
    """Return the global variables that a function uses, also in the functions inside it."""
    names = {name for code in nested_code(function) for name in code.co_names}
    return {name: function.__globals__[name] for name in sorted(names) if name in function.__globals__}


def reachable_values(start: Any, parts_of: Callable[[Any], Iterable[Any]], limit: int) -> Iterator[Any]:
    """Yield a value and the values that can be reached from it, the nearest first, each once.

    Args:
        start: the value.
        parts_of: returns the values inside a value.
        limit: the number of values after which the search ends.
    """
    waiting, visited = deque([start]), dict[int, Any]()
    while waiting and len(visited) < limit:
        value = waiting.popleft()
        if id(value) not in visited:
            visited[id(value)] = value  # a value that lives keeps its id
            yield value
            waiting += parts_of(value)


def nested_code(function: FunctionType) -> Iterator[CodeType]:
    """Yield the code of a function and of each function that is defined inside it."""
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def call_function(value: Any) -> FunctionType | None:
    """Return the function that runs when a value is called; None if it is not written in Python."""
    if isinstance(value, MethodType):
        value = value.__func__
    elif not isinstance(value, FunctionType) and callable(value):
        value = type(value).__call__
    return value if isinstance(value, FunctionType) else None
