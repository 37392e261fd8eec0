"""Discovery as a task for the process that has loaded an app."""

from typing import Any

from routegen.discover.walk import discover_routes


def run_task(app: Any, _exchange: object) -> dict[str, Any]:
    """Return what the app serves, as data of `ServedRoutes`.

    Discovery counts towards the load time-out, so it does not report that the app is loaded.
    """
    return discover_routes(app)[1].as_data()
