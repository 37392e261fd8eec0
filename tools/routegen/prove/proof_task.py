"""Driving an app as a task for the process that has imported it."""

from collections.abc import Callable
from typing import Any

from routegen.discover import discover_routes, resolve_asgi_app
from routegen.prove.driver import drive
from routegen.prove.generated_requests import requests


def run_task(app: Any, loaded: Callable[[], object]) -> dict[str, Any]:
    """What the app serves and what came of every request, for JSON: `{"served": [...], "seen": [...]}`.

    Args:
        app: the app.
        loaded: to be called before the driving, which may take longer than an app may take to load.
    """
    app = resolve_asgi_app(app)
    found = discover_routes(app)
    served = [one.served for one in found]
    loaded()
    seen = drive(app, found, requests(served))
    return {"served": [entry.as_data() for entry in served], "seen": [one.as_data() for one in seen]}
