"""One adapter for each kind of route, asked in order.

An adapter says whether a route is its kind, and what the route serves at its place in the tree. It knows classes
by their qualified name instead of importing them: an app that doesn't use a framework doesn't pay for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from routegen.discover.flask_rules import rules_of
from routegen.discover.handlers import handler_names
from routegen.discover.served_path import Served
from routegen.discover.unwrap import is_a, table_of
from routegen.gateway.path_pattern import ANY_PATH, ANY_REST, PARAMETER


@dataclass(frozen=True)
class Place:
    """Where in the tree a route stands.

    Attributes:
        prefix: the path of the mounts around it.
        regexes: what each variable of `prefix` takes.
        host: the host that the routes around it ask for.
        redirects: the router sends a client on from `/x` to `/x/` where only that is served.
    """

    prefix: str = ""
    regexes: tuple[str, ...] = ()
    host: str | None = None
    redirects: bool = True


@dataclass(frozen=True)
class Found:
    """What an adapter has found.

    Attributes:
        served: what the app serves there.
        holder: the live object that answers through its attribute `attribute`; None where a router does.
        within: the mounts around it, the outermost first, each with the router that it holds beneath its middleware.
    """

    served: Served
    holder: Any = None
    attribute: str = "app"
    within: tuple[tuple[Any, Any], ...] = ()


@dataclass(frozen=True)
class Inside:
    """A router at another place, to be walked."""

    router: Any
    place: Place


@dataclass(frozen=True)
class Blocks:
    """From here on, a request below `place` is answered, or refused, by the mount that has been walked."""

    place: Place


Step = Found | Inside | Blocks


class Adapter(Protocol):
    """What a kind of route has to offer."""

    def knows(self, route: Any) -> bool:
        """Whether `route` is of this kind."""

    def steps(self, route: Any, place: Place) -> Iterator[Step]:
        """What `route` serves at `place`, and which routers are inside it."""


def regexes_of(path: str, convertors: Any) -> tuple[str, ...]:
    """What each variable of a path takes, in the path's order."""
    return tuple(convertors[name].regex for name, _ in PARAMETER.findall(path))


def path_of(route: Any, place: Place) -> tuple[str, tuple[str, ...]]:
    """A route's whole path, and what each of its variables takes."""
    return place.prefix + route.path, place.regexes + regexes_of(route.path, route.param_convertors)


@dataclass(frozen=True)
class RouteAdapter:
    """Starlette's `Route`: a function, a class, or an ASGI instance (which is how FastMCP serves `/mcp`).

    `Route.methods` is None for an ASGI instance without methods: it takes them all (starlette.routing).
    """

    def knows(self, route: Any) -> bool:
        """`Route` and what derives from it, FastAPI's `APIRoute` too."""
        return is_a(route, "starlette.routing.Route") or is_a(route, "fastapi.routing._EffectiveRouteContext")

    def steps(self, route: Any, place: Place) -> Iterator[Step]:
        """The one path of the route."""
        path, regexes = path_of(route, place)
        methods = tuple(sorted(route.methods)) if route.methods else None
        served = Served(path, methods, handler_names(route.endpoint), regexes, host=place.host)
        # FastAPI from 0.137 on kept no app for an included route at first, and made one for each request.
        makes = is_a(route, "fastapi.routing._EffectiveRouteContext") and not hasattr(route, "app")
        yield Found(served, route.original_route, "get_route_handler") if makes else Found(served, route)


@dataclass(frozen=True)
class WebSocketAdapter:
    """Starlette's `WebSocketRoute`: only a WebSocket handshake reaches it."""

    def knows(self, route: Any) -> bool:
        """`WebSocketRoute` and what derives from it."""
        return is_a(route, "starlette.routing.WebSocketRoute")

    def steps(self, route: Any, place: Place) -> Iterator[Step]:
        """The one path of the route."""
        path, regexes = path_of(route, place)
        names = handler_names(route.endpoint)
        yield Found(Served(path, ("GET",), names, regexes, protocol="websocket", host=place.host), route)


