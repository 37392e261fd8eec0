"""Walking a route table with the registry of adapters."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from routegen.discover.adapters import ADAPTERS, Blocks, Found, Inside, Place
from routegen.discover.flask_rules import rules_of
from routegen.discover.handlers import handler_names, qualified_name
from routegen.discover.served_path import Served, UnknownKindError
from routegen.discover.unwrap import is_a, table_of
from routegen.gateway.path_pattern import ANY_PATH, PathSegment, mount_covers, mount_overlaps, split_path


def discover(app: Any) -> list[Served]:
    """Everything that an app serves, in the order of its route table.

    Args:
        app: a Starlette or FastAPI application or router, a FastMCP server (its `http_app()` is walked, which holds
            what its auth provider adds), a Flask application, or ASGI middleware around one. An app of another
            kind serves whatever it is sent.

    Raises:
        UnknownKindError: it isn't an app, or a route of it is of a kind that no adapter knows.
    """
    return [found.served for found in find(app)]


def find(app: Any) -> list[Found]:
    """As `discover`, with the live objects that answer."""
    router = table_of(app)
    if router is None:
        if not callable(app):
            raise UnknownKindError(f"{qualified_name(app)} is not an ASGI or WSGI application")
        return [Found(Served("/{proxy:path}", None, handler_names(app), (ANY_PATH,)))]
    if hasattr(router, "url_map"):
        return [Found(served) for served in rules_of(router)]
    return [found for place in _places(app, router) for found in _Walk().router(router, place)]


def _places(app: Any, router: Any) -> Iterator[Place]:
    """FastAPI answers below its `root_path` as well as without it (starlette._utils.get_route_path)."""
    redirects = getattr(router, "redirect_slashes", True)
    yield Place(redirects=redirects)
    root = getattr(app, "root_path", "") if is_a(app, "fastapi.applications.FastAPI") else ""
    if root and not root.endswith("/"):
        yield Place(prefix=root, redirects=redirects)


@dataclass
class _Walk:
    """One walk: what has been walked through, and the mounts that stand before what comes next."""

    above: list[int] = field(default_factory=list)
    mounts: dict[str | None, list[tuple[str, str | None, tuple[PathSegment, ...]]]] = field(default_factory=dict)

    def router(self, router: Any, place: Place) -> Iterator[Found]:
        """All that a router, or a list of routes, serves at a place."""
        if id(router) in self.above:
            raise UnknownKindError(f"the router at {place.prefix or '/'} is mounted inside itself")
        self.above.append(id(router))
        routes = router if isinstance(router, list) else self._routes(router)
        inner = replace(place, redirects=getattr(router, "redirect_slashes", place.redirects))
        redirects: list[Found] = []
        for route in routes:
            yield from self._route(route, inner, redirects)
        # A router redirects when none of its routes takes the request, those after the mount included.
        yield from map(self._placed, redirects)
        default = getattr(router, "default", None)
        if default is not None and default != getattr(router, "not_found", None):
            names = handler_names(default)
            path = f"{place.prefix}/{{proxy:path}}"
            served = Served(path, None, names, (*place.regexes, ANY_PATH), host=place.host)
            yield self._placed(Found(served, router, "default"))
        self.above.pop()

    @staticmethod
    def _routes(router: Any) -> list[Any]:
        # FastAPI asks these after its routes.
        return [*router.routes, *getattr(router, "_low_priority_routes", ())]

    def _route(self, route: Any, place: Place, redirects: list[Found]) -> Iterator[Found]:
        adapter = next((adapter for adapter in ADAPTERS if adapter.knows(route)), None)
        if adapter is None:
            path = place.prefix + str(getattr(route, "path", ""))
            raise UnknownKindError(f"{qualified_name(route)} at {path or '/'} is a kind of route that can't be walked")
        for step in adapter.steps(route, place):
            match step:
                case Found(served) if served.redirects:
                    redirects.append(step)
                case Found():
                    yield self._placed(step)
                case Inside(list(routes), inner):
                    yield from self.router(routes, inner)
                case Inside(router, inner):
                    for found in self.router(router, inner):
                        yield replace(found, within=((route, router), *found.within))
                case Blocks(inner):
                    self._block(inner)

    def _block(self, place: Place) -> None:
        pattern = split_path(place.prefix, place.regexes)
        first = pattern[0].source if pattern and pattern[0].is_literal else None
        self.mounts.setdefault(first, []).append((place.prefix or "/", place.host, pattern))

    def _placed(self, found: Found) -> Found:
        """With what the mounts before it take away: Starlette's first match wins."""
        served = found.served
        if not self.mounts:
            return found
        pattern = split_path(served.path, served.regexes)
        before = (
            [*self.mounts.get(pattern[0].source, ()), *self.mounts.get(None, ())]
            if pattern[0].is_literal
            else [mount for mounts in self.mounts.values() for mount in mounts]
        )
        before = [mount for mount in before if mount[1] in {None, served.host}]
        for path, _, mount in before:
            if mount_covers(mount, pattern):
                return replace(found, served=replace(served, hidden_by=path))
        partly = next((path for path, _, mount in before if mount_overlaps(mount, pattern)), None)
        return replace(found, served=replace(served, partly_hidden_by=partly))
