"""Discovery as a task for the process that has loaded an app."""

from collections.abc import Callable
from typing import Any

from routegen.discover.walk import discover_paths


def run_task(app: Any, _report_loaded: Callable[[], object]) -> dict[str, Any]:
    """Return the paths that the app serves, as data for JSON: `{"served": [...]}`.

    Discovery counts towards the load time-out, so it does not report that the app is loaded.
    """
    return {"served": [served.as_data() for served in discover_paths(app)]}
