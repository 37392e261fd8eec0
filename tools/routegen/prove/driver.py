"""Send requests to an app in the process that has loaded it, without running any of its endpoints.

A stub replaces the app behind each route. The app's own middleware, routers and mounts decide whether a request
reaches a stub.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from routegen.discover import DiscoveredRoute, ServedPath, UnknownRouteKindError, discover_routes, resolve_asgi_app
from routegen.discover.routing_model import Outcome
from routegen.discover.unwrap import base_path, find_route_table
from routegen.gateway.path_pattern import ANY_REST
from routegen.load.application import AppReferenceError
from routegen.prove.driven_request import DrivenRequest
from routegen.roles import classify_path

_OUTCOME_BY_STATUS: dict[int, Outcome] = {404: "not-found", 405: "method-not-allowed"}


def run_task(app: Any, exchange: Callable[[dict[str, Any]], list[tuple[str, str]]]) -> dict[str, Any]:
    """Report what an app serves, send it the requests of the reply, and return data for JSON: `{"driven": [...]}`.

    Args:
        app: the app.
        exchange: takes the data of `ServedRoutes`, and returns the requests. It ends the load time-out, because
            driving can take longer.
    """
    prefix = base_path(app)
    app = app if prefix else resolve_asgi_app(app)
    routes, served = discover_routes(app)
    requests = exchange(served.as_data())
    app = _without_base_path(resolve_asgi_app(app), prefix) if prefix else app
    return {"driven": drive_app(app, routes, requests)}


def _without_base_path(app: Any, prefix: str) -> Any:
    """Return an app without the path that its Lambda handler takes off the requests (mangum.handlers.utils)."""

    async def without_base_path(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix(prefix) or "/"
        await app({**scope, "path": path, "raw_path": quote(path).encode()}, receive, send)

    return without_base_path


class _Stub:
    """The replacement of the app behind a route: it records that a request reached the route.

    Attributes:
        url_map: the rules of a mounted Flask application; None for every other app.
    """

    def __init__(self, served_paths: Mapping[int, ServedPath], driver: "_Driver", app: Any) -> None:
        self._served_paths = served_paths
        self._driver = driver
        self.url_map: Any = getattr(find_route_table(app), "url_map", None)

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        matching = [position for position, served in self._served_paths.items() if served.matches(self._driver.path)]
        answer = self._answer if self.url_map is None else self._answer_as_flask
        status, location = answer(scope, matching)
        headers = [(b"location", location.encode())] if location else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    async def respond(self, _request: Any) -> "_Stub":
        """Replace the functions that FastAPI's included routes make, and the search for a file of its frontends."""
        return self

    get_response_for_scope = respond

    def _answer(self, scope: Any, matching: list[int]) -> tuple[int, str]:
        """Return status and location as StaticFiles does: it refuses methods, and serves nothing at its own root."""
        if not matching and all(served.regexes[-1:] == (ANY_REST,) for served in self._served_paths.values()):
            return 404, ""
        position = [*matching, *self._served_paths][0]
        methods = self._served_paths[position].methods
        if methods is not None and scope["method"] not in methods:
            return 405, ""
        self._driver.position = position
        return 200, ""

    def _answer_as_flask(self, scope: Any, matching: list[int]) -> tuple[int, str]:
        """Return status and location as werkzeug does.

        For a path with repeated slashes, werkzeug redirects a GET request to the path without them, and refuses or
        answers other methods at the original path. All of these count as a redirect, because no rule names that path.
        """
        root, path = scope.get("root_path", ""), scope["path"]
        try:
            self.url_map.bind("localhost", root or None).match(path.removeprefix(root), scope["method"])
        except Exception as error:  # noqa: BLE001 - werkzeug's NotFound, MethodNotAllowed and RequestRedirect
            status, location = getattr(error, "code", 404), getattr(error, "new_url", "")
        else:
            status, location = 200, ""
        if status in {200, 405} and "//" in path and not matching:
            return 308, quote(_merge_slashes(path))
        if status == 200:
            self._driver.position = [*matching, *self._served_paths][0]
        return status if status in {200, 308, 405} else 404, location


def drive_app(app: Any, routes: Sequence[DiscoveredRoute], requests: Iterable[tuple[str, str]]) -> list[DrivenRequest]:
    """Send every request to the app, one after the other.

    Args:
        app: the ASGI application that `routes` were discovered in; its endpoints stay replaced by stubs.
        routes: the routes that the app serves.
        requests: methods and percent-encoded paths.

    Raises:
        UnknownRouteKindError: a request makes the app add routes; their endpoints are not replaced by stubs.
        AppReferenceError: the app raises an error on every request.
    """
    return asyncio.run(_Driver(app, routes).send_all(requests))


