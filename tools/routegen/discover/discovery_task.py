"""Discovery as a task for the process that has imported an app."""

from collections.abc import Callable
from typing import Any

from routegen.discover.walk import discover


def carry_out(app: Any, _loaded: Callable[[], object]) -> dict[str, Any]:
    """What the app serves, for JSON: `{"served": [...]}`. It belongs to the loading, so it says nothing of its end."""
    return {"served": [entry.as_data() for entry in discover(app)]}
