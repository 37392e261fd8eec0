"""Find the session manager behind an MCP endpoint, and whether the endpoint keeps sessions.

An endpoint that keeps sessions answers later requests only in the process that has answered the first one. On Lambda,
another instance answers 404 `Session not found` (MCP 2025-11-25, "Transports", "Session Management").
"""

from types import FunctionType, MethodType
from typing import Any

from routegen.discover.unwrap import closure_variables, has_class

_MANAGER = "mcp.server.streamable_http_manager.StreamableHTTPSessionManager"
_MAX_WRAPPERS = 20


def find_session_manager(endpoint: Any) -> Any:
    """Return the `StreamableHTTPSessionManager` that an endpoint calls; None if there is none.

    It is the endpoint's attribute, as in FastMCP and the official SDK, or a variable of the endpoint's function.
    """
    for value in _reachable_values(endpoint):
        if has_class(value, _MANAGER):
            return value
    return None


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
    variables = _lifespan_variables(router)
    is_owner = any(value is variables.get("streamable_http_app") for value in _wrapped_endpoints(endpoint))
    return not variables["stateless_http"] if is_owner and "stateless_http" in variables else None


def _reachable_values(endpoint: Any) -> list[Any]:
    values: list[Any] = []
    for value in _wrapped_endpoints(endpoint):
        function = _function_of(value)
        if not isinstance(value, FunctionType | MethodType):
            values += getattr(value, "__dict__", {}).values()
        # A function that only mentions a manager, for example to report its state, is no endpoint.
        if function is not None and "handle_request" in function.__code__.co_names:
            names = function.__code__.co_names
            values += closure_variables(function).values()
            values += [function.__globals__[name] for name in names if name in function.__globals__]
            values += getattr(getattr(value, "__self__", None), "__dict__", {}).values()
    return values


def _function_of(value: Any) -> FunctionType | None:
    """Return the function that runs when a value is called; None if it is not written in Python."""
    if isinstance(value, MethodType):
        value = value.__func__
    elif not isinstance(value, FunctionType) and callable(value):
        value = type(value).__call__
    return value if isinstance(value, FunctionType) else None


def _wrapped_endpoints(endpoint: Any) -> list[Any]:
    """Return the endpoint and each endpoint inside its middleware, the outermost first."""
    endpoints: list[Any] = []
    while endpoint is not None and len(endpoints) < _MAX_WRAPPERS:
        endpoints.append(endpoint)
        endpoint = getattr(endpoint, "app", None)
    return endpoints


def _lifespan_variables(router: Any) -> dict[str, Any]:
    """Return the variables in the closures of a router's lifespan function and of the functions that it wraps."""
    variables: dict[str, Any] = {}
    function = getattr(router, "lifespan_context", None)
    for _ in range(_MAX_WRAPPERS):
        if not isinstance(function, FunctionType):
            break
        variables |= closure_variables(function)
        function = getattr(function, "__wrapped__", None)
    return variables
