"""Explain which route key takes a request, which app gets it, and why."""

from dataclasses import dataclass

from routegen.gateway import ANY, RouteKey, RouteTable
from routegen.manifest import Manifest, Route

NO_KEY = "no route key takes it"
NO_APP = "no app: the gateway answers 404"
NO_DEFAULT = "; there is no default app"
OTHER_SLASH = "no route key takes it; {path} has a route key, but a path with a trailing slash is another path"
OTHER_METHOD = "no route key takes this method; this path has a route key for {methods}"
RESERVED = "; {app} serves nothing at this path and answers 404 itself: {reason}"
REFUSES = "; {app} serves {methods} at this path and refuses {method} itself"
PROBED_METHODS = ("GET", "POST", "DELETE")
"""The methods that an explanation tries, to list those that have a route key at a path."""


@dataclass(frozen=True)
class Explanation:
    """Where the gateway sends a request, and why.

    Attributes:
        method: the request's method.
        path: the request's path, as given.
        route_key: the route key that takes the request; None for `$default`.
        app: the app that gets the request; None if no app does, so that the gateway answers 404.
        role: the role of the path in the manifest; None for `$default`.
        reason: one sentence.
    """

    method: str
    path: str
    route_key: str | None
    app: str | None
    role: str | None
    reason: str

    @property
    def goes_to(self) -> str:
        """The app that gets the request, or that no app gets it, as the end of a sentence."""
        return self.app or NO_APP


class Explainer:
    """A manifest's routes, ready to select and explain requests.

    Attributes:
        default: the app behind `$default`; None if there is none.
        routes: the manifest's entry of each route key.
    """

    def __init__(self, manifest: Manifest) -> None:
        """Build the route table; it costs time linear in the number of route keys."""
        self.default = manifest.default
        self.routes = manifest.routes_by_key
        self._table = RouteTable(map(RouteKey.parse, self.routes))

    def select(self, method: str, path: str) -> RouteKey | None:
        """The route key that takes a request; None for `$default`."""
        return self._table.select(method, path)

    def explain(self, method: str, path: str) -> Explanation:
        """Explain one request.

        Args:
            method: in capitals.
            path: percent-encoded, with or without a query; a query does not matter for selection.
        """
        path_only = path.partition("?")[0].partition("#")[0]
        key = self._table.select(method, path_only)
        if key is None:
            reason = self._reason_for_default(path_only) + ("" if self.default else NO_DEFAULT)
            return Explanation(method, path, None, self.default, None, reason)
        route = self.routes[str(key)]
        return Explanation(method, path, str(key), route.app, route.role, _reason(key, route, method))

    def _reason_for_default(self, path: str) -> str:
        without_slash = path.rstrip("/")
        if without_slash != path and self._table.select(ANY, without_slash):
            return OTHER_SLASH.format(path=without_slash)
        methods = [method for method in PROBED_METHODS if self._table.select(method, path)]
        return OTHER_METHOD.format(methods=", ".join(methods)) if methods else NO_KEY


def how_it_matches(key: RouteKey) -> str:
    """Describe how a route key matches the requests that it is selected for."""
    if key.shape[-1] == "{+}":
        return "no key matches in full, and of the keys with a greedy variable this one has the longest prefix"
    if "{" in key.path:
        return "the path matches in full, with a variable; a literal key would come first"
    return "the path matches exactly"


def _reason(key: RouteKey, route: Route, method: str) -> str:
    if route.reserved:
        return how_it_matches(key) + RESERVED.format(app=route.app, reason=route.reserved)
    if ANY in route.methods or method in route.methods:
        return how_it_matches(key)
    return how_it_matches(key) + REFUSES.format(app=route.app, methods=", ".join(route.methods), method=method)
