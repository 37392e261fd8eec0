"""The differences between two manifests as findings, and as data for scripts."""

from collections.abc import Iterable
from typing import Any, get_args

from routegen.diff.entry_lines import DEFAULT_ROUTE, line_of_entry
from routegen.diff.manifest_differences import Added, Changed, DefaultChanged, Difference, Removed
from routegen.gateway import ANY, shape
from routegen.manifest import DOCUMENT_ROLES, Manifest, Role, Route
from routegen.manifest.explain import NO_APP, Explainer
from routegen.report import Finding, Rule, rules

# Clients request these before or during the sign-in; without one of them a client does not connect.
_SIGN_IN_ROLES = frozenset(get_args(Role)) - {"revocation-endpoint", "misplaced-metadata", "owned", "other"}


def as_findings(differences: Iterable[Difference], new: Manifest, text: str, fix: str) -> list[Finding]:
    """One finding for each difference.

    Args:
        differences: the differences, as `compare` lists them.
        new: the new manifest, which decides where the requests to a removed path go.
        text: the text of the manifest that the findings' lines refer to.
        fix: what to do about the differences.
    """
    return [
        Finding(
            _rule(difference), _path(difference), _message(difference, new), fix, line_of_entry(text, _path(difference))
        )
        for difference in differences
    ]


def as_data(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """One object for each difference: `kind`, `path`, and the entry `before` and `after`, or null."""
    return [_object(difference) for difference in differences]


def _rule(difference: Difference) -> Rule:
    match difference:
        case Added():
            return rules.ROUTE_ADDED
        case DefaultChanged():
            return rules.DEFAULT_CHANGED
        case Removed(route):
            return rules.SIGN_IN_REMOVED if route.role in _SIGN_IN_ROLES else rules.ROUTE_REMOVED
        case Changed(old_route, _, fields):
            is_moved = old_route.role in _SIGN_IN_ROLES and not {"app", "role"}.isdisjoint(fields)
            return rules.SIGN_IN_CHANGED if is_moved else rules.ROUTE_CHANGED


def _path(difference: Difference) -> str:
    match difference:
        case Added(route) | Removed(route) | Changed(_, route):
            return route.path
        case DefaultChanged():
            return DEFAULT_ROUTE


def _message(difference: Difference, new: Manifest) -> str:
    match difference:
        case Added(route):
            verb = "reserves" if route.reserved else "serves"
            return f"Added: {route.app} {verb} this path now ({_description(route)}). The manifest has no route for it."
        case Removed(route):
            verb = "reserves" if route.reserved else "serves"
            return (
                f"Removed: {route.app} no longer {verb} this path ({_description(route)}). "
                f"Without the route, its requests go to {_next_owner(route, new)}."
            )
        case Changed(old_route, new_route, fields):
            return f"Changed: {'; '.join(_change(name, old_route, new_route) for name in fields)}."
        case DefaultChanged(old_app, new_app):
            old_target, new_target = old_app or NO_APP, new_app or NO_APP
            return f"Changed: requests that no route takes go to {new_target}; before, they went to {old_target}."


def _description(route: Route) -> str:
    return f"{route.role}, {route.spec}" if route.spec else route.role


def _next_owner(route: Route, new: Manifest) -> str:
    """The app that gets the removed route's requests, found with one of them."""
    method = route.methods[0] if route.methods and ANY not in route.methods else "GET"
    path = "/" + "/".join("x" if segment in {"{}", "{+}"} else segment for segment in shape(route.path))
    explanation = Explainer(new).explain(method, path)
    if explanation.route_key:
        return f"{explanation.app} through {explanation.route_key}"
    if explanation.app is None:
        return NO_APP
    # A website behind $default often answers every path with a page.
    consequence = ", which may answer with HTML where a client expects JSON" if route.role in DOCUMENT_ROLES else ""
    return f"{explanation.app}{consequence}"


def _change(field: str, old: Route, new: Route) -> str:
    return f"{field.replace('_', ' ')}: {_value(getattr(old, field))} -> {_value(getattr(new, field))}"


def _value(value: str | tuple[str, ...] | None) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else ", ".join(value)


def _object(difference: Difference) -> dict[str, Any]:
    match difference:
        case Added(route):
            sides: tuple[str, Any, Any] = ("added", None, _entry(route))
        case Removed(route):
            sides = ("removed", _entry(route), None)
        case Changed(old, new, _):
            sides = ("changed", _entry(old), _entry(new))
        case DefaultChanged(old_app, new_app):
            sides = ("changed", old_app, new_app)
    kind, old_entry, new_entry = sides
    return {"kind": kind, "path": _path(difference), "before": old_entry, "after": new_entry}


def _entry(route: Route) -> dict[str, Any]:
    return route.model_dump(mode="json", exclude_none=True)
