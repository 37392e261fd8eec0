"""From what apps serve to a manifest: classify each path, translate it, put the owned ones beside it.

In: `Served` entries for each app. Out: a `Manifest` whose content depends on them alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from routegen.classify import Classified, classify
from routegen.config import AppConfig
from routegen.discover.served import Served
from routegen.errors import ManifestError, UnsupportedRouteError
from routegen.gateway import ANY, METHODS, RouteKeyError, below, shape, translate
from routegen.manifest import Manifest, Route, dump_manifest, parse_manifest


@dataclass
class _Entry:
    """One path of the manifest while its served parts come together."""

    path: str
    app: str
    classified: Classified
    methods: set[str] = field(default_factory=set)
    widened: str | None = None


def build_manifest(default: str, served: Iterable[tuple[AppConfig, list[Served]]]) -> Manifest:
    """The manifest of apps that are already discovered.

    Args:
        default: the app behind `$default`.
        served: each app with what it serves.

    Raises:
        UnsupportedRouteError: an app serves what the gateway can't carry, or two apps serve one path.
    """
    routes = [route for app, entries in served for route in _routes(app, entries)]
    routes.sort(key=lambda route: (route.path, route.app))
    manifest = Manifest(version=1, default=default, routes=tuple(routes))
    try:
        # What we write, our own reader must take: its rules across entries hold here too.
        return parse_manifest(dump_manifest(manifest), "the apps' routes")
    except ManifestError as error:
        raise UnsupportedRouteError(str(error)) from None


def _routes(app: AppConfig, served: Iterable[Served]) -> Iterator[Route]:
    entries: dict[tuple[str, ...], _Entry] = {}
    for item in served:
        for path in (item.path, below(item.path)) if item.subtree else (item.path,):
            _add(entries, app, path, item)
    for prefix in app.own:
        for path in (prefix, below(prefix)):
            entries.setdefault(shape(path), _owned(app, path))
    for entry in entries.values():
        yield _route(app, entry)


def _owned(app: AppConfig, path: str) -> _Entry:
    return _Entry(path, app.name, methods={ANY}, classified=Classified("owned"))


def _add(entries: dict[tuple[str, ...], _Entry], app: AppConfig, path: str, served: Served) -> None:
    try:
        translation = translate(path)
    except RouteKeyError as error:
        raise UnsupportedRouteError(f"{app.name}: {path} can't be a route of the gateway: {error}") from None
    classified = classify(served.path, served.handlers)
    new = _Entry(translation.path, app.name, classified=classified, widened=translation.widened)
    entry = entries.setdefault(shape(translation.path), new)
    entry.methods |= {ANY} if served.methods is None else set(served.methods)
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
        app=entry.app,
        role=entry.classified.role,
        spec=entry.classified.spec,
        route_keys=tuple(f"{method} {entry.path}" for method in (methods if exact else (ANY,))),
        widened=entry.widened,
    )
