"""The differences between two manifests as findings, and as data for scripts."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, get_args

from routegen.diff.manifest_differences import Difference, line_of_entry
from routegen.diff.moved_requests import MovedRequest
from routegen.gateway import ANY, DEFAULT_ROUTE, shape
from routegen.manifest import DOCUMENT_ROLES, Manifest, Role, Route
from routegen.manifest.explain import NO_APP, Explainer
from routegen.report import Finding, Rule, rules

# Clients request these before or during the sign-in; without one of them a client does not connect.
_SIGN_IN_ROLES = frozenset(get_args(Role)) - {"revocation-endpoint", "misplaced-metadata", "owned", "other"}


def as_findings(differences: Iterable[Difference], new: Manifest, text: str, fix: str) -> list[Finding]:
    """One finding for each difference, with a shortest request that goes to another app.

    Args:
        differences: the differences, as `compare` lists them.
        new: the new manifest, which decides where the requests to a removed path go.
        text: the text of the manifest that the findings' lines refer to.
        fix: what to do about the differences.
    """
    return [
        Finding(
            _rule(difference),
            difference.path,
            f"{_message(difference, new)} {_requests(difference.moved)}",
            fix,
            line_of_entry(text, difference.path),
        )
        for difference in differences
    ]


def _requests(moved: MovedRequest | None) -> str:
    return moved.text if moved else "Each of its requests goes to the same app as before."


def as_data(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """One object for each difference.

    It has `kind`, `path`, the entry `before` and `after`, or null, and the `request` that goes to another app, or null.
    """
    return [
        {
            "kind": item.kind,
            "path": item.path,
            "before": _entry(item.old),
            "after": _entry(item.new),
            "request": asdict(item.moved) if item.moved else None,
        }
        for item in differences
    ]


def _entry(entry: Route | str | None) -> Any:
    return entry.model_dump(mode="json", exclude_none=True) if isinstance(entry, Route) else entry


def _rule(difference: Difference) -> Rule:
    old, new = difference.old, difference.new
    if difference.path == DEFAULT_ROUTE:
        return rules.DEFAULT_CHANGED
    if not isinstance(old, Route):
        return rules.ROUTE_ADDED
    is_sign_in = old.role in _SIGN_IN_ROLES
    if not isinstance(new, Route):
        return rules.SIGN_IN_REMOVED if is_sign_in else rules.ROUTE_REMOVED
    is_moved = (old.app, old.role) != (new.app, new.role)
    return rules.SIGN_IN_CHANGED if is_sign_in and is_moved else rules.ROUTE_CHANGED


def _message(difference: Difference, new_manifest: Manifest) -> str:
    old, new = difference.old, difference.new
    if isinstance(old, Route) and isinstance(new, Route):
        names = (name for name in Route.model_fields if getattr(old, name) != getattr(new, name))
        return f"Changed: {'; '.join(_change(name, old, new) for name in names)}."
    if isinstance(new, Route):
        verb = "reserves" if new.reserved else "serves"
        return f"Added: {new.app} {verb} this path now ({_description(new)}). The manifest has no route for it."
    if isinstance(old, Route):
        verb = "reserves" if old.reserved else "serves"
        return (
            f"Removed: {old.app} no longer {verb} this path ({_description(old)}). "
            f"Without the route, its requests go to {_next_owner(old, new_manifest)}."
        )
    return f"Changed: requests that no route takes go to {new or NO_APP}; before, they went to {old or NO_APP}."


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
