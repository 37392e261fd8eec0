"""From what apps serve to a manifest: classify_path each path, translate it, put the owned ones beside it.

In: `ServedPath` entries for each app. Out: a `Manifest` whose content depends on them alone, and notices of what the
gateway can't carry.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from routegen.config import AppConfig
from routegen.discover.served_path import ServedPath
from routegen.errors import ManifestError, UnsupportedRouteError
from routegen.extract.quota import QuotaError
from routegen.extract.unsupported import Carried, Notice, carried_by, carry
from routegen.gateway import ANY, METHODS, ROUTE_QUOTA, RouteKey, RouteTable, Translation, shape, subtree_path
from routegen.manifest import Manifest, Route, dump_manifest, parse_manifest
from routegen.roles import PathRole, classify_path


@dataclass(frozen=True)
class Extraction:
    """A manifest, what it leaves out, and what the app behind `$default` serves where that was asked for."""

    manifest: Manifest
    notices: tuple[Notice, ...] = ()
    default_serves: tuple[ServedPath, ...] = ()


@dataclass
class _Entry:
    """One path of the manifest while its served parts come together."""

    path: str
    classified: PathRole
    methods: set[str] = field(default_factory=set)
    reasons: list[str | None] = field(default_factory=list)


def build_manifest(default: str, served: Iterable[tuple[AppConfig, list[ServedPath]]]) -> Extraction:
    """The manifest of apps that are already discovered.

    Args:
        default: the app behind `$default`.
        served: each app with what it serves.

    Raises:
        UnsupportedRouteError: an app serves what the gateway can't carry and its policy is to refuse, or two apps
            serve one path.
        QuotaError: more routes than an HTTP API may have.
    """
    routes: list[Route] = []
    notices: list[Notice] = []
    for app, entries in served:
        carried = [(entry, carry(app.name, entry)) for entry in entries]
        own = list(_routes(app, carried))
        routes += own
        notices += _left_out(app, carried, own)
    routes.sort(key=lambda route: (route.path, route.app))
    if sum(len(route.route_keys) for route in routes) + 1 > ROUTE_QUOTA:
        raise QuotaError(routes)
    manifest = Manifest(version=1, default=default, routes=tuple(routes))
    try:
        # What we write, our own reader must take: its rules across entries hold here too.
        return Extraction(parse_manifest(dump_manifest(manifest), "the apps' routes"), tuple(notices))
    except ManifestError as error:
        raise UnsupportedRouteError(str(error)) from None


def _left_out(app: AppConfig, carried: Iterable[tuple[ServedPath, Carried]], routes: list[Route]) -> list[Notice]:
    table = RouteTable(RouteKey.parse(key) for route in routes for key in route.route_keys)
    notices = [notice for served, one in carried for notice in one.notices if not carried_by(table, served, notice)]
    refused = [notice for notice in notices if notice.refusable]
    if refused and app.unsupported == "refuse":
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise UnsupportedRouteError(f'{refused[0].text}{more}; `unsupported = "warn"` leaves it out')
    return notices


def _routes(app: AppConfig, carried: Iterable[tuple[ServedPath, Carried]]) -> Iterator[Route]:
    entries: dict[tuple[str, ...], _Entry] = {}
    for served, one in carried:
        if one.translation:
            _add(entries, served, one.translation)
    for prefix in app.own:
        _own(entries, prefix)
    for entry in entries.values():
        yield _route(app, entry)


def _own(entries: dict[tuple[str, ...], _Entry], prefix: str) -> None:
    """The prefix and all below it; a path below that is nothing in OAuth or MCP terms needs no key of its own."""
    for taken, entry in list(entries.items()):
        if entry.classified.role == "other" and entry.path.startswith(f"{prefix}/"):
            del entries[taken]
    for path in (prefix, subtree_path(prefix)):
        entries.setdefault(shape(path), _Entry(path, PathRole("owned"), {ANY}))


def _add(entries: dict[tuple[str, ...], _Entry], served: ServedPath, translation: Translation) -> None:
    classified = classify_path(served.path, served.handlers)
    entry = entries.setdefault(shape(translation.path), _Entry(translation.path, classified))
    entry.methods |= {ANY} if served.methods is None else set(served.methods)
    entry.reasons.append(translation.widened)
    if entry.classified.role == "other":
        entry.classified = classified


def _route(app: AppConfig, entry: _Entry) -> Route:
    methods = (ANY,) if ANY in entry.methods else tuple(sorted(entry.methods))
    owned = any(f"{entry.path}/".startswith(f"{prefix}/") for prefix in app.own)
    exact = app.methods == "exact" and not owned and methods != (ANY,)
    unknown = [method for method in methods if method not in METHODS]
    if exact and unknown:
        raise UnsupportedRouteError(
            f"{app.name}: {entry.path} serves {unknown[0]}, which no route key can name; "
            'methods = "any" gives the whole path to the app'
        )
    return Route(
        path=entry.path,
        methods=methods,
        app=app.name,
        role=entry.classified.role,
        spec=entry.classified.spec,
        route_keys=tuple(f"{method} {entry.path}" for method in (methods if exact else (ANY,))),
        widened=None if owned else _widened(entry.reasons, exact),
    )


def _widened(reasons: list[str | None], exact: bool) -> str | None:
    """Why the entry is wider than the app: not at all where one of its parts, alone, takes all that the key takes."""
    given = sorted({reason for reason in reasons if reason is not None})
    if not given or (None in reasons and not exact):
        return None
    return "; ".join(given)
