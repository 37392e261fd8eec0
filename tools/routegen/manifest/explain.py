"""Which app a request goes to, and why: the manifest and the gateway's model, asked about one request."""

from dataclasses import dataclass

from routegen.gateway import ANY, RouteKey, RouteTable
from routegen.manifest import Manifest, Route

NO_KEY = "no route key takes it"
OTHER_SLASH = "no route key takes it: {path} has one, and the trailing slash makes another path"
OTHER_METHOD = "no route key takes this method; this path has one for {methods}"
REFUSES = "; {app} serves {methods} here and refuses {method} itself"
PROBED = ("GET", "POST", "DELETE")
"""The methods that are tried to say which a path has."""


@dataclass(frozen=True)
class Explanation:
    """Where a request goes.

    Attributes:
        method: the request's method.
        path: the request's path, as asked.
        route_key: the key that takes it; None for `$default`.
        app: the app that gets it.
        role: what the path is; None behind `$default`.
        why: one sentence.
    """

    method: str
    path: str
    route_key: str | None
    app: str
    role: str | None
    why: str


class Explainer:
    """A manifest's routes, ready to be asked."""

    def __init__(self, manifest: Manifest) -> None:
        """Build the table; costs time linear in the number of route keys."""
        self._default = manifest.default
        self._routes = {text: route for route in manifest.routes for text in route.route_keys}
        self._table = RouteTable(map(RouteKey.parse, self._routes))

    def explain(self, method: str, path: str) -> Explanation:
        """Say where a request goes.

        Args:
            method: in capitals.
            path: percent-encoded, with or without a query, which no route looks at.
        """
        bare = path.partition("?")[0].partition("#")[0]
        key = self._table.select(method, bare)
        if key is None:
            return Explanation(method, path, None, self._default, None, self._why_default(bare))
        route = self._routes[str(key)]
        return Explanation(method, path, str(key), route.app, route.role, _why(key, route, method))

    def _why_default(self, path: str) -> str:
        without_slash = path.rstrip("/")
        if without_slash != path and self._table.select(ANY, without_slash):
            return OTHER_SLASH.format(path=without_slash)
        methods = [method for method in PROBED if self._table.select(method, path)]
        return OTHER_METHOD.format(methods=", ".join(methods)) if methods else NO_KEY


def how_it_matches(key: RouteKey) -> str:
    """How a route key takes a request that it is selected for."""
    if key.shape[-1] == "{+}":
        return "no key matches in full, and of those with a greedy variable this has the longest prefix"
    if "{" in key.path:
        return "the path matches in full, with a variable; a literal key would come first"
    return "the path matches to the letter"


def _why(key: RouteKey, route: Route, method: str) -> str:
    if ANY in route.methods or method in route.methods:
        return how_it_matches(key)
    return how_it_matches(key) + REFUSES.format(app=route.app, methods=", ".join(route.methods), method=method)
