"""One adapter for each kind of route, asked in order.

An adapter says whether a route is its kind, and what the route serves below a prefix. It knows classes by
their qualified name instead of importing them: an app that doesn't use a framework doesn't pay for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from routegen.discover.handlers import handler_names
from routegen.discover.served import Served, UnknownKindError


class Adapter(Protocol):
    """What a kind of route has to offer."""

    def knows(self, route: Any) -> bool:
        """Whether `route` is of this kind."""

    def serve(self, route: Any, prefix: str, walk: "Walk") -> Iterator[Served]:
        """What `route` serves below `prefix`; `walk` takes the routes inside it."""


Walk = Callable[[Sequence[Any], str], Iterator[Served]]


def is_a(value: Any, qualified_name: str) -> bool:
    """Whether a class of this name is among the value's classes."""
    return any(f"{cls.__module__}.{cls.__qualname__}" == qualified_name for cls in type(value).__mro__)


@dataclass(frozen=True)
class RouteAdapter:
    """Starlette's `Route`: a function, a class, or an ASGI instance (which is how FastMCP serves `/mcp`).

    `Route.methods` is None for an ASGI instance without methods: it takes them all (starlette.routing).
    """

    def knows(self, route: Any) -> bool:
        """`Route` and what derives from it, FastAPI's `APIRoute` too."""
        return is_a(route, "starlette.routing.Route")

    def serve(self, route: Any, prefix: str, walk: Walk) -> Iterator[Served]:
        """The one path of the route."""
        del walk
        methods = None if route.methods is None else tuple(sorted(route.methods))
        yield Served(prefix + route.path, methods, handler_names(route.endpoint))


@dataclass(frozen=True)
class MountAdapter:
    """Starlette's `Mount`: of routes, which are walked, or of an app that can't be, which owns its subtree."""

    def knows(self, route: Any) -> bool:
        """`Mount` and what derives from it."""
        return is_a(route, "starlette.routing.Mount")

    def serve(self, route: Any, prefix: str, walk: Walk) -> Iterator[Served]:
        """What is mounted, with the mount's path before it."""
        if route.routes:
            yield from walk(route.routes, prefix + route.path)
        elif not prefix + route.path:
            names = ", ".join(handler_names(route.app))
            raise UnknownKindError(f"{names} is mounted at '/' and can't be walked; it would take every path")
        else:
            yield Served(prefix + route.path, None, handler_names(route.app), subtree=True)


ADAPTERS: tuple[Adapter, ...] = (RouteAdapter(), MountAdapter())
