"""Recognise the code that answers an MCP endpoint, and find out whether it keeps sessions.

An endpoint passes its requests to a `StreamableHTTPSessionManager` of the official SDK: through its own attributes,
through middleware, or through the variables of a function or a class that users write themselves. An endpoint that
keeps sessions answers later requests only in the process that has answered the first one. On Lambda, another instance
answers 404 `Session not found` (MCP 2025-11-25, "Transports", "Session Management").
"""

from collections.abc import Iterable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from routegen.discover.lifespan import is_written_by_user, values_of_lifespan
from routegen.discover.unwrap import (
    closure_variables,
    global_variables,
    has_class,
    has_slot,
    instance_variables,
    is_server_object,
    nested_code,
    reachable_values,
)

SESSION_MANAGER = "mcp.server.streamable_http_manager.StreamableHTTPSessionManager"
_TEXTS_OF_A_SERVER = {"serverInfo", "tools/list"}
"""A server that treats the protocol itself names both: a field of its answer, and a method (MCP 2025-11-25)."""
_MAX_WRAPPERS, _MAX_VALUES, _MAX_TEXTS = 20, 200, 10_000


def find_session_manager(endpoint: Any) -> Any:
    """Return the `StreamableHTTPSessionManager` to which an endpoint passes its requests; None if there is none."""
    return next((value for value in endpoint_parts(endpoint) if has_class(value, SESSION_MANAGER)), None)


def find_transport(endpoint: Any) -> Any:
    """Return FastMCP's or the official SDK's ASGI application that calls a session manager; None if there is none."""
    return next((value for value in endpoint_parts(endpoint) if _is_transport(value)), None)


def calls_unknown_manager(endpoint: Any) -> bool:
    """Whether an endpoint calls `handle_request(scope, receive, send)` of an object that exists only at run time."""
    functions = (function for value in endpoint_parts(endpoint) for function in called_functions(value))
    return any({"handle_request", "receive"} <= _names(function) for function in functions)


def is_written_by_hand(endpoint: Any) -> bool:
    """Whether an endpoint treats the methods of MCP itself, without an SDK."""
    return set(_texts(endpoint)) >= _TEXTS_OF_A_SERVER


def keeps_sessions(endpoint: Any, router: Any) -> bool | None:
    """Whether an MCP endpoint keeps sessions; None if that cannot be told.

    FastMCP makes its session manager when the application starts, with the setting that the application's lifespan
    function has in its closure.

    Args:
        endpoint: the endpoint of the route.
        router: the router that has the route.
    """
    manager = find_session_manager(endpoint)
    if manager is not None:
        stateless = getattr(manager, "stateless", None)
        return None if stateless is None else not stateless
    transport = find_transport(endpoint)
    functions = [value for value in values_of_lifespan(router) if isinstance(value, FunctionType)] if transport else []
    for variables in map(closure_variables, functions):
        if variables.get("streamable_http_app") is transport and "stateless_http" in variables:
            return not variables["stateless_http"]
    return None


def wrapped_endpoints(endpoint: Any) -> list[Any]:
    """Return the endpoint and each endpoint inside its middleware, the outermost first."""
    endpoints: list[Any] = []
    while endpoint is not None and len(endpoints) < _MAX_WRAPPERS:
        endpoints.append(endpoint)
        endpoint = getattr(endpoint, "app", None)
    return endpoints


def endpoint_parts(endpoint: Any) -> Iterator[Any]:
    """Return an endpoint and each object to which it can pass its requests, the nearest first."""
    start = endpoint if _can_answer(endpoint) else None
    return reachable_values(start, lambda value: filter(_can_answer, _targets(value)), _MAX_VALUES)


def _is_transport(value: Any) -> bool:
    return any(cls.__name__ == "StreamableHTTPASGIApp" for cls in type(value).__mro__)


def _can_answer(value: Any) -> bool:
    if is_server_object(value) or isinstance(value, ModuleType):
        return False
    return callable(value) or has_class(value, SESSION_MANAGER)


def _targets(value: Any) -> list[Any]:
    """Return the objects to which a part of an endpoint can pass a request."""
    if has_class(value, SESSION_MANAGER):
        return []
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    routes = getattr(getattr(value, "router", value), "routes", None)
    if isinstance(routes, list):  # an application inside the endpoint
        return [getattr(route, "endpoint", getattr(route, "app", None)) for route in routes]
    targets = [getattr(value, "__wrapped__", None), getattr(value, "__self__", None), getattr(value, "app", None)]
    for function in called_functions(value):
        if _passes_requests(function):
            targets += _used_values(function, getattr(value, "__self__", value))
    return targets


def called_functions(value: Any) -> list[FunctionType]:
    """Return the functions that can run when a value is called: the function itself, or the methods of its class."""
    if isinstance(value, FunctionType | MethodType):
        function = getattr(value, "__func__", value)
        return [function] if isinstance(function, FunctionType) else []
    cls = value if isinstance(value, type) else type(value)
    methods = (method for base in cls.__mro__ for method in vars(base).values())
    return [method for method in methods if isinstance(method, FunctionType)]


def _names(function: FunctionType) -> set[str]:
    return {name for code in nested_code(function) for name in (*code.co_names, *code.co_varnames)}


def _passes_requests(function: FunctionType) -> bool:
    """Whether a function treats the arguments of ASGI; one that only reports the state of a manager is no endpoint."""
    names = _names(function)
    return {"scope", "receive"} <= names or "handle_request" in names


def _used_values(function: FunctionType, owner: Any) -> list[Any]:
    """Return the variables that a function uses, and those attributes of them whose names it uses."""
    names = {name for code in nested_code(function) for name in code.co_names}
    dependencies = [getattr(default, "dependency", None) for default in function.__defaults__ or ()]
    values = [owner, *closure_variables(function).values(), *global_variables(function).values()]
    for dependency in dependencies:  # `Depends(...)` of FastAPI
        if isinstance(dependency, FunctionType):
            values += [*closure_variables(dependency).values(), *global_variables(dependency).values()]
    attributes = [attribute for value in values for attribute in _attributes(value, names)]
    return [*values, *attributes, *(inner for value in attributes for inner in _attributes(value, names))]


def _attributes(value: Any, names: set[str]) -> Iterator[Any]:
    """Yield the attributes of an object that have one of these names; no property runs for it."""
    own = variables = instance_variables(value)
    if isinstance(state := own.get("_state"), dict):  # starlette.datastructures.State
        variables = state
    for name in names:
        if name in variables:
            yield variables[name]
        elif name in own or has_slot(value, name):
            yield getattr(value, name, None)


def _texts(endpoint: Any) -> Iterator[str]:
    """Yield the texts in the code of an endpoint, in the functions of its project that it calls, and in its values."""
    values = reachable_values(wrapped_endpoints(endpoint), _parts_with_texts, _MAX_TEXTS)
    yield from (value for value in values if isinstance(value, str))


def _parts_with_texts(value: Any) -> Iterable[Any]:
    parts: Iterable[Any] = ()
    match value:
        case CodeType():
            parts = value.co_consts
        case dict():
            parts = [*value, *value.values()]
        case list() | tuple() | set() | frozenset():
            parts = value
        case FunctionType() if is_written_by_user(value):
            parts = [value.__code__, *closure_variables(value).values(), *global_variables(value).values()]
        case MethodType():
            parts = [value.__func__, type(value.__self__)]
        case type():
            parts = called_functions(value)
        case _ if callable(value):
            parts = [type(value)]
    return parts
