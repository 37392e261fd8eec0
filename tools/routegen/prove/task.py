"""Driving an app as a task for the process that has imported it."""

from collections.abc import Callable
from typing import Any

from routegen.discover import as_asgi, find
from routegen.prove.drive import drive
from routegen.prove.requests import requests


def carry_out(app: Any, loaded: Callable[[], object]) -> dict[str, Any]:
    """What the app serves and what came of every request, for JSON: `{"served": [...], "seen": [...]}`.

    Args:
        app: the app.
        loaded: to be called before the driving, which may take longer than an app may take to load.
    """
    app = as_asgi(app)
    found = find(app)
    served = [one.served for one in found]
    loaded()
    seen = drive(app, found, requests(served))
    return {"served": [entry.as_data() for entry in served], "seen": [one.as_data() for one in seen]}