class _Driver:
    """An app with stubs, and the request that it answers now.

    Attributes:
        path: the decoded path of the request.
        position: the position of the route that the request has reached; -1 for none.
    """

    def __init__(self, app: Any, routes: Sequence[DiscoveredRoute]) -> None:
        self.path, self.position = "", -1
        self._status, self._error = 0, ""  # the status is 0 if the app raised an error
        self._routes = routes
        self._install_stubs()
        self._router = find_route_table(app)
        stub = _Stub({position: route.served for position, route in enumerate(routes)}, self, app)
        served = routes[0].served if routes else None
        # Flask is WSGI, and werkzeug's rules answer for it. A session manager answers every path after it has started.
        is_manager = (
            self._router is None and served and classify_path(served.path, served.handlers).role == "mcp-endpoint"
        )
        self._app = stub if is_manager or stub.url_map is not None else app

    def _install_stubs(self) -> None:
        holders: dict[tuple[int, str], dict[int, ServedPath]] = {}
        for position, route in enumerate(self._routes):
            if route.holder is not None:
                holders.setdefault((id(route.holder), route.attribute), {})[position] = route.served
        for served_paths in holders.values():
            route = self._routes[next(iter(served_paths))]
            stub = _Stub(served_paths, self, getattr(route.holder, route.attribute, None))
            is_function = route.attribute == "get_route_handler"
            setattr(route.holder, route.attribute, (lambda stub=stub: stub.respond) if is_function else stub)

    async def send_all(self, requests: Iterable[tuple[str, str]]) -> list[DrivenRequest]:
        driven: list[DrivenRequest] = []
        answered_by_middleware: list[DrivenRequest] = []
        table = getattr(self._router, "routes", ())
        table_length = len(table)
        for method, path in requests:
            outcome = await self._send(self._app, method, path)
            if len(table) > table_length:
                raise UnknownRouteKindError(
                    f"{method} {path} makes the app add routes to its table, and no manifest can list them before; "
                    "let the app add them while it is imported"
                )
            if outcome is not None:
                driven.append(DrivenRequest(method, path, outcome, self.position))
                continue
            status = self._status
            is_page = method == "GET" and 200 <= status < 400 and await self._answers_invented_path(path)
            answered_by_middleware.append(DrivenRequest(method, path, "served", -1, status, is_page))
        statuses = {request.status for request in answered_by_middleware}
        if self._router is None and not driven and statuses == {0}:
            raise AppReferenceError(f"raises an error on every request, so it is no ASGI application: {self._error}")
        # The router of each mounted app takes the place of the app with its middleware, permanently.
        for mount, router in [mount for route in self._routes for mount in route.mounts]:
            mount.app = router
        for request in answered_by_middleware:
            # A request that fails in the router itself has reached a route.
            outcome = await self._send(self._router or self._app, request.method, request.path) or "served"
            driven.append(request._replace(outcome=outcome, position=self.position))
        return driven

    async def _answers_invented_path(self, document: str) -> bool:
        """Whether the app answers a document with a status that an invented path in the same folder has too."""
        folder, well_known, name = document.partition("/.well-known/")
        if not well_known:
            return False
        status, (_, slash, endpoint) = self._status, name.partition("/")
        await self._send(self._app, "GET", f"{folder}{well_known}no-such-document{slash}{endpoint}")
        return self._status == status

    async def _send(self, app: Any, method: str, path: str) -> Outcome | None:
        """Send one request, and return its outcome; None if middleware answers the request or fails."""
        self.path, self.position, self._status = unquote(path), -1, 0
        start: dict[str, Any] = {}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start" and not start:
                start.update(message)

        try:
            await app(_scope(method, path), _receive, send)
        except Exception as error:  # noqa: BLE001 - an app can raise any error, and then it has not answered
            start.clear()
            self._error = f"{type(error).__name__}: {error}"
        if self.position >= 0:
            return "served"
        self._status = start.get("status", 0)
        locations = [value.decode("latin-1") for name, value in start.get("headers", ()) if name.lower() == b"location"]
        if self._status in {307, 308} and any(_differs_only_in_slashes(location, self.path) for location in locations):
            return "redirected"
        return _OUTCOME_BY_STATUS.get(self._status)


def _differs_only_in_slashes(location: str, path: str) -> bool:
    """Whether a redirect leads to the same decoded path, apart from slashes; werkzeug also merges repeated ones."""
    target = urlsplit(location).path
    # Starlette quotes the decoded path, apart from characters such as the percent sign (starlette.responses).
    pairs = ((target, quote(path, safe="%:/?#[]@!$&'()*+,;=")), (target, path), (unquote(target), path))
    return any(_merge_slashes(first).rstrip("/") == _merge_slashes(second).rstrip("/") for first, second in pairs)


def _merge_slashes(path: str) -> str:
    return re.sub("/+", "/", path)


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _scope(method: str, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 443),
        "state": {},
    }
