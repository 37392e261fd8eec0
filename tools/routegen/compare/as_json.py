"""Differences for scripts."""

from collections.abc import Iterable
from typing import Any

from routegen.compare.differences import Added, Changed, DefaultChanged, Difference, Removed
from routegen.compare.text import consequence, label
from routegen.manifest import Manifest, Route


def as_json(differences: Iterable[Difference], wanted: Manifest) -> list[dict[str, Any]]:
    """One object a difference: `kind`, `path`, `before`, `after` (the entries, or null) and `message`."""
    return [_object(difference, wanted) for difference in differences]


def _object(difference: Difference, wanted: Manifest) -> dict[str, Any]:
    before: Any = None
    after: Any = None
    match difference:
        case Added(route):
            path, after = route.path, _entry(route)
        case Removed(route):
            path, before = route.path, _entry(route)
        case Changed(old, new):
            path, before, after = new.path, _entry(old), _entry(new)
        case DefaultChanged(before, after):
            path = "$default"
    return {
        "kind": label(difference),
        "path": path,
        "before": before,
        "after": after,
        "message": consequence(difference, wanted),
    }


def _entry(route: Route) -> dict[str, Any]:
    return route.model_dump(mode="json", exclude_none=True)
