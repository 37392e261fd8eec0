"""Send requests to an app in the process that has loaded it, without running any of its endpoints.

A stub replaces the app behind each route. The app's own middleware, routers and mounts decide whether a request
reaches a stub.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from routegen.discover import DiscoveredRoute, ServedPath, UnknownRouteKindError
from routegen.discover.routing_model import Outcome
from routegen.discover.unwrap import find_route_table
from routegen.gateway.path_pattern import ANY_REST, path_matches, split_path
from routegen.load.application import AppReferenceError
from routegen.prove.driven_request import DrivenRequest
from routegen.roles import classify_path

_OUTCOME_BY_STATUS: dict[int, Outcome] = {404: "not-found", 405: "method-not-allowed"}


@dataclass
class _CurrentRequest:
    """The request that the app answers now, with its decoded path."""

    path: str = ""
    position: int = -1  # of the route that it has reached; -1 for none
    status: int = 0  # 0 if the app raised an error
    error: str = ""  # the last error that the app raised


class _Stub:
    """The replacement of the app behind a route: it records that a request reached the route."""

    def __init__(self, served_paths: dict[int, ServedPath], current: _CurrentRequest) -> None:
        self._served_paths = served_paths
        self._segments = {
            position: split_path(served.path, served.regexes) for position, served in served_paths.items()
        }
        self._current = current

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        status, location = self._answer(scope)
        headers = [(b"location", location.encode())] if location else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    def _answer(self, scope: Any) -> tuple[int, str]:
        """Return status and location as StaticFiles does: it refuses methods, and serves nothing at its own root."""
        matching = self._matching_positions()
        if not matching and all(segments[-1].regexes == (ANY_REST,) for segments in self._segments.values()):
            return 404, ""
        position = matching[0] if matching else next(iter(self._segments))
        methods = self._served_paths[position].methods
        if methods is not None and scope["method"] not in methods:
            return 405, ""
        self._current.position = position
        return 200, ""

    def _matching_positions(self) -> list[int]:
        path = self._current.path
        return [position for position, segments in self._segments.items() if path_matches(segments, path)]

    def handler(self) -> Any:
        """Replace `get_route_handler` of FastAPI's included routes."""
        return self._response

    async def _response(self, _request: Any) -> "_Stub":
        return self

    async def get_response_for_scope(self, _scope: Any) -> "_Stub":
        """Replace the method in which FastAPI's frontends look for a file."""
        return self


class _FlaskStub(_Stub):
    """The replacement of a mounted Flask application: werkzeug decides whether a rule matches the request.

    For a path with repeated slashes, werkzeug redirects a GET request to the path without them, and refuses or answers
    other methods at the original path. All of these count as a redirect, because no rule names the original path.
    """

    def __init__(self, served_paths: dict[int, ServedPath], current: _CurrentRequest, url_map: Any) -> None:
        super().__init__(served_paths, current)
        self._url_map = url_map

    def _answer(self, scope: Any) -> tuple[int, str]:
        root, path = scope.get("root_path", ""), scope["path"]
        matching = self._matching_positions()
        try:
            self._url_map.bind("localhost", root or None).match(path.removeprefix(root), scope["method"])
        except Exception as error:  # noqa: BLE001 - werkzeug's NotFound, MethodNotAllowed and RequestRedirect
            status, location = getattr(error, "code", 404), getattr(error, "new_url", "")
        else:
            status, location = 200, ""
        if status in {200, 405} and "//" in path and not matching:
            return 308, quote(_merge_slashes(path))
        if status == 200:
            self._current.position = (matching or list(self._served_paths))[0]
        return status if status in {200, 308, 405} else 404, location


@dataclass(frozen=True)
class WithoutBasePath:
    """An app without the path that its Lambda handler takes off the requests (mangum.handlers.utils)."""

    app: Any
    prefix: str

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        path = scope["path"].removeprefix(self.prefix) or "/"
        await self.app({**scope, "path": path, "raw_path": quote(path).encode()}, receive, send)


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
    current = _CurrentRequest()
    _install_stubs(routes, current)
    table = find_route_table(app)
    if (url_map := getattr(table, "url_map", None)) is not None:  # Flask is WSGI: werkzeug's rules answer for it
        app = _FlaskStub(dict(enumerate(route.served for route in routes)), current, url_map)
    elif table is None and classify_path(routes[0].served.path, routes[0].served.handlers).role == "mcp-endpoint":
        app = _Stub({0: routes[0].served}, current)  # a session manager, which answers every path after it has started
    return asyncio.run(_send_all(app, table, routes, current, requests))


