"""Driving an app as a task for the process that has loaded it."""

from collections.abc import Callable
from typing import Any

from routegen.discover import discover_routes, resolve_asgi_app
from routegen.discover.unwrap import base_path
from routegen.prove.driver import WithoutBasePath, drive_app
from routegen.prove.generated_requests import generate_requests


def run_task(app: Any, report_loaded: Callable[[], object]) -> dict[str, Any]:
    """Drive an app, and return data for JSON: `{"served": [...], "driven": [...]}`.

    Args:
        app: the app.
        report_loaded: ends the load time-out; it is called before the app is driven, which can take longer.
    """
    prefix = base_path(app)
    app = app if prefix else resolve_asgi_app(app)
    routes = discover_routes(app)
    served_paths = [route.served for route in routes]
    report_loaded()
    app = WithoutBasePath(resolve_asgi_app(app), prefix) if prefix else app
    driven = drive_app(app, routes, generate_requests(served_paths))
    return {
        "served": [served.as_data() for served in served_paths],
        "driven": [request.as_data() for request in driven],
    }
