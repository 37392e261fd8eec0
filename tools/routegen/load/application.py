"""Decide whether an object is an application, and which object of a module is the app."""

import functools
import inspect
from types import FunctionType, MethodType, ModuleType
from typing import Any

from routegen.discover import discover_paths
from routegen.discover.unwrap import find_route_table, has_class, is_lambda_handler, is_server_object

_ASGI_ARGUMENTS, _WSGI_ARGUMENTS = 3, 2
_MAX_WRAPPERS = 20


class AppReferenceError(Exception):
    """A reference does not name an app; the text gives the reason and the apps that the module has."""


def name_of_only_app(module: ModuleType) -> str:
    """Return the name of a module's app: the outermost one, if the others are inside it.

    Raises:
        AppReferenceError: the module has no app, or several.
    """
    apps = _apps(module)
    outermost = [name for name, app in apps.items() if not any(_contains(outer, app) for outer in apps.values())]
    if len(outermost) == 1:
        return outermost[0]
    if not apps:
        raise AppReferenceError(
            "holds no object that is an ASGI application, an MCP server or a Flask application; "
            "name the app with :ATTRIBUTE"
        )
    raise AppReferenceError(f"holds several apps; name one: {' or '.join(f':{name}' for name in outermost or apps)}")


def apps_hint(module: ModuleType) -> str:
    """Return the end of a message that lists the apps of a module."""
    names = list(_apps(module))
    return f"; its apps are {', '.join(names)}" if names else "; the module has no app"


def app_of_handler(module: ModuleType, app: Any, attribute: str) -> Any:
    """Return a module's Lambda handler in place of `app`, if its application can be found: it is the app that runs.

    Args:
        module: the module that has the handler.
        app: the app, as it was resolved.
        attribute: the name of the handler in the module.

    Raises:
        AppReferenceError: the handler serves other paths.
    """
    handler = getattr(module, attribute, None)
    table = find_route_table(handler) if is_lambda_handler(handler) else None
    if table is None:
        return app
    if table is not find_route_table(app) and _paths(handler) != _paths(app):
        raise AppReferenceError(f"the handler {attribute!r} serves another app; name :{attribute} as the app")
    return handler


def _paths(app: Any) -> set[str]:
    return {served.path for served in discover_paths(app)}


def is_factory(value: Any) -> bool:
    """Whether a call without arguments returns the app: a function without required arguments, also in a wrapper."""
    is_function = isinstance(value, FunctionType | MethodType | functools.partial) or hasattr(value, "__wrapped__")
    return callable(value) and is_function and not inspect.iscoroutinefunction(value) and not _required_arguments(value)


def reason_against(value: Any, name: str) -> str | None:
    """Say why a value is not an application, and what to name in its place; None if it is one."""
    if find_route_table(value) is not None:
        return None
    if isinstance(value, type):
        return f"{name} is a class; name an object, or a function without arguments that returns one"
    if not callable(value):
        return f"{name} is of type {type(value).__qualname__}, which is not an application"
    if _is_asgi_or_wsgi(value):
        return None
    return _reason_against_callable(value, name)


def _is_asgi_or_wsgi(value: Any) -> bool:
    """Whether a callable has the arguments of an application.

    ASGI's callable takes scope, receive and send (ASGI specification, "Applications"); WSGI's callable takes environ
    and start_response (PEP 3333).
    """
    arguments = _required_arguments(value)
    if isinstance(value, FunctionType | MethodType):
        is_asgi = arguments[:1] == ["scope"] or inspect.iscoroutinefunction(value)
        is_wsgi = arguments[:1] in (["environ"], ["env"])
    else:
        is_asgi, is_wsgi = True, arguments != ["event", "context"]
        if not arguments:  # `*args`, or a callable of C without a signature
            return True
    return (is_asgi and len(arguments) == _ASGI_ARGUMENTS) or (is_wsgi and len(arguments) == _WSGI_ARGUMENTS)


def _reason_against_callable(value: Any, name: str) -> str:
    arguments = _required_arguments(value)
    if arguments == ["event", "context"]:
        return f"{name} takes (event, context), so it is a Lambda handler; name the app that it wraps"
    if inspect.iscoroutinefunction(value):
        return (
            f"{name} is an async function, and a factory must return the app without `await`; "
            f"write `app = asyncio.run({name}(...))` in a module and name that"
        )
    noun = "an argument" if len(arguments) == 1 else "the arguments"
    return (
        f"{name} needs {noun} {', '.join(map(repr, arguments))}; name a factory without arguments, "
        f"for example `def app(): return {name}(...)`"
    )


def _required_arguments(function: Any) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable of C has no signature
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [item.name for item in parameters if item.default is item.empty and item.kind not in optional]


def _apps(module: ModuleType) -> dict[str, Any]:
    """Return the module's public objects that are apps: each has a route table, or is an MCP server."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return {name: value for name, value in public.items() if is_server_object(value) or _has_routes(value)}


def _has_routes(value: Any) -> bool:
    if isinstance(value, type | ModuleType | FunctionType) or not callable(value):
        return False
    # A bare router is part of an app, and not the app.
    is_part = hasattr(value, "routes") and not has_class(value, "starlette.applications.Starlette")
    return not is_part and find_route_table(value) is not None


def _contains(outer: Any, inner: Any) -> bool:
    """Whether an app is around another one: middleware, a handler, or the application of a server object."""
    if outer is inner or is_server_object(outer):
        return False
    if is_server_object(inner):
        return _is_made_from(outer, inner)
    is_application = hasattr(outer, "router") or hasattr(outer, "url_map")
    return not is_application and find_route_table(outer) is find_route_table(inner)


def _is_made_from(app: Any, server: Any) -> bool:
    """Whether an app has the routes of an MCP server: FastMCP's state or an endpoint's session manager names it."""
    inner = app
    for _ in range(_MAX_WRAPPERS):
        if inner is None or hasattr(inner, "state"):
            break
        inner = getattr(inner, "app", None)
    if getattr(getattr(inner, "state", None), "fastmcp_server", None) is server:
        return True
    endpoints = [getattr(route, "endpoint", None) for route in getattr(find_route_table(app), "routes", ())]
    managers = [getattr(endpoint, "session_manager", None) for endpoint in endpoints]
    parts = [manager.app for manager in managers if manager is not None]
    return any(part is value for part in parts for value in vars(server).values())
