"""Putting requests to an app, in the process that has imported it, without running any of its endpoints.

In: an app and requests. Out: what came of each. A stub stands where each route's own app stood; what decides whether
a request gets there is the app's: its middleware, its routers, its mounts.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote

from routegen.discover import Found, Served
from routegen.discover.unwrap import table_of
from routegen.gateway.pattern import ANY_REST, segments, takes

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

    def __init__(self, entries: dict[int, Served], now: "_Now") -> None:
        self._entries = entries
        self._paths = {position: segments(entry.path, entry.regexes) for position, entry in entries.items()}
        self._now = now

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        status = self._status(scope["method"])
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    def _status(self, method: str) -> int:
        """Files refuse a method, and have nothing at their own root, by themselves; all else takes what reaches it."""
        fitting = [position for position, path in self._paths.items() if takes(path, self._now.path)]
        if not fitting and all(path[-1].regexes == (ANY_REST,) for path in self._paths.values()):
            return 404
        position = fitting[0] if fitting else next(iter(self._paths))
        methods = self._entries[position].methods
        if methods is not None and method not in methods:
            return 405
        self._now.reached = position
        return 200

    async def get_response_for_scope(self, _scope: Any) -> "_Stub":
        """How FastAPI's frontends ask for their files."""
        return self


@dataclass
class _Now:
    """The request that is under way: its decoded path, and the position of what it has reached; -1 for nothing."""

    path: str = ""
    reached: int = -1


def drive(app: Any, found: Sequence[Found], requests: Iterable[tuple[str, str]]) -> list[Seen]:
    """Put every request to the app, one after the other.

    Args:
        app: the ASGI application that `found` was discovered in; its routes are stubbed for good.
        found: what it serves.
        requests: methods and percent-encoded paths.
    """
    now = _Now()
    holders: dict[tuple[int, str], dict[int, Served]] = {}
    for position, one in enumerate(found):
        if one.holder is not None:
            holders.setdefault((id(one.holder), one.attribute), {})[position] = one.served
    for entries in holders.values():
        one = found[next(iter(entries))]
        setattr(one.holder, one.attribute, _Stub(entries, now))
    return asyncio.run(_drive_all(app, table_of(app), now, requests))


async def _drive_all(app: Any, router: Any, now: _Now, requests: Iterable[tuple[str, str]]) -> list[Seen]:
    seen = []
    for method, path in requests:
        outcome = await _outcome(app, method, path, now)
        beneath = outcome is None
        if beneath and router is not app:
            outcome = await _outcome(router, method, path, now)
        # What fails in the router itself is not missing.
        seen.append(Seen(method, path, outcome or "reached", now.reached, beneath))
    return seen


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
    # Starlette writes the decoded path into the location and quotes only what no URL may have (RedirectResponse).
    wanted = {plain, quote(plain, safe="%:/?#[]@!$&'()*+,;=")}
    found = {form.rstrip("/") for location in locations for form in (location, unquote(location))}
    return any(form.endswith(end) for form in found for end in wanted)


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
