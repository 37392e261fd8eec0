"""Build the manifest from the paths that the apps serve: translate each path, give it a role, add the owned paths."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from routegen.config import AppConfig
from routegen.discover.handlers import WRITTEN_BY_HAND
from routegen.discover.route_tree import ServedRoutes
from routegen.discover.served_path import ServedPath
from routegen.errors import UnsupportedRouteError
from routegen.extract.reserved import ROOT_DOCUMENTS, NotReserved, reserve_paths
from routegen.extract.served_documents import find_document_problems
from routegen.extract.unreachable import find_unreachable, mark_endpoints, redirected_path
from routegen.extract.unsupported import TranslatedPath, UnsupportedPath, is_covered, translate_served_path
from routegen.gateway import (
    ANY,
    METHODS,
    ROUTE_QUOTA,
    RouteKey,
    RouteTable,
    Translation,
    shape,
    subtree_path,
    takes_every_path,
)
from routegen.gateway.path_pattern import split_path
from routegen.manifest import Manifest, Route
from routegen.manifest.validation import find_problems
from routegen.roles import PathRole, classify_path

_SUBTREES_SHOWN = 3


@dataclass(frozen=True)
class Extraction:
    """The result of an extraction.

    Attributes:
        manifest: the manifest.
        unsupported: the paths that the manifest leaves out or makes wider.
        not_reserved: the paths that clients ask about an endpoint, and that stay with the default app.
        shared_documents: each root document that several apps serve, with its owner and the other apps.
        default_paths: the paths that the default app serves; empty if it is not configured.
        apps: each app that was imported, with what it serves.
    """

    manifest: Manifest
    unsupported: tuple[UnsupportedPath, ...] = ()
    not_reserved: tuple[NotReserved, ...] = ()
    shared_documents: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    default_paths: tuple[ServedPath, ...] = ()
    apps: tuple[tuple[AppConfig, ServedRoutes], ...] = ()


@dataclass
class _Entry:
    """One path of the manifest, while the served paths with the same shape are merged into it."""

    path: str
    path_role: PathRole
    methods: set[str] = field(default_factory=set)
    reasons: list[str | None] = field(default_factory=list)


def build_manifest(
    default: str | None,
    apps: Sequence[tuple[AppConfig, list[ServedPath]]],
    default_paths: Sequence[ServedPath] | None = None,
) -> Extraction:
    """Build the manifest of discovered apps; its content depends only on the arguments.

    Args:
        default: the name of the app behind `$default`; None if there is none.
        apps: each app with the paths that it serves.
        default_paths: the paths that the default app serves; None if it is not configured.

    Raises:
        UnsupportedRouteError: an app serves a path that a route key cannot express and its policy is to refuse, two
            apps serve the same path, or there are more routes than an HTTP API can have.
    """
    routes: list[Route] = []
    unsupported: list[UnsupportedPath] = []
    apps = [(app, mark_endpoints(app, served_paths)) for app, served_paths in apps]
    for app, served_paths in apps:
        translated = [
            (served, translate_served_path(app.name, served, has_default=default is not None))
            for served in served_paths
        ]
        app_routes = list(_app_routes(app, translated))
        routes += app_routes
        unsupported += _unsupported_paths(app, translated, app_routes)
    routes, shared_documents = _with_one_owner(routes, [app for app, _ in apps])
    reserved, not_reserved = reserve_paths([app for app, _ in apps], routes, default, default_paths)
    routes += reserved
    routes.sort(key=lambda route: (route.path, route.app))
    _check_quota(routes, default)
    manifest = Manifest(version=1, default=default, routes=tuple(routes))
    if problems := list(find_problems(manifest)):
        raise UnsupportedRouteError(f"the apps' routes: {problems[0]}{_and_more(problems)}")
    for app, served_paths in apps:
        unsupported += _accepted(app, find_document_problems(app, served_paths, manifest, default_paths or ()))
    return Extraction(
        manifest, tuple(unsupported), tuple(not_reserved), tuple(shared_documents), tuple(default_paths or ())
    )


def claimed_paths(apps: Sequence[AppConfig]) -> dict[str, str]:
    """Return the name of the app that claims each path in its `routes`; of several apps, the first one."""
    return {path: app.name for app in reversed(apps) for path in app.routes}


def _with_one_owner(
    routes: list[Route], apps: Sequence[AppConfig]
) -> tuple[list[Route], list[tuple[str, str, tuple[str, ...]]]]:
    """Return the routes without the entries that another app claims in its `routes`, and the shared documents.

    Raises:
        UnsupportedRouteError: several apps serve a document of the domain, and none or several of them claim it.
    """
    owners = claimed_paths(apps)
    serving: dict[str, list[str]] = {}
    for route in routes:
        serving.setdefault(route.path, []).append(route.app)
    for path, names in serving.items():
        if len(names) > 1 and path not in owners and path in ROOT_DOCUMENTS:
            raise UnsupportedRouteError(
                f"{_listed(names)} serve {path}, a document of the whole domain, which needs one "
                f'owner: write routes = ["{path}"] in [tool.routegen.apps.{names[0]}], or in that of another app'
            )
    shared = [
        (path, owners[path], tuple(name for name in names if name != owners[path]))
        for path, names in sorted(serving.items())
        if len(names) > 1 and path in owners
    ]
    return [route for route in routes if owners.get(route.path, route.app) == route.app], shared


def _listed(names: Sequence[str]) -> str:
    """Return names for a sentence: `'mail' and 'files' both` or `'mail', 'files' and 'calendar' all`."""
    quoted = [repr(name) for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]} {'both' if len(names) == 2 else 'all'}"


def _unsupported_paths(
    app: AppConfig, translated: Iterable[tuple[ServedPath, TranslatedPath]], routes: list[Route]
) -> list[UnsupportedPath]:
    table = RouteTable(RouteKey.parse(key) for route in routes for key in route.route_keys)
    unsupported = list(find_unreachable(app, [served for served, _ in translated], table))
    redirects = {problem.path for problem in unsupported if problem.kind == "redirect"}
    unsupported += [
        problem
        for served, translation in translated
        for problem in translation.unsupported
        if not is_covered(problem, served, table) and f"{redirected_path(served)}/" not in redirects
    ]
    return _accepted(app, unsupported)


def _accepted(app: AppConfig, problems: Iterable[UnsupportedPath]) -> list[UnsupportedPath]:
    """Return problems that the policy of an app accepts.

    Raises:
        UnsupportedRouteError: the policy is to refuse, and one of the problems is refusable.
    """
    accepted = list(problems)
    has_paths = bool(app.own or app.routes)  # the user has decided which paths the app gets
    refusable = [
        problem for problem in accepted if problem.refusable and not (has_paths and problem.kind == "everything")
    ]
    if refusable and app.unsupported == "refuse":
        text = f"{refusable[0].text}{_and_more(refusable)}"
        is_redirect = refusable[0].kind == "redirect"
        consequence = "clients are then redirected to a path of another app" if is_redirect else "the path is left out"
        setting = f'--unsupported warn, or `unsupported = "warn"` in [tool.routegen.apps.{app.name}]'
        raise UnsupportedRouteError(f"{text}; {setting}, accepts it: {consequence}")
    return accepted


def _and_more(problems: Sequence[object]) -> str:
    return f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""


def _check_quota(routes: Sequence[Route], default: str | None) -> None:
    """Refuse more routes than an HTTP API can have; the error names the largest subtrees, which an app could own."""
    total = sum(len(route.route_keys) for route in routes) + (default is not None)
    if total <= ROUTE_QUOTA:
        return
    subtrees: Counter[tuple[str, str]] = Counter()
    for route in routes:
        subtrees.update(dict.fromkeys(_subtrees_of(route), len(route.route_keys)))
    largest = ", ".join(f"{prefix} ({app}: {count})" for (app, prefix), count in subtrees.most_common(_SUBTREES_SHOWN))
    remedy = f" Add a large subtree to `own` of its app, so that it needs two routes: {largest}" if largest else ""
    included = ", $default included" if default is not None else ""
    raise UnsupportedRouteError(f"{total} routes{included}; an HTTP API has at most {ROUTE_QUOTA}.{remedy}")


def _subtrees_of(route: Route) -> Iterator[tuple[str, str]]:
    """Yield each literal prefix of a route with its app; owning the prefix would make the route's keys unnecessary."""
    if route.role != "other":
        return
    prefix = ""
    for segment in route.path[1:].split("/")[:-1]:
        if segment.startswith("{"):
            return
        prefix += f"/{segment}"
        yield route.app, prefix


