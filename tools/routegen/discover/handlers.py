"""Qualified names of the code that answers a request, through the wrappers around it.

FastMCP wraps its endpoints: `RequireAuthMiddleware(StreamableHTTPASGIApp)`, or CORS middleware around a function that
`starlette.routing.request_response` made of `TokenHandler.handle`. The role of a path follows from the whole chain,
not from the outermost wrapper.
"""

import functools
from collections.abc import Iterator
from typing import Any

from routegen.discover.mcp_endpoints import (
    SESSION_MANAGER,
    calls_unknown_manager,
    find_session_manager,
    find_transport,
    is_written_by_hand,
)

WRITTEN_BY_HAND = "mcp.written-by-hand"
"""Stands among the names of the code for an MCP endpoint that uses no SDK."""

_MAX_WRAPPERS = 20


def qualified_name(value: Any) -> str:
    """Return `module.qualname` of a function, a bound method or a class, or of an instance's class."""
    if hasattr(value, "__self__") and hasattr(value, "__func__"):
        value = value.__func__
    definition = value if hasattr(value, "__qualname__") else type(value)
    return f"{definition.__module__}.{definition.__qualname__}"


def handler_names(endpoint: Any) -> tuple[str, ...]:
    """Return the qualified names from the outermost wrapper to the endpoint, each with those of its base classes."""
    names = [name for value in unwrap_handler(endpoint) for name in _names_with_bases(value)]
    if (manager := find_session_manager(endpoint)) is not None:
        names += [f"{name}.handle_request" for name in _names_with_bases(manager)]
    elif (transport := find_transport(endpoint)) is not None:
        names += [name for name in _names_with_bases(transport) if name not in names]
    elif calls_unknown_manager(endpoint):
        names.append(f"{SESSION_MANAGER}.handle_request")
    elif is_written_by_hand(endpoint):
        names.append(WRITTEN_BY_HAND)
    return tuple(names)


def unwrap_handler(endpoint: Any) -> Iterator[Any]:
    """Yield an endpoint and everything inside its wrappers, the outermost wrapper first."""
    current = endpoint
    for _ in range(_MAX_WRAPPERS):
        if current is None:
            break
        if isinstance(current, functools.partial):
            # Starlette runs a plain function as partial(run_in_threadpool, function).
            in_thread = qualified_name(current.func) == "starlette.concurrency.run_in_threadpool"
            current = current.args[0] if in_thread else current.func
            continue
        yield current
        current = _wrapped(current)


def _names_with_bases(value: Any) -> list[str]:
    """Return a handler's names; FastMCP derives its own handlers from the SDK's, so its base classes count too."""
    owner = getattr(value, "__self__", None)
    if owner is not None and hasattr(value, "__func__"):
        method = value.__func__.__name__
        classes = [cls for cls in type(owner).__mro__ if method in vars(cls)]
        return [f"{cls.__module__}.{cls.__qualname__}.{method}" for cls in classes] or [qualified_name(value)]
    if hasattr(value, "__qualname__"):
        return [qualified_name(value)]
    return [f"{cls.__module__}.{cls.__qualname__}" for cls in type(value).__mro__ if cls is not object]


def _wrapped(value: Any) -> Any:
    """Return the object that `value` wraps; None if `value` is the endpoint."""
    if (inner := getattr(value, "__wrapped__", None)) is not None:
        return inner
    if value.__class__.__name__ == "function":
        return _from_closure(value)
    inner = getattr(value, "app", None)
    return inner if callable(inner) and not hasattr(value, "__func__") else None


def _from_closure(function: Any) -> Any:
    """Return the endpoint in the closure of a function that `starlette.routing.request_response` made."""
    if function.__module__ != "starlette.routing" or function.__closure__ is None:
        return None
    cells = dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))
    cell = cells.get("f") or cells.get("func")
    return cell.cell_contents if cell is not None else None
