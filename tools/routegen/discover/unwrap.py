"""Finding the route table inside what wraps it: FastMCP servers, middleware, functions around an app."""

from types import FunctionType
from typing import Any

_MAX_WRAPPERS = 20
# What ASGI and WSGI middleware calls the app that it wraps.
_ATTRIBUTES = ("app", "_app", "asgi_app", "application", "asgi", "inner", "wrapped", "wsgi_app")


def is_a(value: Any, qualified_name: str) -> bool:
    """Whether a class of this name is among the value's classes."""
    return any(f"{cls.__module__}.{cls.__qualname__}" == qualified_name for cls in type(value).__mro__)


def as_asgi(app: Any) -> Any:
    """The application that answers: a FastMCP server's `http_app()`, and everything else as it is."""
    return app.http_app() if is_a(app, "fastmcp.server.server.FastMCP") else app


def table_of(app: Any) -> Any:
    """What holds an app's route table: a router, a Flask application, or None for an app that can't be walked.

    A FastMCP server stands for its `http_app()`, which holds what its auth provider adds. Middleware is looked
    through as long as it wraps one app.
    """
    for _ in range(_MAX_WRAPPERS):
        app = as_asgi(app)
        if is_a(getattr(app, "url_map", None), "werkzeug.routing.map.Map"):
            return app
        router = getattr(app, "router", app)
        if isinstance(getattr(router, "routes", None), list):
            return router
        inside = _wrapped(app)
        if len(inside) != 1:
            return None
        app = inside[0]
    return None


def _wrapped(app: Any) -> list[Any]:
    """The apps that a function keeps in its closure, or an object under one of the usual names."""
    if isinstance(app, FunctionType):
        cells = [cell.cell_contents for cell in app.__closure__ or ()]
        return [value for value in cells if callable(value) and not isinstance(value, type)]
    kept = vars(app) if hasattr(app, "__dict__") else {}
    return [kept[name] for name in _ATTRIBUTES if callable(kept.get(name))]
