"""Driving an app as a task for the process that has loaded it."""

from collections.abc import Callable
from typing import Any

from routegen.discover import discover_routes, resolve_asgi_app
from routegen.discover.unwrap import base_path
from routegen.prove.driver import WithoutBasePath, drive_app


def run_task(app: Any, exchange: Callable[[dict[str, Any]], list[tuple[str, str]]]) -> dict[str, Any]:
    """Report what an app serves, send it the requests of the reply, and return data for JSON: `{"driven": [...]}`.

    Args:
        app: the app.
        exchange: takes the data of `ServedRoutes`, and returns the requests. It ends the load time-out, because
            driving can take longer.
    """
    prefix = base_path(app)
    app = app if prefix else resolve_asgi_app(app)
    routes, served = discover_routes(app)
    requests = exchange(served.as_data())
    app = WithoutBasePath(resolve_asgi_app(app), prefix) if prefix else app
    return {"driven": [request.as_data() for request in drive_app(app, routes, requests)]}
