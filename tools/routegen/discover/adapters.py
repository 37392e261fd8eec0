"""One adapter for each kind of route: it yields the paths that a route serves at its position in the tree.

The classes of routes are recognised by their qualified names instead of an import: an app that does not use a framework
does not pay for its import.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from routegen.discover.handlers import handler_names
from routegen.discover.route_tree import RouterKind
from routegen.discover.served_path import ServedPath
from routegen.discover.unwrap import find_route_table, has_class
from routegen.gateway.path_pattern import ANY_PATH, ANY_REST, ANY_SEGMENT, PARAMETER

# The regular expression of werkzeug's `string` convertor, which takes any segment.
_STRING = "[^/]{1,}"
_VARIABLE = re.compile(r"<(?:([a-zA-Z_][a-zA-Z0-9_]*)(?:\([^)]*\))?:)?([a-zA-Z_][a-zA-Z0-9_]*)>")


@dataclass(frozen=True)
class MountContext:
    """The position of a route in the tree: what the mounts and routers around it add.

    Attributes:
        prefix: the path of the mounts around the route.
        regexes: the regular expression of each variable of `prefix`.
        host: the host name that the routes around it require; None for any.
        redirects_slashes: the router redirects from `/x` to `/x/` where only `/x/` is served.
    """

    prefix: str = ""
    regexes: tuple[str, ...] = ()
    host: str | None = None
    redirects_slashes: bool = True


@dataclass(frozen=True)
class DiscoveredRoute:
    """One served path, with the live object that answers.

    Attributes:
        served: the path and its methods.
        holder: the object that keeps the answering app in its attribute `attribute`; None where a router answers.
        attribute: the name of that attribute.
        mounts: the mounts around the route, the outermost first, each with the router below its middleware.
        is_fallback: the router tries it after its redirects, when no other route takes the request.
    """

    served: ServedPath
    holder: Any = None
    attribute: str = "app"
    mounts: tuple[tuple[Any, Any], ...] = ()
    is_fallback: bool = False


@dataclass(frozen=True)
class NestedRouter:
    """A router inside a route, which must be walked too."""

    router: Any
    context: MountContext


@dataclass(frozen=True)
class Mounted:
    """The content of a mount, or of a host.

    Attributes:
        context: the position of what is inside.
        steps: what is inside.
        kind: the kind of router inside.
    """

    context: MountContext
    steps: tuple["WalkStep", ...]
    kind: RouterKind = "starlette"


WalkStep = DiscoveredRoute | NestedRouter | Mounted


Adapter = Callable[[Any, MountContext], Iterator[WalkStep]]
"""Yields the paths that a route serves in its context, and the routers inside it."""


def _full_path(route: Any, context: MountContext) -> tuple[str, tuple[str, ...]]:
    """Return a route's path with its prefix, and the regular expression of each variable."""
    regexes = tuple(route.param_convertors[name].regex for name, _ in PARAMETER.findall(route.path))
    return context.prefix + route.path, context.regexes + regexes


def _walk_route(route: Any, context: MountContext) -> Iterator[WalkStep]:
    """Yield the path of a function, a class, or an ASGI instance (FastMCP serves `/mcp` through one).

    `Route.methods` is None for an ASGI instance without methods: it takes every method (starlette.routing).
    """
    path, regexes = _full_path(route, context)
    methods = tuple(sorted(route.methods)) if route.methods else None
    served = ServedPath(path, methods, handler_names(route.endpoint), regexes, host=context.host)
    # FastAPI 0.137 and some later releases keep no app for an included route, and make one for each request.
    makes_app = has_class(route, "fastapi.routing._EffectiveRouteContext") and not hasattr(route, "app")
    yield (
        DiscoveredRoute(served, route.original_route, "get_route_handler")
        if makes_app
        else DiscoveredRoute(served, route)
    )


def _walk_websocket(route: Any, context: MountContext) -> Iterator[WalkStep]:
    """Yield a path that only a WebSocket handshake reaches."""
    path, regexes = _full_path(route, context)
    names = handler_names(route.endpoint)
    yield DiscoveredRoute(ServedPath(path, ("GET",), names, regexes, protocol="websocket", host=context.host), route)


def _walk_mount(route: Any, context: MountContext) -> Iterator[WalkStep]:
    """Yield the content of a mount: routes, which are walked, or an app without a route table, which owns its subtree.

    A mount takes every request below its path, also those that its own routes do not serve.
    """
    prefix, regexes = _full_path(route, context)
    yield _mounted_app(route, getattr(route, "_base_app", route.app), replace(context, prefix=prefix, regexes=regexes))


def _walk_host(route: Any, context: MountContext) -> Iterator[WalkStep]:
    """Yield the paths that answer only under one host name."""
    yield _mounted_app(route, route.app, replace(context, host=route.host))


