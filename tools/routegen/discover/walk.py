"""Walking a route table with the registry of adapters."""

from collections.abc import Iterator, Sequence
from typing import Any

from routegen.discover.adapters import ADAPTERS, is_a
from routegen.discover.handlers import qualified_name
from routegen.discover.served import Served, UnknownKindError


def discover(app: Any) -> list[Served]:
    """Everything that an app serves, in the order of its route table.

    Args:
        app: a Starlette or FastAPI application or router, or a FastMCP server (its `http_app()` is walked,
            which holds what its auth provider adds).

    Raises:
        UnknownKindError: the app, or a route of it, is of a kind that no adapter knows.
    """
    if is_a(app, "fastmcp.server.server.FastMCP"):
        app = app.http_app()
    routes = getattr(app, "routes", None)
    if not isinstance(routes, list):
        raise UnknownKindError(
            f"{qualified_name(app)} has no route table; routegen walks Starlette, FastAPI and FastMCP applications"
        )
    return list(_walk(routes, ""))


def _walk(routes: Sequence[Any], prefix: str) -> Iterator[Served]:
    for route in routes:
        adapter = next((adapter for adapter in ADAPTERS if adapter.knows(route)), None)
        if adapter is None:
            path = prefix + str(getattr(route, "path", ""))
            raise UnknownKindError(f"{qualified_name(route)} at {path or '/'} is a kind of route that can't be walked")
        yield from adapter.serve(route, prefix, _walk)
