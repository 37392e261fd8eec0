"""Find the route table inside an app's wrappers: FastMCP servers, middleware, functions around an app."""

from types import FunctionType
from typing import Any

_MAX_WRAPPERS = 20
# The attributes in which ASGI and WSGI middleware keeps the app that it wraps.
_APP_ATTRIBUTES = ("app", "_app", "asgi_app", "application", "asgi", "inner", "wrapped", "wsgi_app")


def has_class(value: Any, qualified_name: str) -> bool:
    """Whether the value is an instance of a class with this name; the class is not imported for it."""
    return any(f"{cls.__module__}.{cls.__qualname__}" == qualified_name for cls in type(value).__mro__)


def resolve_asgi_app(app: Any) -> Any:
    """Return the ASGI application that answers: `http_app()` of a FastMCP server, and any other app as it is."""
    return app.http_app() if has_class(app, "fastmcp.server.server.FastMCP") else app


def find_route_table(app: Any) -> Any:
    """Return the object that holds an app's route table: a router or a Flask application; None if there is none.

    A FastMCP server's table is that of its `http_app()`, which has the routes of its auth provider too. Middleware is
    unwrapped as long as it wraps exactly one app.
    """
    for _ in range(_MAX_WRAPPERS):
        app = resolve_asgi_app(app)
        if has_class(getattr(app, "url_map", None), "werkzeug.routing.map.Map"):
            return app
        router = getattr(app, "router", app)
        if isinstance(getattr(router, "routes", None), list):
            return router
        apps = _wrapped_apps(app)
        if len(apps) != 1:
            return None
        app = apps[0]
    return None


def _wrapped_apps(app: Any) -> list[Any]:
    """Return the apps in a function's closure, or in an object's usual attributes."""
    if isinstance(app, FunctionType):
        cells = [cell.cell_contents for cell in app.__closure__ or ()]
        return [value for value in cells if callable(value) and not isinstance(value, type)]
    attributes = vars(app) if hasattr(app, "__dict__") else {}
    return [attributes[name] for name in _APP_ATTRIBUTES if callable(attributes.get(name))]