def _mounted_app(route: Any, app: Any, context: MountContext) -> Mounted:
    """Return the paths of an app that a route holds; mlflow, for example, mounts a Flask application."""
    router = find_route_table(app)
    if router is None:
        return Mounted(context, tuple(_subtree(route.app, context, route)))
    if hasattr(router, "url_map"):
        return Mounted(context, tuple(flask_rules(router, context, route)), "werkzeug")
    return Mounted(context, (NestedRouter(router, context),))


def flask_rules(app: Any, context: MountContext, holder: Any = None) -> Iterator[DiscoveredRoute]:
    """Yield each rule of a Flask application that answers HTTP requests, in Starlette's notation.

    Werkzeug writes `/<path:name>/edit` (werkzeug.routing, "Rule Format").
    """
    for rule in app.url_map.iter_rules():
        if rule.build_only or rule.websocket:
            continue
        convertors = [rule._converters[name].regex for _, name in _VARIABLE.findall(rule.rule)]  # noqa: SLF001
        regexes = (ANY_SEGMENT if regex == _STRING else regex for regex in convertors)
        path = _VARIABLE.sub(lambda variable: f"{{{variable[2]}:{variable[1] or 'string'}}}", rule.rule)
        methods = tuple(sorted(rule.methods)) if rule.methods else None
        names, host = (str(rule.endpoint),), context.host or rule.host
        yield DiscoveredRoute(
            ServedPath(context.prefix + path, methods, names, (*context.regexes, *regexes), host=host), holder
        )


def _subtree(app: Any, context: MountContext, holder: Any) -> Iterator[WalkStep]:
    """Yield the mount point, and everything below it, for an app without a route table."""
    serves_files = has_class(app, "starlette.staticfiles.StaticFiles")
    methods = ("GET", "HEAD") if serves_files else None
    # Without html=True, StaticFiles serves nothing at its own root (starlette.staticfiles).
    rest = ANY_REST if serves_files and not app.html else ANY_PATH
    names = handler_names(app)
    if context.prefix and context.redirects_slashes and rest == ANY_PATH:
        served = ServedPath(context.prefix, methods, names, context.regexes, host=context.host, only_redirects=True)
        yield DiscoveredRoute(served)
    yield DiscoveredRoute(_everything_below(context.prefix, methods, names, context, rest), holder)


def _everything_below(
    path: str, methods: tuple[str, ...] | None, names: tuple[str, ...], context: MountContext, rest: str = ANY_PATH
) -> ServedPath:
    return ServedPath(f"{path}/{{proxy:path}}", methods, names, (*context.regexes, rest), host=context.host)


def _walk_included_router(route: Any, context: MountContext) -> Iterator[WalkStep]:
    """Yield the routes of FastAPI's included router, each with the prefix under which it is included.

    It matches requests as if its routes were part of the table that includes it.
    """
    # FastAPI 0.137 has no low-priority routes.
    low_priority_routes = getattr(route, "effective_low_priority_routes", tuple)
    entries = [*route.effective_route_contexts(), *low_priority_routes()]
    yield NestedRouter([getattr(entry, "starlette_route", None) or entry for entry in entries], context)


def _walk_frontends(route: Any, context: MountContext) -> Iterator[WalkStep]:
    """Yield the path of each of FastAPI's frontends, and everything below it; all other routes are tried before."""
    included_prefix = getattr(route, "frontend_prefix", "")
    for frontend in getattr(route, "original_route", route).routes:
        path = context.prefix + included_prefix + frontend.path.rstrip("/")
        methods, names = tuple(sorted(frontend.methods)), handler_names(frontend.app)
        if path:
            served = ServedPath(path, methods, names, context.regexes, host=context.host)
            yield DiscoveredRoute(served, frontend, is_fallback=True)
        yield DiscoveredRoute(_everything_below(path, methods, names, context), frontend, is_fallback=True)


_ADAPTERS: dict[str, Adapter] = {
    "fastapi.routing._FrontendRouteGroup": _walk_frontends,
    "fastapi.routing._IncludedRouter": _walk_included_router,
    "starlette.routing.Route": _walk_route,
    "fastapi.routing._EffectiveRouteContext": _walk_route,
    "starlette.routing.WebSocketRoute": _walk_websocket,
    "starlette.routing.Mount": _walk_mount,
    "starlette.routing.Host": _walk_host,
}


def find_adapter(route: Any) -> Adapter | None:
    """Return the adapter for a route, by its class or by the class of the route that an included router has wrapped."""
    routes = (route, getattr(route, "original_route", None))
    return next((adapter for name, adapter in _ADAPTERS.items() if any(has_class(item, name) for item in routes)), None)
