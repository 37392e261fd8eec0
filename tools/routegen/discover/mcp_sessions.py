"""Find the session manager behind an MCP endpoint, and whether the endpoint keeps sessions.

An endpoint that keeps sessions answers later requests only in the process that has answered the first one. On Lambda,
another instance answers 404 `Session not found` (MCP 2025-11-25, "Transports", "Session Management").
"""

from types import FunctionType, MethodType
from typing import Any

from routegen.discover.lifespan import values_of_lifespan
from routegen.discover.unwrap import call_function, closure_variables, global_variables, has_class, nested_code

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
    endpoints = [value for value in wrapped_endpoints(endpoint) if is_transport(value)]
    functions = [value for value in values_of_lifespan(router) if isinstance(value, FunctionType)] if endpoints else []
    for variables in map(closure_variables, functions):
        is_owner = any(value is variables.get("streamable_http_app") for value in endpoints)
        if is_owner and "stateless_http" in variables:
            return not variables["stateless_http"]
    return None


def is_transport(value: Any) -> bool:
    """Whether a value is the ASGI application of FastMCP or of the official SDK that calls a session manager."""
    return any(cls.__name__ == "StreamableHTTPASGIApp" for cls in type(value).__mro__)


def _reachable_values(endpoint: Any) -> list[Any]:
    values: list[Any] = []
    for value in wrapped_endpoints(endpoint):
        function = call_function(value)
        if not isinstance(value, FunctionType | MethodType):
            values += getattr(value, "__dict__", {}).values()
        # A function that only mentions a manager, for example to report its state, is no endpoint.
        if function is not None and any("handle_request" in code.co_names for code in nested_code(function)):
            values += closure_variables(function).values()
            values += global_variables(function).values()
            values += getattr(getattr(value, "__self__", None), "__dict__", {}).values()
    return values


def wrapped_endpoints(endpoint: Any) -> list[Any]:
    """Return the endpoint and each endpoint inside its middleware, the outermost first."""
    endpoints: list[Any] = []
    while endpoint is not None and len(endpoints) < _MAX_WRAPPERS:
        endpoints.append(endpoint)
        endpoint = getattr(endpoint, "app", None)
    return endpoints
