"""An app's routers as a tree: the order in which they try their routes, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from routegen.discover.served_path import ServedPath

RouterKind = Literal["starlette", "werkzeug", "root-path", "opaque"]


@dataclass
class RouteTree:
    """One router: the app's own, or that of a mount.

    A router tries its routes in order. A mount takes every request below its path, also those that nothing inside it
    serves (starlette.routing.Router.app).

    Attributes:
        path: the path of the mount, with those around it; empty for the app's own router.
        regexes: the regular expression of each variable of `path`.
        host: the host name that a request must have; None for any.
        redirects_slashes: whether it redirects to the path with or without the final slash, if only that is served.
        kind: `starlette`; `werkzeug`, which merges repeated slashes and never redirects to a path without a slash;
            `root-path`, a copy of the app's own router for the paths below a prefix that is taken off; `opaque`, an
            app without a route table.
        routes: the positions of its paths in the list of served paths, and the routers of its mounts.
        fallbacks: the positions of the paths that it serves if neither a route nor a redirect answers.
    """

    path: str = ""
    regexes: tuple[str, ...] = ()
    host: str | None = None
    redirects_slashes: bool = True
    kind: RouterKind = "starlette"
    routes: list["int | RouteTree"] = field(default_factory=list)
    fallbacks: list[int] = field(default_factory=list)

    @property
    def positions(self) -> list[int]:
        """The positions of all paths in it, those in its mounts too."""
        mounted = (route.positions if isinstance(route, RouteTree) else [route] for route in self.routes)
        return [*chain.from_iterable(mounted), *self.fallbacks]

    def as_data(self) -> dict[str, Any]:
        """Return the fields as data for JSON."""
        routes = [route.as_data() if isinstance(route, RouteTree) else route for route in self.routes]
        return {**vars(self), "routes": routes}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "RouteTree":
        """Build a tree from `as_data`, after JSON has turned tuples into lists."""
        routes = [cls.from_data(route) if isinstance(route, dict) else route for route in data["routes"]]
        return cls(**{**data, "regexes": tuple(data["regexes"]), "routes": routes})


@dataclass(frozen=True)
class ServedRoutes:
    """What an app serves.

    Attributes:
        paths: the paths, in the order of the app's route table.
        tree: the routers that serve them.
    """

    paths: list[ServedPath]
    tree: RouteTree

    def as_data(self) -> dict[str, Any]:
        """Return the fields as data for JSON."""
        return {"paths": [served.as_data() for served in self.paths], "tree": self.tree.as_data()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "ServedRoutes":
        """Build it from `as_data`, after JSON has turned tuples into lists."""
        return cls([ServedPath.from_data(entry) for entry in data["paths"]], RouteTree.from_data(data["tree"]))
