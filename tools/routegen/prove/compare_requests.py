"""The promise as rules for one request: whether the gateway asks an app exactly when it should.

`routegen.prove.app_proof` applies these rules to every kind of paths, with the answers that follow from the app's route
table, and to each request that was sent to the app.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from routegen.config import AppConfig
from routegen.discover import ServedRoutes
from routegen.discover.routing_model import RoutingModel
from routegen.extract.reserved import reservable_paths
from routegen.extract.unreachable import is_endpoint, mark_endpoints, redirected_path
from routegen.extract.unsupported import translate_served_path
from routegen.gateway import ANY, RouteKey, shape
from routegen.gateway.automaton import PathAutomaton, PathKind
from routegen.gateway.selection_model import EVERY_METHOD, SelectionModel, distinct_methods
from routegen.manifest import Manifest, Route
from routegen.manifest.explain import NO_APP
from routegen.prove.driven_request import DrivenRequest
from routegen.roles import classify_path, discovery_documents

DisagreementKind = Literal["under-routed", "over-routed", "reserved", "middleware"]

_TEXTS: dict[DisagreementKind, str] = {
    "under-routed": "{request} is served by {app}{place}, and goes to {target}{through}",
    "over-routed": "{request} goes to {app} through {key}, and {app} serves nothing there",
    "reserved": "{request} is served by {app}, and {key} is reserved for its 404",
    "middleware": "middleware of {app} answers {request} with {status}; the route table does not list it, "
    "so it goes to {target}",
}
_EVERY_PATH = shape("/{proxy+}")


@dataclass(frozen=True)
class Disagreement:
    """A request on which manifest and app disagree.

    Attributes:
        kind: `under-routed`: the app serves the request, and another app gets it; `over-routed`: the app gets the
            request, and does not serve it; `reserved`: the app serves a path that is reserved for its 404;
            `middleware`: middleware answers a path that clients ask about an endpoint, and another app gets it.
        app: the app that disagrees.
        path: percent-encoded.
        route_key: the route key that takes the request; None for `$default`.
        goes_to: the app that gets the request; None if no app does, so that the gateway answers 404.
        text: one sentence.
    """

    kind: DisagreementKind
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
        served_paths: the paths that the app serves.
        automaton: tells which paths of the app and of the manifest match a request.
        model: the app's route table.
        excused: each reason why the app may lose requests that it serves, or get others, with the first such request.
            The reasons are the kinds of unsupported paths, and three more: `shadowed`, if a rule of the app takes
            every path and another app has a route for the request; `claimed`, if another app claims the path in its
            `routes`; `wider`, if the route is as wide as the app's path in API Gateway's notation.
    """

    def __init__(
        self, manifest: Manifest, app: AppConfig, routes: ServedRoutes, claims: Mapping[str, str] | None = None
    ) -> None:
        """Prepare both tables; the time is linear in their sizes.

        Args:
            manifest: the manifest.
            app: the app.
            routes: what the app serves.
            claims: the app that claims each path in its `routes`.
        """
        self.app = app
        self.served_paths = mark_endpoints(app, routes.paths)
        self.automaton = PathAutomaton()
        self.model = RoutingModel(routes, self.automaton)
        self.excused: dict[str, str] = {}
        self._claims = claims or {}
        self._default = manifest.default
        self._routes = manifest.routes_by_key
        self._selection = SelectionModel(map(RouteKey.parse, self._routes), self.automaton)
        has_default = manifest.default is not None
        translated = [translate_served_path(app.name, served, has_default=has_default) for served in self.served_paths]
        self._unsupported = [{problem.kind for problem in result.unsupported} for result in translated]
        self._shapes = [result.translation and shape(result.translation.path) for result in translated]
        self._wider_shapes = {
            shape(path.path) for result in translated if (path := result.translation) and path.widened
        }
        endpoints = (served.path for served in self.served_paths if is_endpoint(served))
        self._documents = {path for endpoint in endpoints for path, _ in discovery_documents(endpoint)}
        self._reservable = {path for path, _, _ in reservable_paths(app, manifest.routes)}
        for served, result in zip(self.served_paths, translated, strict=True):
            if result.translation and classify_path(served.path, served.handlers).role == "mcp-endpoint":
                self._reservable |= {path for path, _ in discovery_documents(result.translation.path)}

    def methods(self, kind: PathKind) -> list[str]:
        """Return the methods that can have different answers at a kind of paths; the last one stands for all others."""
        return distinct_methods(self.model.methods(kind) | self._selection.methods(kind))

    def disagreements(self, answered: Iterable[tuple[DrivenRequest, PathKind]]) -> tuple[Disagreement, ...]:
        """Return the disagreement with the shortest path for each kind of disagreement, route and served path.

        The keys of another app's route count as one. A 405 is left out if another method at the same path has a
        disagreement of the same kind.

        Args:
            answered: the requests, each with the app's answer and with the kind of its decoded path.
        """
        chosen: dict[tuple[str, str, int], Disagreement] = {}
        paths: set[tuple[str, str, str]] = set()
        compared = [(request, self._compare(request, kind)) for request, kind in answered]
        pairs = [(request, disagreement) for request, disagreement in compared if disagreement]
        for request, disagreement in sorted(pairs, key=lambda pair: _reading_order(pair[0])):
            key = disagreement.route_key or ""
            route = key.partition(" ")[2] if disagreement.kind == "under-routed" else key
            if request.position >= 0 or (disagreement.kind, route, request.path) not in paths:
                chosen.setdefault((disagreement.kind, route, request.position), disagreement)
            paths.add((disagreement.kind, route, request.path))
        return tuple(chosen.values())

    def _compare(self, request: DrivenRequest, kind: PathKind) -> Disagreement | None:
        """Return the disagreement on a request; None if manifest and app agree, or if it is excused."""
        key, route, goes_to = self._select(request, kind)
        if goes_to != self.app.name:
            disagreement = self._lost_request(request, kind, route)
        else:
            disagreement = self._wrong_request(request, kind, route) if route else None
        if disagreement is None:
            return None
        served = self.served_paths[request.position] if request.position >= 0 else None
        text = _TEXTS[disagreement].format(
            request=f"{request.method} {request.path}",
            app=self.app.name,
            place=f" at {served.path} ({' '.join(served.methods or (ANY,))})" if served else "",
            target=goes_to or NO_APP,
            through=f" through {key}" if key else "",
            key=key,
            status=request.status,
        )
        route_key = str(key) if key else None
        return Disagreement(disagreement, self.app.name, request.method, request.path, route_key, goes_to, text)

    def gets_page(self, request: DrivenRequest, kind: PathKind) -> bool:
        """Whether the gateway sends the app a request for a document, which the app answers like an invented path."""
        is_document = request.is_page and request.outcome == "not-found" and request.path in self._documents
        return is_document and self._select(request, kind)[2] == self.app.name

    def _select(self, request: DrivenRequest, kind: PathKind) -> tuple[RouteKey | None, Route | None, str | None]:
        """Return the route key that the gateway selects, with its route and the app that gets the request."""
        key = self._selection.select(kind, request.method)
        route = None if key is None else self._routes[str(key)]
        return key, route, self._default if route is None else route.app

    def _lost_request(self, request: DrivenRequest, kind: PathKind, route: Route | None) -> DisagreementKind | None:
        """Return the disagreement on a request that another app gets."""
        is_document = request.method == "GET" and request.path in self._documents and not request.is_page
        if is_document and request.outcome == "not-found" and request.status in range(200, 300):
            return "middleware"
        # A 405 is an answer too, unless the app shares its paths with another one by method.
        is_refused_method = request.outcome == "method-not-allowed" and self.app.methods != "exact"
        is_served = request.outcome == "served" or is_refused_method
        return "under-routed" if is_served and not self._excuse(request, self._excuses(request, kind, route)) else None

    def _wrong_request(self, request: DrivenRequest, kind: PathKind, route: Route) -> DisagreementKind | None:
        """Return the disagreement on a request that a route sends to the app.

        A redirect to the same path with or without a slash is an answer of the app. If the route key is for any
        method, the app also answers the methods that it refuses, even if a later mount refuses them with a 404. A
        route that is wider than the app must have the shape of a path that a route key cannot express, a reserved
        path must be a document that clients ask for, and the configuration must give an owned path to the app.
        """
        if request.outcome == "served":
            # RG223 is about what a rule for every path answers at a reserved path.
            is_right = not route.reserved or "everything" in self._unsupported[request.position]
            return None if is_right else "reserved"
        path, route_shape = route.path, shape(route.path)
        matching_shapes = [self._shapes[position] for position in self.model.positions(kind)]
        is_right = (
            request.outcome == "redirected"
            or self.app.owns(path)
            or path in {*self.app.routes, *self.app.endpoints, *(self._reservable if route.reserved else ())}
            or (route.widened is not None and route_shape in self._wider_shapes and self._excuse(request, {"wider"}))
        )
        if not is_right and f"{ANY} {path}" in route.route_keys and not route.reserved:
            is_right = request.outcome == "method-not-allowed" or route_shape in matching_shapes
        return None if is_right else "over-routed"

    def _excuses(self, request: DrivenRequest, kind: PathKind, route: Route | None) -> set[str]:
        """Return the reasons why another app may get a request that the app serves."""
        # A 405 does not tell which route has refused the method.
        positions = [request.position] if request.position >= 0 else self.model.positions(kind)
        if route and self._claims.get(route.path) == route.app:
            return {"claimed"}
        if route and _EVERY_PATH in [self._shapes[position] for position in positions]:
            return {"shadowed"}
        candidates = [self.served_paths[position] for position in positions]
        if any(redirected_path(served) and is_endpoint(served) for served in candidates):
            return set()  # clients reach the endpoint only through a redirect into another app
        reasons = {str(reason) for position in positions for reason in self._unsupported[position]}
        if not kind.ends_in_slash:
            reasons -= {"trailing-slash", "empty-rest"}
        return reasons if "//" in request.path else reasons - {"empty-segment"}

    def _excuse(self, request: DrivenRequest, reasons: set[str]) -> bool:
        for reason in reasons:
            self.excused.setdefault(reason, f"{request.method} {request.path}")
        return bool(reasons)


def _reading_order(request: DrivenRequest) -> tuple[int, str, bool, int]:
    method = EVERY_METHOD.index(request.method) if request.method in EVERY_METHOD else len(EVERY_METHOD)
    return len(request.path), request.path, request.position < 0, method
