"""Find out whether an application's lifespan can start a session manager, without running it.

Starlette runs only the lifespan of the outermost application ("Lifespan"), so the lifespan of a mounted application
runs only if the outer one calls it.
"""

import dis
import functools
import logging
import sys
from collections.abc import Iterator, Sequence
from types import FunctionType, MethodType, ModuleType
from typing import Any

from routegen.discover.unwrap import (
    call_function,
    closure_variables,
    find_wrappers,
    global_variables,
    instance_variables,
    nested_code,
    reachable_values,
    resolve_asgi_app,
)

_FRAMEWORKS = ("starlette.", "fastapi.", "fastmcp.", "mcp.", "mangum.")
_LIFESPAN_NAMES = {"lifespan", "lifespan_context", "session_manager"}
_MAX_VALUES = 20_000


def can_start(app: Any, router: Any, target: Any) -> bool:
    """Whether an app's lifespan can start a session manager; True if that cannot be told.

    Args:
        app: the app that runs, with its middleware and its Lambda handler.
        router: the app's outermost router.
        target: the session manager, or the endpoint for which the lifespan makes one.
    """
    if any(_handles_lifespan(wrapper) for wrapper in find_wrappers(app)):
        return True
    reached = list(values_of_lifespan(router))
    is_called = any(value is target or _is_undecidable(value, reached) for value in reached)
    is_called = is_called or len(reached) == _MAX_VALUES
    return is_called and _lifespan_arrives(resolve_asgi_app(app))


class _LifespanArrivedError(Exception):
    """Ends the lifespan before the app's own start-up code runs."""


def _lifespan_arrives(app: Any) -> bool:
    """Whether middleware passes the lifespan on; True if that cannot be told.

    The app gets the scope of a lifespan, and asking for the first event ends it, so only middleware runs.
    """
    has_arrived = False

    async def receive() -> Any:
        nonlocal has_arrived
        has_arrived = True
        raise _LifespanArrivedError

    async def send(_message: Any) -> None: ...

    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    coroutine = app(scope, receive, send)
    try:
        coroutine.send(None)
    except StopIteration:
        return has_arrived
    except Exception:  # noqa: BLE001 - middleware can raise any error
        return True
    coroutine.close()  # it waits for something else
    return True


def values_of_lifespan(router: Any) -> Iterator[Any]:
    """Return each object that a router's lifespan can reach through its variables and their attributes."""
    return reachable_values(router, _parts, _MAX_VALUES)


def _parts(value: Any) -> list[Any]:
    match value:
        case FunctionType():
            variables = {**closure_variables(value), **global_variables(value)}
            parts = [getattr(value, "__wrapped__", None), *(value.__defaults__ or ()), *variables.values()]
        case MethodType():
            parts = [value.__self__, value.__func__]
        case functools.partial():
            parts = [value.func, *value.args, *value.keywords.values()]
        case dict():
            parts = list(value.values())
        case list() | tuple() | set() | frozenset():
            parts = list(value)
        case type() | ModuleType() | logging.Logger():  # a logger reaches each other logger of the process
            parts = []
        case _ if (router := _router_with_lifespan(value)) is not None:  # of an application, only its lifespan
            parts = [router.lifespan_context, *getattr(router, "on_startup", ())]
        case _:
            parts = list(instance_variables(value).values())
    return parts


def _router_with_lifespan(value: Any) -> Any:
    router = getattr(value, "router", value)
    return router if hasattr(router, "lifespan_context") else None


def _handles_lifespan(wrapper: Any) -> bool:
    """Whether a user's middleware treats the lifespan itself: it compares the type of the scope with that word."""
    function = call_function(wrapper)
    if function is None or not is_written_by_user(function):
        return False
    return any("lifespan" in code.co_consts for code in nested_code(function))


def _is_undecidable(value: Any, reached: Sequence[Any]) -> bool:
    """Whether a user's function imports something, or uses a lifespan of an object that is not known before it runs."""
    if not (isinstance(value, FunctionType) and is_written_by_user(value)):
        return False
    codes = list(nested_code(value))
    if any(instruction.opname == "IMPORT_NAME" for code in codes for instruction in dis.get_instructions(code)):
        return True
    uses_lifespan = any(_LIFESPAN_NAMES.intersection(code.co_names) for code in codes)
    return uses_lifespan and all(_router_with_lifespan(other) in (None, reached[0]) for other in reached)


def is_written_by_user(function: FunctionType) -> bool:
    """Whether a function is neither of a framework nor of Python's library."""
    module = str(function.__module__)
    return not module.startswith(_FRAMEWORKS) and module.partition(".")[0] not in sys.stdlib_module_names