def _app_routes(app: AppConfig, translated: Sequence[tuple[ServedPath, TranslatedPath]]) -> Iterator[Route]:
    entries: dict[tuple[str, ...], _Entry] = {}
    for served, result in translated:
        if result.translation:
            _add_entry(entries, app, served, result.translation)
            if takes_every_path(result.translation.path) and split_path(served.path, served.regexes)[-1].matches_empty:
                _add_entry(entries, app, served, Translation("/"))  # a greedy variable does not match the empty rest
    owned_role = _owned_role(translated)
    for prefix in app.own:
        _own_subtree(entries, prefix, owned_role)
    for path in (*app.endpoints, *app.routes):
        role = classify_path(path, (WRITTEN_BY_HAND,) if path in app.endpoints else ())
        role = PathRole("owned") if role.role == "other" else role
        entry = entries.setdefault(shape(path), _Entry(path, role, {ANY}))
        if path in app.endpoints:
            entry.path_role = role
    for entry in entries.values():
        yield _route(app, entry)


def _add_entry(
    entries: dict[tuple[str, ...], _Entry], app: AppConfig, served: ServedPath, translation: Translation
) -> None:
    path_role = classify_path(served.path, served.handlers)
    is_redirected = served.only_redirects or redirected_path(served)
    # The app gets the redirected path too if it owns a path above it.
    owns_parent = any((redirected_path(served) or served.path).startswith(f"{prefix}/") for prefix in app.own)
    if path_role.spec == "MCP Streamable HTTP" and is_redirected and not owns_parent:
        path_role = PathRole("other")  # clients get only a redirect at the path that the route key names
    entry = entries.setdefault(shape(translation.path), _Entry(translation.path, path_role))
    entry.methods |= {ANY} if served.methods is None else set(served.methods)
    entry.reasons.append(translation.widened)
    if entry.path_role.role == "other":
        entry.path_role = path_role


