"""Compare the outcomes of an app's requests with the app that the gateway selects for each of them.

The gateway's model is `routegen.gateway.RouteTable`, with the assumptions of `routegen.gateway.assumptions`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote

from routegen.config import AppConfig
from routegen.discover.served_path import ServedPath
from routegen.extract.unreachable import is_endpoint, redirected_path
from routegen.extract.unsupported import translate_served_path
from routegen.gateway import ANY, RouteKey, RouteTable, shape, takes_every_path
from routegen.gateway.path_pattern import PathSegment, path_matches, split_path
from routegen.manifest import Manifest, Route
from routegen.manifest.explain import NO_APP
from routegen.prove.driver import DrivenRequest
from routegen.roles import discovery_documents


@dataclass(frozen=True)
class Disagreement:
    """A request on which manifest and app disagree.

    Attributes:
        kind: `under-routed`: the app serves the request, and another app gets it; `over-routed`: the app gets the
            request, and does not serve it; `reserved`: the app serves a path that is reserved for its 404;
            `middleware`: middleware answers a path that clients ask about an endpoint, and another app gets it.
        method: the request's method.
        path: the request's path, percent-encoded.
        route_key: the route key that takes the request; None for `$default`.
        goes_to: the app that gets the request; None if no app does, so that the gateway answers 404.
        text: one sentence.
    """

    kind: Literal["under-routed", "over-routed", "reserved", "middleware"]
    method: str
    path: str
    route_key: str | None
    goes_to: str | None
    text: str


@dataclass(frozen=True)
class AppProof:
    """The result of driving one app.

    Attributes:
        app: the app's name.
        routes: how many paths of the app were driven.
        requests: how many requests were tried.
        disagreements: the shortest paths first, then by path and method.
        excused: how many requests each kind of unsupported path excuses. Two more kinds: `shadowed`, if a rule of the
            app takes every path and another app has a route for the request; `claimed`, if another app claims the path.
        served: how many requests reached a route.
        answered_by_middleware: how many requests middleware answered, so that the router was asked without it.
        middleware_paths: the paths that only middleware answers, each with its status.
        pages: the documents of its endpoints that the app gets, and answers as it answers an invented path, each with
            its status.
    """

    app: str
    routes: int
    requests: int
    disagreements: tuple[Disagreement, ...]
    excused: dict[str, int]
    served: int
    answered_by_middleware: int
    middleware_paths: dict[str, int]
    pages: dict[str, int]


def compare_requests(
    manifest: Manifest,
    app: AppConfig,
    served_paths: Sequence[ServedPath],
    driven: Iterable[DrivenRequest],
    claims: Mapping[str, str] = MappingProxyType({}),
) -> AppProof:
    """Compare the outcomes of an app's requests with a manifest.

    Args:
        manifest: the manifest.
        app: the app.
        served_paths: the paths that the app serves.
        driven: the requests with their outcomes.
        claims: the app that claims each path in its `routes`.
    """
    comparison = _Comparison(manifest, app, served_paths, claims)
    disagreements: list[Disagreement] = []
    requests, served, answered_by_middleware = 0, 0, 0
    middleware_paths: dict[str, int] = {}
    pages: dict[str, int] = {}
    for request in driven:
        requests += 1
        served += request.outcome == "served"
        answered_by_middleware += request.without_middleware
        if request.without_middleware and request.outcome == "not-found" and request.status:
            middleware_paths.setdefault(request.path, request.status)
        if comparison.gets_page(request):
            pages[request.path] = request.status
        if disagreement := comparison.compare(request):
            disagreements.append(disagreement)
    disagreements.sort(key=lambda request: (len(request.path), request.path, request.method))
    excused = dict(comparison.excused)
    return AppProof(
        app.name,
        len(served_paths),
        requests,
        tuple(disagreements),
        excused,
        served,
        answered_by_middleware,
        dict(sorted(middleware_paths.items())),
        dict(sorted(pages.items())),
    )


class _Comparison:
    """The manifest and one app, ready to compare requests.

    Attributes:
        excused: how many requests each kind of unsupported path has excused.
    """

    def __init__(
        self, manifest: Manifest, app: AppConfig, served_paths: Sequence[ServedPath], claims: Mapping[str, str]
    ) -> None:
        self._claims = claims
        self.excused: Counter[str] = Counter()
        self._app = app
        self._default = manifest.default
        endpoints = (served.path for served in served_paths if is_endpoint(served))
        self._documents = {path for endpoint in endpoints for path, _ in discovery_documents(endpoint)}
        self._routes = {key: route for route in manifest.routes for key in route.route_keys}
        self._table = RouteTable(map(RouteKey.parse, self._routes))
        self._served_paths = served_paths
        self._segments = [split_path(served.path, served.regexes) for served in served_paths]
        has_default = manifest.default is not None
        translated = [translate_served_path(app.name, served, has_default=has_default) for served in served_paths]
        self._unsupported = [result.unsupported for result in translated]
        self._catch_alls = {
            position
            for position, result in enumerate(translated)
            if result.translation and takes_every_path(result.translation.path)
        }
        self._segments_by_shape: dict[tuple[str, ...], list[tuple[PathSegment, ...]]] = {}
        for segments, result in zip(self._segments, translated, strict=True):
            if result.translation:
                self._segments_by_shape.setdefault(shape(result.translation.path), []).append(segments)

    def compare(self, request: DrivenRequest) -> Disagreement | None:
        """Return the disagreement on a request; None if manifest and app agree, or if it is excused."""
        key = self._table.select(request.method, request.path)
        route = None if key is None else self._routes[str(key)]
        selected_app = self._default if route is None else route.app
        if selected_app != self._app.name:
            if self._middleware_serves(request):
                return self._answered_by_middleware(request, selected_app)
            if self._app_serves(request) and not self._is_excused(request, route):
                return self._under_routed(request, route, selected_app)
        elif route is not None and route.reserved and request.outcome == "served":
            text = f"{request.method} {request.path} is served by {selected_app}, and {key} is reserved for its 404"
            return Disagreement("reserved", request.method, request.path, str(key), selected_app, text)
        elif route is not None and not self._route_allows(request, route):
            return self._over_routed(request, str(key))
        return None

    def _middleware_serves(self, request: DrivenRequest) -> bool:
        """Whether middleware answers a path that clients ask about an endpoint, and no route of the app does."""
        is_document = request.method == "GET" and request.path in self._documents and not request.is_page
        return is_document and request.outcome == "not-found" and 200 <= request.status < 300

    def gets_page(self, request: DrivenRequest) -> bool:
        """Whether the gateway sends the app a request for a document, which the app answers like an invented path."""
        if not (request.is_page and request.outcome == "not-found" and request.path in self._documents):
            return False
        key = self._table.select(request.method, request.path)
        return (self._default if key is None else self._routes[str(key)].app) == self._app.name

    def _app_serves(self, request: DrivenRequest) -> bool:
        """Whether the app answers; a 405 counts too, unless the app shares its paths with another one by method."""
        is_refused_method = request.outcome == "method-not-allowed" and self._app.methods != "exact"
        return request.outcome == "served" or is_refused_method

    def _route_allows(self, request: DrivenRequest, route: Route) -> bool:
        """Whether the route is right to send a request to the app.

        A redirect to the same path with or without a slash is an answer of the app. If the route key is for any
        method, the app also answers the methods that it refuses, even if a later mount refuses them with a 404.
        """
        if request.outcome in {"served", "redirected"} or route.widened or route.reserved or route.role == "owned":
            return True
        if f"{ANY} {route.path}" not in route.route_keys:
            return False
        path = unquote(request.path)
        candidates = self._segments_by_shape.get(shape(route.path), ())
        return request.outcome == "method-not-allowed" or any(path_matches(segments, path) for segments in candidates)

    def _is_excused(self, request: DrivenRequest, route: Route | None) -> bool:
        """Whether the extraction has reported the request's path as unsupported, or another app's route is right."""
        if route is not None and self._is_left_to(route, request):
            return True
        path = unquote(request.path)
        if request.position >= 0:
            positions = [request.position]
        else:  # a 405 does not tell which route has refused the method
            positions = [
                position
                for position, unsupported in enumerate(self._unsupported)
                if unsupported and path_matches(self._segments[position], path)
            ]
        candidates = [self._served_paths[position] for position in positions]
        if any(redirected_path(served) and is_endpoint(served) for served in candidates):
            return False  # clients reach the endpoint only through a redirect into another app
        kinds = {problem.kind for position in positions for problem in self._unsupported[position]}
        if not path.endswith("/"):
            kinds -= {"trailing-slash", "empty-rest"}
        self.excused.update(kinds)
        return bool(kinds)

    def _answered_by_middleware(self, request: DrivenRequest, selected_app: str | None) -> Disagreement:
        text = (
            f"middleware of {self._app.name} answers GET {request.path} with {request.status}; the route table does "
            f"not list it, so it goes to {selected_app or NO_APP}"
        )
        return Disagreement("middleware", request.method, request.path, None, selected_app, text)

    def _is_left_to(self, route: Route, request: DrivenRequest) -> bool:
        """Whether another app's route is right: that app claims the path, or this app's rule takes every path."""
        if self._claims.get(route.path) == route.app:
            self.excused["claimed"] += 1
            return True
        # A 405 does not tell which route has refused the method.
        positions = self._catch_alls if request.position < 0 else self._catch_alls & {request.position}
        is_shadowed = any(path_matches(self._segments[position], unquote(request.path)) for position in positions)
        self.excused.update({"shadowed"} if is_shadowed else ())
        return is_shadowed

    def _under_routed(self, request: DrivenRequest, route: Route | None, selected_app: str | None) -> Disagreement:
        key = route.route_keys[0] if route else None
        through = f" through {key}" if key else ""
        path = ""
        if request.position >= 0:
            served = self._served_paths[request.position]
            path = f" at {served.path} ({' '.join(served.methods) if served.methods else ANY})"
        served_by = f"is served by {self._app.name}{path}"
        text = f"{request.method} {request.path} {served_by}, and goes to {selected_app or NO_APP}{through}"
        return Disagreement("under-routed", request.method, request.path, key, selected_app, text)

    def _over_routed(self, request: DrivenRequest, key: str) -> Disagreement:
        app = self._app.name
        text = f"{request.method} {request.path} goes to {app} through {key}, and {app} serves nothing there"
        return Disagreement("over-routed", request.method, request.path, key, app, text)
