"""Differences in a reviewer's words."""

from collections import Counter
from collections.abc import Callable, Iterable

from routegen.diff.differences import Added, Changed, DefaultChanged, Difference, Removed, TableOutdated
from routegen.gateway import ANY, shape
from routegen.manifest import Manifest, Route
from routegen.manifest.explain import Explainer

# What clients read as JSON, and give up on when it isn't (RFC 9728, RFC 8414, OpenID Connect Discovery 1.0).
_DOCUMENTS = {"protected-resource-metadata", "authorization-server-metadata", "openid-configuration"}

_LABELS = {Added: "added", Removed: "removed", Changed: "changed", DefaultChanged: "changed", TableOutdated: "outdated"}


def report(differences: Iterable[Difference], wanted: Manifest, paint: Callable[[str, str], str]) -> str:
    """All of them, two lines each.

    Args:
        differences: what differs.
        wanted: the manifest as it should be.
        paint: colours a word (its second argument) by its label (the first), or leaves it as it is.
    """
    lines = []
    for difference in differences:
        kind = label(difference)
        lines += [f"{paint(kind, f'{kind:<8}')} {headline(difference)}", f"{'':8} {consequence(difference, wanted)}"]
    return "".join(f"{line}\n" for line in lines)


def summary(differences: Iterable[Difference]) -> str:
    """How many of each kind, e.g. `1 added, 2 removed`."""
    counts = Counter(label(difference) for difference in differences)
    return ", ".join(f"{counts[kind]} {kind}" for kind in ("added", "removed", "changed", "outdated") if counts[kind])


def label(difference: Difference) -> str:
    """`added`, `removed`, `changed` or `outdated`."""
    return _LABELS[type(difference)]


def path_of(difference: Difference) -> str:
    """The path that it is about; `$default` for the default app, the file for a table."""
    match difference:
        case Added(route) | Removed(route) | Changed(_, route):
            return route.path
        case DefaultChanged():
            return "$default"
        case TableOutdated(file):
            return file


def headline(difference: Difference) -> str:
    """Which path it is about, with what the path is."""
    match difference:
        case Added(route) | Removed(route) | Changed(_, route):
            spec = f", {route.spec}" if route.spec else ""
            return f"{route.path}  ({route.app}: {route.role}{spec})"
        case DefaultChanged() | TableOutdated():
            return path_of(difference)


def consequence(difference: Difference, new: Manifest) -> str:
    """What it means, in one sentence.

    Args:
        difference: the difference.
        new: the manifest as it should be, which says where a removed route's requests go.
    """
    match difference:
        case Added(route):
            return f"{route.app} serves it now; the gateway has no route of its own for it yet"
        case Removed(route):
            return f"{route.app} no longer serves it; without the route its requests go to {_next_owner(route, new)}"
        case Changed(before, after, fields):
            return "; ".join(_field(name, before, after) for name in fields)
        case DefaultChanged(before, after):
            return f"requests that no route takes go to {after}, not to {before}"
        case TableOutdated(file):
            return f"it shows something else than the manifest does: routegen render markdown -o {file}"


def _next_owner(route: Route, new: Manifest) -> str:
    """The app that gets the removed route's requests, asked with one of them."""
    method = "GET" if ANY in route.methods else route.methods[0]
    path = "/" + "/".join("x" if segment in {"{}", "{+}"} else segment for segment in shape(route.path))
    found = Explainer(new).explain(method, path)
    if found.route_key:
        return f"{found.app} through {found.route_key}"
    # What kept Claude from connecting: a wiki answers every path, with a page.
    page = ", as HTML where a client wants JSON" if route.role in _DOCUMENTS else ""
    return f"{found.app}{page}"


def _field(name: str, before: Route, after: Route) -> str:
    return f"{name.replace('_', ' ')}: {_value(getattr(before, name))} -> {_value(getattr(after, name))}"


def _value(value: str | tuple[str, ...] | None) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else ", ".join(value)