def _owned_role(translated: Iterable[tuple[ServedPath, TranslatedPath]]) -> PathRole:
    """Return the role of owned paths: an app that answers every path with an MCP endpoint has it at its own paths."""
    for served, result in translated:
        role = classify_path(served.path, served.handlers)
        takes_everything = (result.translation and takes_every_path(result.translation.path)) or any(
            problem.kind == "everything" for problem in result.unsupported
        )
        if role.role == "mcp-endpoint" and takes_everything:
            return role
    return PathRole("owned")


def _own_subtree(entries: dict[tuple[str, ...], _Entry], prefix: str, role: PathRole) -> None:
    """Add an owned path and its subtree; below it, only paths with a role in OAuth or MCP keep their own keys."""
    for entry_shape, entry in list(entries.items()):
        if entry.path_role.role == "other" and entry.path.startswith(f"{prefix}/"):
            del entries[entry_shape]
    entries.setdefault(shape(prefix), _Entry(prefix, role, {ANY}))
    subtree = subtree_path(prefix)
    entries.setdefault(shape(subtree), _Entry(subtree, PathRole("owned"), {ANY}))


def _route(app: AppConfig, entry: _Entry) -> Route:
    methods = (ANY,) if ANY in entry.methods else tuple(sorted(entry.methods))
    is_owned = app.owns(entry.path)
    exact = app.methods == "exact" and not is_owned and methods != (ANY,)
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
        role=entry.path_role.role,
        spec=entry.path_role.spec,
        route_keys=tuple(f"{method} {entry.path}" for method in (methods if exact else (ANY,))),
        widened=None if is_owned else _widened(entry.reasons, exact),
    )


def _widened(reasons: list[str | None], exact: bool) -> str | None:
    """Return why the entry is wider than the app; None if one of its served paths takes all that the key takes."""
    distinct_reasons = sorted({reason for reason in reasons if reason is not None})
    if not distinct_reasons or (None in reasons and not exact):
        return None
    return "; ".join(distinct_reasons)