def _install_stubs(routes: Sequence[DiscoveredRoute], current: _CurrentRequest) -> None:
    holders: dict[tuple[int, str], dict[int, ServedPath]] = {}
    for position, route in enumerate(routes):
        if route.holder is not None:
            holders.setdefault((id(route.holder), route.attribute), {})[position] = route.served
    for served_paths in holders.values():
        route = routes[next(iter(served_paths))]
        url_map = getattr(find_route_table(getattr(route.holder, route.attribute, None)), "url_map", None)
        stub = _Stub(served_paths, current) if url_map is None else _FlaskStub(served_paths, current, url_map)
        setattr(route.holder, route.attribute, stub.handler if route.attribute == "get_route_handler" else stub)


async def _send_all(
    app: Any,
    router: Any,
    routes: Sequence[DiscoveredRoute],
    current: _CurrentRequest,
    requests: Iterable[tuple[str, str]],
) -> list[DrivenRequest]:
    driven: list[DrivenRequest] = []
    answered_by_middleware: list[tuple[str, str, int, bool]] = []
    table = getattr(router, "routes", ())
    table_length = len(table)
    for method, path in requests:
        outcome = await _send(app, method, path, current)
        if len(table) > table_length:
            raise UnknownRouteKindError(
                f"{method} {path} makes the app add routes to its table, and no manifest can list them before; "
                "let the app add them while it is imported"
            )
        if outcome is None:
            status = current.status
            is_page = method == "GET" and 200 <= status < 400 and await _answers_invented_path(app, path, current)
            answered_by_middleware.append((method, path, status, is_page))
        else:
            driven.append(DrivenRequest(method, path, outcome, current.position))
    if router is None and not driven and {status for _, _, status, _ in answered_by_middleware} == {0}:
        raise AppReferenceError(f"raises an error on every request, so it is no ASGI application: {current.error}")
    _remove_middleware_of_mounts(routes)
    for method, path, status, is_page in answered_by_middleware:
        # A request that fails in the router itself has reached a route.
        outcome = await _send(router or app, method, path, current) or "served"
        driven.append(DrivenRequest(method, path, outcome, current.position, True, status, is_page))
    return driven


async def _answers_invented_path(app: Any, document: str, current: _CurrentRequest) -> bool:
    """Whether the app answers a document with a status that an invented path in the same folder has too."""
    folder, well_known, name = document.partition("/.well-known/")
    status, (_, slash, endpoint) = current.status, name.partition("/")
    await _send(app, "GET", f"{folder}{well_known}no-such-document{slash}{endpoint}", current)
    return bool(well_known) and current.status == status


def _remove_middleware_of_mounts(routes: Sequence[DiscoveredRoute]) -> None:
    """Put the router of each mounted app in the place of the app with its middleware, permanently."""
    mounts = {id(mount): (mount, router) for route in routes for mount, router in route.mounts}
    for mount, router in mounts.values():
        mount.app = router


async def _send(app: Any, method: str, path: str, current: _CurrentRequest) -> Outcome | None:
    """Send one request, and return its outcome; None if middleware answers the request or fails."""
    current.path, current.position, current.status = unquote(path), -1, 0
    start: dict[str, Any] = {}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not start:
            start.update(message)

    try:
        await app(_scope(method, path), _receive, send)
    except Exception as error:  # noqa: BLE001 - an app can raise any error, and then it has not answered
        start.clear()
        current.error = f"{type(error).__name__}: {error}"
    if current.position >= 0:
        return "served"
    status = current.status = start.get("status", 0)
    if status in {307, 308} and _redirects_only_a_slash(path, start):
        return "redirected"
    return _OUTCOME_BY_STATUS.get(status)


def _redirects_only_a_slash(path: str, start: dict[str, Any]) -> bool:
    """Whether a redirect leads to the same path, apart from slashes."""
    locations = [value.decode("latin-1") for name, value in start["headers"] if name.lower() == b"location"]
    without_slash = unquote(path).rstrip("/")
    # Werkzeug also merges repeated slashes.
    forms = (without_slash, _merge_slashes(without_slash))
    # Starlette writes the decoded path into the location, and quotes only characters that no URL can have
    # (starlette.responses.RedirectResponse).
    expected = {*forms, *(quote(form, safe="%:/?#[]@!$&'()*+,;=") for form in forms)}
    paths = [urlsplit(location).path for location in locations]
    return any(form.rstrip("/") in expected for path in paths for form in (path, unquote(path)))


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
