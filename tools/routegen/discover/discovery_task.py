"""Discovery as a task for the process that has loaded an app."""

from typing import Any

from routegen.discover.route_tree import ServedRoutes
from routegen.discover.walk import discover_tree


def run_task(app: Any, _exchange: object) -> dict[str, Any]:
    """Return what the app serves, as data of `ServedRoutes`.

    Discovery counts towards the load time-out, so it does not report that the app is loaded.
    """
    routes, tree = discover_tree(app)
    return ServedRoutes([route.served for route in routes], tree).as_data()
