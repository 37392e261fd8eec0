"""Walk an app's route table with the adapters."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple

from routegen.discover.adapters import (
    DiscoveredRoute,
    MountContext,
    Mounted,
    NestedRouter,
    WalkStep,
    find_adapter,
    flask_rules,
)
from routegen.discover.endpoint_faults import find_endpoint_faults
from routegen.discover.handlers import handler_names, qualified_name, unwrap_handler
from routegen.discover.mcp_endpoints import keeps_sessions
from routegen.discover.oauth_documents import find_document
from routegen.discover.route_tree import RouteTree, ServedRoutes
from routegen.discover.served_path import ServedPath, UnknownRouteKindError
from routegen.discover.unwrap import base_path, find_route_table, find_wrappers, has_class, is_lambda_handler
from routegen.gateway.automaton import PathAutomaton, TooManyStatesError
from routegen.gateway.path_pattern import ANY_PATH, pattern_parts
from routegen.gateway.regex_tree import Regex


def run_task(app: Any, _exchange: object) -> dict[str, Any]:
    """Return what the app serves as data of `ServedRoutes`, as the task of the process that has loaded the app.

    Discovery counts towards the load time-out, so it does not report that the app is loaded.
    """
    return discover_routes(app)[1].as_data()


def discover_paths(app: Any) -> list[ServedPath]:
    """Return every path that an app serves, in the order of its route table.

    Args:
        app: a Starlette or FastAPI application or router, a FastMCP server (its `http_app()` is walked, which has the
            routes of its auth provider too), a Flask application, or ASGI middleware around one of them. An app of
            another kind counts as serving every path.

    Raises:
        UnknownRouteKindError: the object is no app, or no adapter handles one of its routes.
    """
    return discover_routes(app)[1].paths


def discover_routes(app: Any) -> tuple[list[DiscoveredRoute], ServedRoutes]:
    """Return the same as `discover_paths`, with the live objects that answer, and with the tree of the routers."""
    routes, tree = _discover(app)
    return routes, ServedRoutes([route.served for route in routes], tree)


def _discover(app: Any) -> tuple[list[DiscoveredRoute], RouteTree]:
    router = find_route_table(app)
    if router is None:
        if not callable(app):
            raise UnknownRouteKindError(f"{qualified_name(app)} is not an ASGI or WSGI application")
        served = ServedPath("/{proxy:path}", None, handler_names(app), (ANY_PATH,))
        return [DiscoveredRoute(served)], RouteTree(kind="opaque", routes=[0])
    if hasattr(router, "url_map"):
        rules = list(flask_rules(router, MountContext()))
        return rules, RouteTree(kind="werkzeug", routes=list(range(len(rules))))
    discovered: list[DiscoveredRoute] = []
    tree = RouteTree()
    for context in _root_contexts(app, router):
        copy = RouteTree(context.prefix, kind="root-path") if context.prefix else tree
        if context.prefix:  # a path below the prefix is looked up without it, and never with it
            tree.routes.insert(0, copy)
        walk = _Walk(len(discovered))
        routes = _hide_behind_mounts(list(walk.walk_router(router, context, copy)), walk.mounts)
        routes = [_with_endpoint_state(route, app, router) for route in routes]
        discovered += [_behind_handler(route, app, context) for route in routes] if is_lambda_handler(app) else routes
    return discovered, tree


def _behind_handler(route: DiscoveredRoute, handler: Any, context: MountContext) -> DiscoveredRoute:
    """Add the name of a Lambda handler, and hide a path that never arrives because it begins with the base path."""
    served = replace(route.served, handlers=(qualified_name(handler), *route.served.handlers))
    prefix = base_path(handler)
    if prefix and context.prefix != prefix and f"{served.path}/".startswith(f"{prefix}/"):
        served = replace(served, hidden_by=f"{prefix} (Mangum's api_gateway_base_path)")
    return replace(route, served=served)


def _root_contexts(app: Any, router: Any) -> Iterator[MountContext]:
    """FastAPI answers below its `root_path` as well as without it (starlette._utils.get_route_path), as Mangum does."""
    redirects_slashes = getattr(router, "redirect_slashes", True)
    yield MountContext(redirects_slashes=redirects_slashes)
    if prefix := base_path(app):
        yield MountContext(prefix=prefix, redirects_slashes=redirects_slashes)
    applications = [inner for inner in find_wrappers(app) if has_class(inner, "fastapi.applications.FastAPI")]
    root_path = applications[0].root_path if applications else ""
    if root_path and not root_path.endswith("/"):
        yield MountContext(prefix=root_path, redirects_slashes=redirects_slashes)


def _with_endpoint_state(route: DiscoveredRoute, app: Any, router: Any) -> DiscoveredRoute:
    """Add what is known about an MCP endpoint: whether it keeps sessions, and why it fails."""
    endpoint = getattr(route.holder, "endpoint", getattr(route.holder, "app", None))
    own_router = route.mounts[-1][1] if route.mounts else router
    sessions = keeps_sessions(endpoint, own_router)
    faults = find_endpoint_faults(app, router, route)
    document = find_document(unwrap_handler(endpoint)) if "/.well-known/" in route.served.path else None
    if sessions is None and not faults and document is None:
        return route
    return replace(route, served=replace(route.served, keeps_sessions=sessions, faults=faults, document=document))


class _Mount(NamedTuple):
    """A mount, which takes requests from the routes after it.

    Attributes:
        routes_before: the number of served paths before the first one that it can hide.
        path: its path, with those of the mounts around it.
        regexes: the regular expression of each variable of `path`.
        host: the host name that its requests must have; None for any.
    """

    routes_before: int
    path: str
    regexes: tuple[str, ...]
    host: str | None


@dataclass
class _Walk:
    """The state of one walk.

    Attributes:
        first: the number of served paths before the walk.
        open_routers: ids of the routers that are being walked, from the outermost to the innermost.
        mounts: the mounts that were walked already.
        count: the number of served paths that were walked already.
    """

    first: int
    open_routers: list[int] = field(default_factory=list)
    mounts: list[_Mount] = field(default_factory=list)
    count: int = 0

    def walk_router(self, router: Any, context: MountContext, tree: RouteTree) -> Iterator[DiscoveredRoute]:
        """Yield every path that a router, or a list of routes, serves, and put its position into the tree."""
        if id(router) in self.open_routers:
            raise UnknownRouteKindError(f"the router at {context.prefix or '/'} is mounted inside itself")
        self.open_routers.append(id(router))
        # FastAPI matches low-priority routes after all others.
        is_list = isinstance(router, list)
        routes = router if is_list else [*router.routes, *getattr(router, "_low_priority_routes", ())]
        inner = replace(context, redirects_slashes=getattr(router, "redirect_slashes", context.redirects_slashes))
        tree.redirects_slashes = inner.redirects_slashes
        redirects: list[DiscoveredRoute] = []
        for route in routes:
            for step in self._steps(route, inner):
                yield from self._take(step, route, inner, redirects, tree)
        # A router redirects only if none of its routes takes the request, also those after the mount.
        for redirect in redirects:
            yield self._numbered(redirect, [])
        default = getattr(router, "default", None)
        if default is not None and default != getattr(router, "not_found", None):
            path = f"{context.prefix}/{{proxy:path}}"
            served = ServedPath(path, None, handler_names(default), (*context.regexes, ANY_PATH), host=context.host)
            yield self._numbered(DiscoveredRoute(served, router, "default"), tree.fallbacks)
        self.open_routers.pop()

    @staticmethod
    def _steps(route: Any, context: MountContext) -> Iterator[WalkStep]:
        adapter = find_adapter(route)
        if adapter is None:
            path = context.prefix + str(getattr(route, "path", ""))
            raise UnknownRouteKindError(
                f"{qualified_name(route)} at {path or '/'} is a kind of route that routegen does not know"
            )
        return adapter(route, context)

    def _take(
        self, step: WalkStep, route: Any, context: MountContext, redirects: list[DiscoveredRoute], tree: RouteTree
    ) -> Iterator[DiscoveredRoute]:
        match step:
            case DiscoveredRoute(served) if served.only_redirects:
                redirects.append(step)
            case DiscoveredRoute():
                yield self._numbered(step, tree.fallbacks if step.is_fallback else tree.routes)
            case NestedRouter(list(routes), inner):
                yield from self.walk_router(routes, inner, tree)
            case NestedRouter(router, inner):
                for discovered in self.walk_router(router, inner, tree):
                    yield replace(discovered, mounts=((route, router), *discovered.mounts))
            case Mounted(inner, steps, kind):
                mount = RouteTree(inner.prefix, inner.regexes, inner.host, context.redirects_slashes, kind)
                tree.routes.append(mount)
                for inner_step in steps:
                    yield from self._take(inner_step, route, context, redirects, mount)
                if inner.host == context.host:
                    self.mounts.append(_Mount(self.count, inner.prefix, inner.regexes, inner.host))

    def _numbered(self, route: DiscoveredRoute, positions: list["int | RouteTree"] | list[int]) -> DiscoveredRoute:
        """Note the position of a path."""
        positions.append(self.first + self.count)
        self.count += 1
        return route


def _hide_behind_mounts(routes: list[DiscoveredRoute], mounts: Sequence[_Mount]) -> list[DiscoveredRoute]:
    """Mark the routes that earlier mounts hide: in Starlette the first match wins."""
    if not mounts or mounts[0].routes_before == len(routes):
        return routes
    automaton = PathAutomaton()
    patterns = ((mount, [*pattern_parts(mount.path, mount.regexes), "/", Regex(ANY_PATH)]) for mount in mounts)
    exact_mounts = {mount for mount, pattern in patterns if automaton.add_or_widen(pattern, mount, mount) is None}
    later_positions = range(mounts[0].routes_before, len(routes))
    for position in later_positions:
        served = routes[position].served
        automaton.add_or_widen(pattern_parts(served.path, served.regexes), position, position)
    try:
        labels_of_kinds = [kind.labels for kind in automaton.walk()]
    except TooManyStatesError:
        labels_of_kinds, exact_mounts = [frozenset([*mounts, *later_positions])], set()
    hiding: dict[int, list[list[_Mount]]] = {}
    for labels in labels_of_kinds:
        matching = sorted((label for label in labels if isinstance(label, _Mount)), key=lambda mount: mount[:2])
        for position in (label for label in labels if isinstance(label, int)):
            hosts = {None, routes[position].served.host}
            earlier = [mount for mount in matching if mount.routes_before <= position and mount.host in hosts]
            hiding.setdefault(position, []).append(earlier)
    for position, mounts_of_kinds in hiding.items():
        counts = Counter(chain.from_iterable(mounts_of_kinds))
        if hiding_mounts := [mount for mount in mounts if mount in counts]:
            is_hidden = all(map(exact_mounts.intersection, mounts_of_kinds))
            path = (max(hiding_mounts, key=lambda mount: counts[mount]) if is_hidden else hiding_mounts[0]).path or "/"
            served = routes[position].served
            hidden = replace(served, hidden_by=path) if is_hidden else replace(served, partly_hidden_by=path)
            routes[position] = replace(routes[position], served=hidden)
    return routes
