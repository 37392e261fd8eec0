"""Putting requests to an app, in the process that has imported it, without running any of its endpoints.

In: an app and requests. Out: what came of each. A stub stands where each route's own app stood; what decides whether
a request gets there is the app's: its middleware, its routers, its mounts.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from routegen.discover import Found
from routegen.discover.unwrap import table_of

Outcome = Literal["reached", "method", "redirect", "none"]
"""A route was reached; it is there but not for this method; only a slash more or less is; nothing is."""


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

    def __init__(self, position: int, reached: list[int]) -> None:
        self._position = position
        self._reached = reached

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        self._reached.append(self._position)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def get_response_for_scope(self, _scope: Any) -> "_Stub":
        """How FastAPI's frontends ask for their files."""
        return self


def drive(app: Any, found: Sequence[Found], requests: Iterable[tuple[str, str]]) -> list[Seen]:
    """Put every request to the app, one after the other.

    Args:
        app: the ASGI application that `found` was discovered in; its routes are stubbed for good.
        found: what it serves.
        requests: methods and percent-encoded paths.
    """
    reached: list[int] = []
    stubbed: set[int] = set()
    for position, one in enumerate(found):
        if one.holder is not None and id(one.holder) not in stubbed:
            stubbed.add(id(one.holder))
            setattr(one.holder, one.attribute, _Stub(position, reached))
    router = table_of(app)
    return asyncio.run(_drive_all(app, router, reached, requests))


async def _drive_all(app: Any, router: Any, reached: list[int], requests: Iterable[tuple[str, str]]) -> list[Seen]:
    seen = []
    for method, path in requests:
        outcome = await _outcome(app, method, path, reached)
        beneath = outcome is None
        if beneath and router is not app:
            outcome = await _outcome(router, method, path, reached)
        position = reached[0] if reached else -1
        # What fails once it has been reached, or fails in the router, is not missing.
        seen.append(Seen(method, path, outcome or "reached", position, beneath))
    return seen


async def _outcome(app: Any, method: str, path: str, reached: list[int]) -> Outcome | None:
    """What came of one request; None where middleware has answered, or failed, by itself."""
    reached.clear()
    start: dict[str, Any] = {}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not start:
            start.update(message)

    try:
        await app(_scope(method, path), _receive, send)
    except Exception:  # noqa: BLE001 - an app may raise anything, and has answered nothing then
        return "reached" if reached else None
    if reached:
        return "reached"
    status = start.get("status")
    if status == 404:
        return "none"
    if status == 405:
        return "method"
    if status in {307, 308} and _same_but_for_a_slash(path, start):
        return "redirect"
    return None


def _same_but_for_a_slash(path: str, start: dict[str, Any]) -> bool:
    locations = [value.decode("latin-1") for name, value in start["headers"] if name.lower() == b"location"]
    return any(unquote(location).rstrip("/").endswith(unquote(path).rstrip("/")) for location in locations)


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
