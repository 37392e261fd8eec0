"""The promise as rules for one request: whether the gateway asks an app exactly when it should.

`AppComparison` is the only place that has these rules. `routegen.prove.all_paths` asks it about every kind of paths,
with the answers that follow from the app's route table, and `routegen.prove.app_proof` about each request that was
sent to the app.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from routegen.config import AppConfig
from routegen.discover import ServedRoutes
from routegen.discover.routing_model import RoutingModel
from routegen.extract.reserved import reservable_paths
from routegen.extract.unreachable import is_endpoint, mark_endpoints, redirected_path
from routegen.extract.unsupported import translate_served_path
from routegen.gateway import ANY, RouteKey, shape, takes_every_path
from routegen.gateway.automaton import PathAutomaton, PathKind
from routegen.gateway.selection_model import EVERY_METHOD, SelectionModel, distinct_methods
from routegen.manifest import Manifest, Route
from routegen.manifest.explain import NO_APP
from routegen.prove.driven_request import DrivenRequest
from routegen.roles import classify_path, discovery_documents


@dataclass(frozen=True)
class Disagreement:
    """A request on which manifest and app disagree.

    Attributes:
        kind: `under-routed`: the app serves the request, and another app gets it; `over-routed`: the app gets the
            request, and does not serve it; `reserved`: the app serves a path that is reserved for its 404;
            `middleware`: middleware answers a path that clients ask about an endpoint, and another app gets it.
        app: the app that disagrees.
        method: the request's method.
        path: the request's path, percent-encoded.
        route_key: the route key that takes the request; None for `$default`.
        goes_to: the app that gets the request; None if no app does, so that the gateway answers 404.
        text: one sentence.
    """

    kind: Literal["under-routed", "over-routed", "reserved", "middleware"]
    app: str
    method: str
    path: str
    route_key: str | None
    goes_to: str | None
    text: str


class AppComparison:
    """A manifest and one app, ready to compare requests.

    Attributes:
        app: the app.
        automaton: tells which paths of the app and of the manifest match a request.
        model: the app's route table.
        excused: each reason why the app may lose requests that it serves, or get others, with the first such request.
            The reasons are the kinds of unsupported paths, and three more: `shadowed`, if a rule of the app takes
            every path and another app has a route for the request; `claimed`, if another app claims the path in its
            `routes`; `wider`, if the route is as wide as the app's path in API Gateway's notation.
    """

    def __init__(
        self,
        manifest: Manifest,
        app: AppConfig,
        routes: ServedRoutes,
        claims: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Prepare both tables; the time is linear in their sizes.

        Args:
            manifest: the manifest.
            app: the app.
            routes: what the app serves.
            claims: the app that claims each path in its `routes`.
        """
        self.automaton = PathAutomaton()
        self.model = RoutingModel(routes, self.automaton)
        self.excused: dict[str, str] = {}
        self.app = app
        self._claims = claims
        self._default = manifest.default
        self._routes = {key: route for route in manifest.routes for key in route.route_keys}
        self._selection = SelectionModel(map(RouteKey.parse, self._routes), self.automaton)
        self._served_paths = served_paths = mark_endpoints(app, routes.paths)
        endpoints = (served.path for served in served_paths if is_endpoint(served))
        self._documents = {path for endpoint in endpoints for path, _ in discovery_documents(endpoint)}
        self._reservable = {path for path, _, _ in reservable_paths(app, manifest.routes)}
        has_default = manifest.default is not None
        translated = [translate_served_path(app.name, served, has_default=has_default) for served in served_paths]
        self._unsupported = [{problem.kind for problem in result.unsupported} for result in translated]
        self._catch_alls: set[int] = set()
        self._positions_by_shape: dict[tuple[str, ...], list[int]] = {}
        self._wider_shapes: set[tuple[str, ...]] = set()
        for position, translation in enumerate(result.translation for result in translated):
            if translation is None:
                continue
            if classify_path(served_paths[position].path, served_paths[position].handlers).role == "mcp-endpoint":
                self._reservable |= {path for path, _ in discovery_documents(translation.path)}
            self._positions_by_shape.setdefault(shape(translation.path), []).append(position)
            if takes_every_path(translation.path):
                self._catch_alls.add(position)
            if translation.widened:
                self._wider_shapes.add(shape(translation.path))

    @property
    def served_count(self) -> int:
        """How many paths the app serves."""
        return len(self._served_paths)

    def methods(self, kind: PathKind) -> list[str]:
        """Return the methods that can have different answers at a kind of paths; the last one stands for all others."""
        return distinct_methods(self.model.methods(kind) | self._selection.methods(kind))

    def compare(self, request: DrivenRequest, kind: PathKind) -> Disagreement | None:
        """Return the disagreement on a request; None if manifest and app agree, or if it is excused.

        Args:
            request: the request, with the app's answer.
            kind: the kind of its decoded path.
        """
        key, route, selected_app = self._select(request, kind)
        if selected_app != self.app.name:
            if self._middleware_serves(request):
                return self._answered_by_middleware(request, selected_app)
            if self._app_serves(request) and not self._is_excused(request, kind, route):
                return self._under_routed(request, route, selected_app)
        elif route is not None and route.reserved and request.outcome == "served":
            if "everything" in self._unsupported[request.position]:  # RG223 is about what such a rule answers here
                return None
            text = f"{request.method} {request.path} is served by {selected_app}, and {key} is reserved for its 404"
            return Disagreement("reserved", self.app.name, request.method, request.path, str(key), selected_app, text)
        elif route is not None and not self._route_allows(request, kind, route):
            return self._over_routed(request, str(key))
        return None

    def _middleware_serves(self, request: DrivenRequest) -> bool:
        """Whether middleware answers a path that clients ask about an endpoint, and no route of the app does."""
        is_document = request.method == "GET" and request.path in self._documents and not request.is_page
        return is_document and request.outcome == "not-found" and 200 <= request.status < 300

    def gets_page(self, request: DrivenRequest, kind: PathKind) -> bool:
        """Whether the gateway sends the app a request for a document, which the app answers like an invented path."""
        if not (request.is_page and request.outcome == "not-found" and request.path in self._documents):
            return False
        return self._select(request, kind)[2] == self.app.name

    def _select(self, request: DrivenRequest, kind: PathKind) -> tuple[RouteKey | None, Route | None, str | None]:
        """Return the route key that the gateway selects, with its route and the app that gets the request."""
        key = self._selection.select(kind, request.method)
        route = None if key is None else self._routes[str(key)]
        return key, route, self._default if route is None else route.app

    def _app_serves(self, request: DrivenRequest) -> bool:
        """Whether the app answers; a 405 counts too, unless the app shares its paths with another one by method."""
        is_refused_method = request.outcome == "method-not-allowed" and self.app.methods != "exact"
        return request.outcome == "served" or is_refused_method

    def _route_allows(self, request: DrivenRequest, kind: PathKind, route: Route) -> bool:
        """Whether the route is right to send a request to the app.

        A redirect to the same path with or without a slash is an answer of the app. If the route key is for any
        method, the app also answers the methods that it refuses, even if a later mount refuses them with a 404. A
        route that is wider than the app must have the shape of a path that a route key cannot express, a reserved
        path must be a document that clients ask for, and the configuration must give an owned path to the app.
        """
        if request.outcome in {"served", "redirected"} or self._is_owned(route.path):
            return True
        if route.reserved:
            return route.path in self._reservable
        if route.widened and shape(route.path) in self._wider_shapes:
            return self._excuse(request, {"wider"})
        if f"{ANY} {route.path}" not in route.route_keys:
            return False
        positions = self._positions_by_shape.get(shape(route.path), ())
        return request.outcome == "method-not-allowed" or any(one in kind.labels for one in positions)

    def _is_owned(self, path: str) -> bool:
        is_below = any(f"{path}/".startswith(f"{prefix}/") for prefix in self.app.own)
        return is_below or path in {*self.app.routes, *self.app.endpoints}

    def _is_excused(self, request: DrivenRequest, kind: PathKind, route: Route | None) -> bool:
        """Whether the extraction has reported the request's path as unsupported, or another app's route is right."""
        if route is not None and self._is_left_to(route, request, kind):
            return True
        if request.position >= 0:
            positions = [request.position]
        else:  # a 405 does not tell which route has refused the method
            positions = [position for position in self.model.positions(kind) if self._unsupported[position]]
        candidates = [self._served_paths[position] for position in positions]
        if any(redirected_path(served) and is_endpoint(served) for served in candidates):
            return False  # clients reach the endpoint only through a redirect into another app
        reasons = {reason for position in positions for reason in self._unsupported[position]}
        if not kind.ends_in_slash:
            reasons -= {"trailing-slash", "empty-rest"}
        if "//" not in request.path:
            reasons.discard("empty-segment")
        return self._excuse(request, reasons)

    def _excuse(self, request: DrivenRequest, reasons: Collection[str]) -> bool:
        for reason in reasons:
            self.excused.setdefault(reason, f"{request.method} {request.path}")
        return bool(reasons)

    def _answered_by_middleware(self, request: DrivenRequest, selected_app: str | None) -> Disagreement:
        text = (
            f"middleware of {self.app.name} answers GET {request.path} with {request.status}; the route "
            f"table does not list it, so it goes to {selected_app or NO_APP}"
        )
        return Disagreement("middleware", self.app.name, request.method, request.path, None, selected_app, text)

    def _is_left_to(self, route: Route, request: DrivenRequest, kind: PathKind) -> bool:
        """Whether another app's route is right: that app claims the path, or this app's rule takes every path."""
        if self._claims.get(route.path) == route.app:
            return self._excuse(request, {"claimed"})
        # A 405 does not tell which route has refused the method.
        positions = self._catch_alls if request.position < 0 else self._catch_alls & {request.position}
        is_shadowed = any(position in kind.labels for position in positions)
        return self._excuse(request, {"shadowed"} if is_shadowed else set())

    def _under_routed(self, request: DrivenRequest, route: Route | None, selected_app: str | None) -> Disagreement:
        key = route.route_keys[0] if route else None
        through = f" through {key}" if key else ""
        path = ""
        if request.position >= 0:
            served = self._served_paths[request.position]
            path = f" at {served.path} ({' '.join(served.methods) if served.methods else ANY})"
        served_by = f"is served by {self.app.name}{path}"
        text = f"{request.method} {request.path} {served_by}, and goes to {selected_app or NO_APP}{through}"
        return Disagreement("under-routed", self.app.name, request.method, request.path, key, selected_app, text)

    def _over_routed(self, request: DrivenRequest, key: str) -> Disagreement:
        app = self.app.name
        text = f"{request.method} {request.path} goes to {app} through {key}, and {app} serves nothing there"
        return Disagreement("over-routed", app, request.method, request.path, key, app, text)


def shortest_of_each(found: Iterable[tuple[DrivenRequest, Disagreement]]) -> tuple[Disagreement, ...]:
    """Return the disagreement with the shortest path for each kind of disagreement, route key and served path.

    A 405 is left out if another method at the same path has a disagreement of the same kind.
    """
    chosen: dict[tuple[str, str | None, int], Disagreement] = {}
    paths: set[tuple[str, str | None, str]] = set()
    for request, disagreement in sorted(found, key=lambda pair: _reading_order(pair[0])):
        place = (disagreement.kind, disagreement.route_key, request.path)
        if request.position >= 0 or place not in paths:
            chosen.setdefault((disagreement.kind, disagreement.route_key, request.position), disagreement)
        paths.add(place)
    return tuple(chosen.values())


def _reading_order(request: DrivenRequest) -> tuple[int, str, bool, int]:
    method = EVERY_METHOD.index(request.method) if request.method in EVERY_METHOD else len(EVERY_METHOD)
    return len(request.path), request.path, request.position < 0, method
