"""Putting requests to an app, in the process that has imported it, without running any of its endpoints.

In: an app and requests. Out: what came of each. A stub stands where each route's own app stood; what decides whether
a request gets there is the app's: its middleware, its routers, its mounts.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from routegen.discover import DiscoveredRoute, ServedPath, UnknownRouteKindError
from routegen.discover.unwrap import find_route_table
from routegen.gateway.path_pattern import ANY_REST, path_matches, split_path

Outcome = Literal["reached", "method", "redirect", "none"]
"""A route was reached; it is there but not for this method; only a slash more or less is; nothing is."""


_BY_STATUS: dict[int, Outcome] = {404: "none", 405: "method"}


@dataclass(frozen=True)
class Seen:
    """What came of one request.

    Attributes:
        served: the position, in what was discovered, of the route that was reached; -1 for none.
        beneath: middleware answered by itself, so the router was asked without it.
    """

    method: str
    path: str
    outcome: Outcome
    served: int = -1
    beneath: bool = False

    def as_data(self) -> list[Any]:
        """For JSON, short: there may be a hundred thousand of these."""
        return [self.method, self.path, self.outcome, self.served, self.beneath]


class _Stub:
    """Stands behind a route: says that it was reached, and answers nothing more."""

    def __init__(self, entries: dict[int, ServedPath], now: "_Now") -> None:
        self._entries = entries
        self._paths = {position: split_path(entry.path, entry.regexes) for position, entry in entries.items()}
        self._now = now

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        status, location = self._answer(scope)
        headers = [(b"location", location.encode())] if location else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    def _answer(self, scope: Any) -> tuple[int, str]:
        """Files refuse a method, and have nothing at their own root, by themselves; all else takes what reaches it."""
        fitting = self._fitting()
        if not fitting and all(path[-1].regexes == (ANY_REST,) for path in self._paths.values()):
            return 404, ""
        position = fitting[0] if fitting else next(iter(self._paths))
        methods = self._entries[position].methods
        if methods is not None and scope["method"] not in methods:
            return 405, ""
        self._now.reached = position
        return 200, ""

    def _fitting(self) -> list[int]:
        return [position for position, path in self._paths.items() if path_matches(path, self._now.path)]

    def handler(self) -> Any:
        """How FastAPI's included routes ask for what answers a request."""
        return self._response

    async def _response(self, _request: Any) -> "_Stub":
        return self

    async def get_response_for_scope(self, _scope: Any) -> "_Stub":
        """How FastAPI's frontends ask for their files."""
        return self


class _RulesStub(_Stub):
    """Stands behind a Flask application that is mounted: werkzeug itself says whether a rule takes the request.

    With a path that has slashes too many it sends a GET on to the one without them, refuses another method, and
    answers it as it is where they lead: all of that is a path with a slash more, which no rule names.
    """

    def __init__(self, entries: dict[int, ServedPath], now: "_Now", rules: Any) -> None:
        super().__init__(entries, now)
        self._rules = rules

    def _answer(self, scope: Any) -> tuple[int, str]:
        root, path = scope.get("root_path", ""), scope["path"]
        fitting = self._fitting()
        try:
            self._rules.bind("localhost", root or None).match(path.removeprefix(root), scope["method"])
        except Exception as error:  # noqa: BLE001 - werkzeug's NotFound, MethodNotAllowed and RequestRedirect
            code, location = getattr(error, "code", 404), getattr(error, "new_url", "")
        else:
            code, location = 200, ""
        if code in {200, 405} and "//" in path and not fitting:
            return 308, quote(_merged(path))
        if code == 200:
            self._now.reached = (fitting or list(self._entries))[0]
        return code if code in {200, 308, 405} else 404, location


@dataclass
class _Now:
    """The request that is under way: its decoded path, and the position of what it has reached; -1 for nothing."""

    path: str = ""
    reached: int = -1


def drive(app: Any, found: Sequence[DiscoveredRoute], requests: Iterable[tuple[str, str]]) -> list[Seen]:
    """Put every request to the app, one after the other.

    Args:
        app: the ASGI application that `found` was discovered in; its routes are stubbed for good.
        found: what it serves.
        requests: methods and percent-encoded paths.

    Raises:
        UnknownRouteKindError: a request has made the app add routes, whose endpoints no stub stands before.
    """
    now = _Now()
    holders: dict[tuple[int, str], dict[int, ServedPath]] = {}
    for position, one in enumerate(found):
        if one.holder is not None:
            holders.setdefault((id(one.holder), one.attribute), {})[position] = one.served
    for entries in holders.values():
        one = found[next(iter(entries))]
        rules = getattr(find_route_table(getattr(one.holder, one.attribute, None)), "url_map", None)
        stub = _Stub(entries, now) if rules is None else _RulesStub(entries, now, rules)
        setattr(one.holder, one.attribute, stub.handler if one.attribute == "get_route_handler" else stub)
    return asyncio.run(_drive_all(app, found, now, requests))


async def _drive_all(
    app: Any, found: Sequence[DiscoveredRoute], now: _Now, requests: Iterable[tuple[str, str]]
) -> list[Seen]:
    seen, unanswered = [], []
    routes = getattr(find_route_table(app), "routes", ())
    known = len(routes)
    for method, path in requests:
        outcome = await _outcome(app, method, path, now)
        if len(routes) > known:
            raise UnknownRouteKindError(
                f"{method} {path} makes the app add routes to its table, and no manifest can know of them before; "
                "have the app add them as it is imported"
            )
        if outcome is None:
            unanswered.append((method, path))
        else:
            seen.append(Seen(method, path, outcome, now.reached))
    router = _beneath(app, found)
    for method, path in unanswered:
        # What fails in the router itself is not missing.
        outcome = await _outcome(router, method, path, now) or "reached"
        seen.append(Seen(method, path, outcome, now.reached, beneath=True))
    return seen


def _beneath(app: Any, found: Sequence[DiscoveredRoute]) -> Any:
    """The app's router without any middleware, and so for every app that is mounted in it, for good."""
    for mount, router in {id(mount): (mount, router) for one in found for mount, router in one.mounts}.values():
        mount.app = router
    return find_route_table(app)


async def _outcome(app: Any, method: str, path: str, now: _Now) -> Outcome | None:
    """What came of one request; None where middleware has answered, or failed, by itself."""
    now.path, now.reached = unquote(path), -1
    start: dict[str, Any] = {}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not start:
            start.update(message)

    try:
        await app(_scope(method, path), _receive, send)
    except Exception:  # noqa: BLE001 - an app may raise anything, and has answered nothing then
        start.clear()
    if now.reached >= 0:
        return "reached"
    status = start.get("status", 0)
    if status in {307, 308} and _same_but_for_a_slash(path, start):
        return "redirect"
    return _BY_STATUS.get(status)


def _same_but_for_a_slash(path: str, start: dict[str, Any]) -> bool:
    locations = [value.decode("latin-1") for name, value in start["headers"] if name.lower() == b"location"]
    plain = unquote(path).rstrip("/")
    # Werkzeug makes one slash of several, too.
    forms = (plain, _merged(plain))
    # Starlette writes the decoded path into the location and quotes only what no URL may have (RedirectResponse).
    wanted = {*forms, *(quote(form, safe="%:/?#[]@!$&'()*+,;=") for form in forms)}
    paths = [urlsplit(location).path for location in locations]
    return any(form.rstrip("/") in wanted for path in paths for form in (path, unquote(path)))


def _merged(path: str) -> str:
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
