"""Discovery as a task for the process that has imported an app."""

from typing import Any

from routegen.discover.walk import discover


def carry_out(app: Any) -> dict[str, Any]:
    """What the app serves, for JSON: `{"served": [...]}`."""
    return {"served": [entry.as_data() for entry in discover(app)]}
