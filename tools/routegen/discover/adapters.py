"""One adapter for each kind of route; the first adapter that handles a route walks it.

An adapter yields the paths that a route serves at its position in the tree. It recognises classes by their qualified
names instead of importing them: an app that does not use a framework does not pay for its import.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from routegen.discover.flask_rules import served_by_flask
from routegen.discover.handlers import handler_names
from routegen.discover.route_tree import RouterKind
from routegen.discover.served_path import ServedPath
from routegen.discover.unwrap import find_route_table, has_class
from routegen.gateway.path_pattern import ANY_PATH, ANY_REST, PARAMETER


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


class Adapter(Protocol):
    """The walk of one kind of route."""

    def handles(self, route: Any) -> bool:
        """Whether `route` is of this kind."""

    def walk(self, route: Any, context: MountContext) -> Iterator[WalkStep]:
        """Yield the paths that `route` serves in `context`, and the routers inside it."""


def variable_regexes(path: str, convertors: Any) -> tuple[str, ...]:
    """Return the regular expression of each variable of a path, in the path's order."""
    return tuple(convertors[name].regex for name, _ in PARAMETER.findall(path))


def full_path(route: Any, context: MountContext) -> tuple[str, tuple[str, ...]]:
    """Return a route's path with its prefix, and the regular expression of each variable."""
    return context.prefix + route.path, context.regexes + variable_regexes(route.path, route.param_convertors)


@dataclass(frozen=True)
class RouteAdapter:
    """Starlette's `Route`: a function, a class, or an ASGI instance (FastMCP serves `/mcp` through one).

    `Route.methods` is None for an ASGI instance without methods: it takes every method (starlette.routing).
    """

    def handles(self, route: Any) -> bool:
        """`Route` and its subclasses, such as FastAPI's `APIRoute`."""
        return has_class(route, "starlette.routing.Route") or has_class(route, "fastapi.routing._EffectiveRouteContext")

    def walk(self, route: Any, context: MountContext) -> Iterator[WalkStep]:
        """Yield the path of the route."""
        path, regexes = full_path(route, context)
        methods = tuple(sorted(route.methods)) if route.methods else None
        served = ServedPath(path, methods, handler_names(route.endpoint), regexes, host=context.host)
        # FastAPI 0.137 and some later releases keep no app for an included route, and make one for each request.
        makes_app = has_class(route, "fastapi.routing._EffectiveRouteContext") and not hasattr(route, "app")
        if makes_app:
            yield DiscoveredRoute(served, route.original_route, "get_route_handler")
        else:
            yield DiscoveredRoute(served, route)


@dataclass(frozen=True)
class WebSocketAdapter:
    """Starlette's `WebSocketRoute`: only a WebSocket handshake reaches it."""

    def handles(self, route: Any) -> bool:
        """`WebSocketRoute` and its subclasses."""
        return has_class(route, "starlette.routing.WebSocketRoute")

    def walk(self, route: Any, context: MountContext) -> Iterator[WalkStep]:
        """Yield the path of the route."""
        path, regexes = full_path(route, context)
        names = handler_names(route.endpoint)
        served = ServedPath(path, ("GET",), names, regexes, protocol="websocket", host=context.host)
        yield DiscoveredRoute(served, route)


@dataclass(frozen=True)
class MountAdapter:
    """Starlette's `Mount`: of routes, which are walked, or of an app without a route table, which owns its subtree.

    A mount takes every request below its path, also those that its own routes do not serve.
    """

    def handles(self, route: Any) -> bool:
        """`Mount` and its subclasses."""
        return has_class(route, "starlette.routing.Mount")

    def walk(self, route: Any, context: MountContext) -> Iterator[WalkStep]:
        """Yield the mounted paths, with the mount's path before them."""
        prefix, regexes = full_path(route, context)
        inner = replace(context, prefix=prefix, regexes=regexes)
        yield _mounted_app(route, getattr(route, "_base_app", route.app), inner)


def _mounted_app(route: Any, app: Any, context: MountContext) -> Mounted:
    """Return the paths of an app that a route holds; mlflow, for example, mounts a Flask application."""
    router = find_route_table(app)
    if router is None:
        return Mounted(context, tuple(_subtree(route.app, context, route)))
    if hasattr(router, "url_map"):
        return Mounted(context, tuple(_flask_rules(router, route, context)), "werkzeug")
    return Mounted(context, (NestedRouter(router, context),))


def _flask_rules(app: Any, holder: Any, context: MountContext) -> Iterator[DiscoveredRoute]:
    for served in served_by_flask(app):
        path, regexes = context.prefix + served.path, context.regexes + served.regexes
        yield DiscoveredRoute(replace(served, path=path, regexes=regexes, host=context.host), holder)


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
    subtree = f"{context.prefix}/{{proxy:path}}"
    yield DiscoveredRoute(
        ServedPath(subtree, methods, names, (*context.regexes, rest), host=context.host),
        holder,
    )


@dataclass(frozen=True)
class HostAdapter:
    """Starlette's `Host`: its routes answer only under one host name."""

    def handles(self, route: Any) -> bool:
        """`Host` and its subclasses."""
        return has_class(route, "starlette.routing.Host")

    def walk(self, route: Any, context: MountContext) -> Iterator[WalkStep]:
        """Yield the paths inside, with the host that they require."""
        yield _mounted_app(route, route.app, replace(context, host=route.host))


@dataclass(frozen=True)
class IncludedRouterAdapter:
    """FastAPI's included router: it matches requests as if its routes were part of the table that includes it."""

    def handles(self, route: Any) -> bool:
        """The entry that `include_router` adds to the table, in the FastAPI releases that keep routers whole."""
        return has_class(route, "fastapi.routing._IncludedRouter")

    def walk(self, route: Any, context: MountContext) -> Iterator[WalkStep]:
        """Yield its routes, each with the prefix under which it is included."""
        # FastAPI 0.137 has no low-priority routes.
        low_priority_routes = getattr(route, "effective_low_priority_routes", tuple)
        entries = [*route.effective_route_contexts(), *low_priority_routes()]
        yield NestedRouter([getattr(entry, "starlette_route", None) or entry for entry in entries], context)


@dataclass(frozen=True)
class FrontendAdapter:
    """FastAPI's `frontend()`: files at a path and below it, matched after every other route."""

    def handles(self, route: Any) -> bool:
        """A group of frontends, in the app's own table or in an included router."""
        return has_class(getattr(route, "original_route", route), "fastapi.routing._FrontendRouteGroup")

    def walk(self, route: Any, context: MountContext) -> Iterator[WalkStep]:
        """Yield each frontend's path, and everything below it."""
        included_prefix = getattr(route, "frontend_prefix", "")
        for frontend in getattr(route, "original_route", route).routes:
            path = context.prefix + included_prefix + frontend.path.rstrip("/")
            methods = tuple(sorted(frontend.methods))
            names = handler_names(frontend.app)
            if path:
                served = ServedPath(path, methods, names, context.regexes, host=context.host)
                yield DiscoveredRoute(served, frontend, is_fallback=True)
            subtree = f"{path}/{{proxy:path}}"
            served = ServedPath(subtree, methods, names, (*context.regexes, ANY_PATH), host=context.host)
            yield DiscoveredRoute(served, frontend, is_fallback=True)


ADAPTERS: tuple[Adapter, ...] = (
    FrontendAdapter(),
    IncludedRouterAdapter(),
    RouteAdapter(),
    WebSocketAdapter(),
    MountAdapter(),
    HostAdapter(),
)
