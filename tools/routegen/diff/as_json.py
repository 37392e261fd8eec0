"""Differences for scripts."""

from collections.abc import Iterable
from typing import Any

from routegen.diff.differences import Added, Changed, DefaultChanged, Difference, Removed, TableOutdated
from routegen.diff.levels import Note, rule_of
from routegen.diff.text import consequence, label, path_of
from routegen.manifest import Manifest, Route


def as_json(differences: Iterable[Difference], wanted: Manifest) -> list[dict[str, Any]]:
    """One object a difference: `kind`, `rule`, `level`, `path`, `before`, `after` (the entries, or null), `message`."""
    return [_object(difference, wanted) for difference in differences]


def note_as_json(note: Note) -> dict[str, Any]:
    """`rule`, `level`, `path`, `message`."""
    return {"rule": note.rule, "level": note.level, "path": note.path, "message": note.text}


def _object(difference: Difference, wanted: Manifest) -> dict[str, Any]:
    rule = rule_of(difference)
    before, after = _sides(difference)
    return {
        "kind": label(difference),
        "rule": rule.id,
        "level": rule.level,
        "path": path_of(difference),
        "before": before,
        "after": after,
        "message": consequence(difference, wanted),
    }


def _sides(difference: Difference) -> tuple[Any, Any]:
    match difference:
        case Added(route):
            return None, _entry(route)
        case Removed(route):
            return _entry(route), None
        case Changed(before, after, _):
            return _entry(before), _entry(after)
        case DefaultChanged(before, after):
            return before, after
        case TableOutdated():
            return None, None


def _entry(route: Route) -> dict[str, Any]:
    return route.model_dump(mode="json", exclude_none=True)
