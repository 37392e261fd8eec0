"""Driving an app as a task for the process that has imported it."""

from typing import Any

from routegen.discover import as_asgi, find
from routegen.prove.drive import drive
from routegen.prove.requests import requests


def carry_out(app: Any) -> dict[str, Any]:
    """What the app serves and what came of every request, for JSON: `{"served": [...], "seen": [...]}`."""
    app = as_asgi(app)
    found = find(app)
    served = [one.served for one in found]
    seen = drive(app, found, requests(served))
    return {"served": [entry.as_data() for entry in served], "seen": [one.as_data() for one in seen]}