@dataclass(frozen=True)
class MountAdapter:
    """Starlette's `Mount`: of routes, which are walked, or of an app that can't be, which owns its subtree.

    A mount takes every request below its path, also those that its own routes don't serve.
    """

    def knows(self, route: Any) -> bool:
        """`Mount` and what derives from it."""
        return is_a(route, "starlette.routing.Mount")

    def steps(self, route: Any, place: Place) -> Iterator[Step]:
        """What is mounted, with the mount's path before it."""
        prefix, regexes = path_of(route, place)
        inner = replace(place, prefix=prefix, regexes=regexes)
        yield from _held(route, getattr(route, "_base_app", route.app), inner)
        yield Blocks(inner)


def _held(route: Any, app: Any, place: Place) -> Iterator[Step]:
    """What a route that holds an app serves at a place; mlflow holds a Flask application."""
    router = table_of(app)
    if router is None:
        yield from _subtree(route.app, place, route)
    elif hasattr(router, "url_map"):
        for served in rules_of(router):
            path, regexes = place.prefix + served.path, place.regexes + served.regexes
            yield Found(replace(served, path=path, regexes=regexes, host=place.host), route)
    else:
        yield Inside(router, place)


def _subtree(app: Any, place: Place, holder: Any) -> Iterator[Step]:
    """An app that can't be walked: it owns what lies below its mount point."""
    static = is_a(app, "starlette.staticfiles.StaticFiles")
    methods = ("GET", "HEAD") if static else None
    # Without html=True, StaticFiles has nothing at its own root (starlette.staticfiles).
    rest = ANY_REST if static and not app.html else ANY_PATH
    below = f"{place.prefix}/{{proxy:path}}"
    names = handler_names(app)
    if place.prefix and place.redirects and rest == ANY_PATH:
        yield Found(Served(place.prefix, methods, names, place.regexes, host=place.host, redirects=True))
    yield Found(Served(below, methods, names, (*place.regexes, rest), host=place.host), holder)


@dataclass(frozen=True)
class HostAdapter:
    """Starlette's `Host`: what is inside it answers under one host name only."""

    def knows(self, route: Any) -> bool:
        """`Host` and what derives from it."""
        return is_a(route, "starlette.routing.Host")

    def steps(self, route: Any, place: Place) -> Iterator[Step]:
        """What is inside, with the host that it asks for."""
        yield from _held(route, route.app, replace(place, host=route.host))


@dataclass(frozen=True)
class IncludedRouterAdapter:
    """FastAPI's included router: it matches request by request, as if its routes stood where it is included."""

    def knows(self, route: Any) -> bool:
        """What `include_router` leaves in the table, from the release on that keeps routers whole."""
        return is_a(route, "fastapi.routing._IncludedRouter")

    def steps(self, route: Any, place: Place) -> Iterator[Step]:
        """Its routes, with the prefix under which each is included."""
        # FastAPI 0.137 has no routes that are asked last.
        last = getattr(route, "effective_low_priority_routes", tuple)
        contexts = [*route.effective_route_contexts(), *last()]
        yield Inside([getattr(one, "starlette_route", None) or one for one in contexts], place)


@dataclass(frozen=True)
class FrontendAdapter:
    """FastAPI's `frontend()`: files at a path and below it, asked after every other route."""

    def knows(self, route: Any) -> bool:
        """A group of frontends, on its own or as part of an included router."""
        return is_a(getattr(route, "original_route", route), "fastapi.routing._FrontendRouteGroup")

    def steps(self, route: Any, place: Place) -> Iterator[Step]:
        """Each frontend's path, and all below it."""
        included = getattr(route, "frontend_prefix", "")
        for frontend in getattr(route, "original_route", route).routes:
            path = place.prefix + included + frontend.path.rstrip("/")
            methods = tuple(sorted(frontend.methods))
            names = handler_names(frontend.app)
            if path:
                yield Found(Served(path, methods, names, place.regexes, host=place.host), frontend)
            below = f"{path}/{{proxy:path}}"
            yield Found(Served(below, methods, names, (*place.regexes, ANY_PATH), host=place.host), frontend)


ADAPTERS: tuple[Adapter, ...] = (
    FrontendAdapter(),
    IncludedRouterAdapter(),
    RouteAdapter(),
    WebSocketAdapter(),
    MountAdapter(),
    HostAdapter(),
)
