"""The inspector's HTTP: the page, the stream of what happens, an exchange in full, and a replay.

It shows what a browser on this machine may see and nobody else: requests under another Host than loopback's are
refused, against DNS rebinding, and a replay needs the page's own origin and token, against other sites.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from routegen.explain import Explainer
from routegen.local.exchange import Exchange
from routegen.local.inspector.record import Fields, details
from routegen.local.inspector.replay import replayed_scope, swallow
from routegen.local.inspector.store import Store
from routegen.local.runtime_api import Receive, Scope, Send
from routegen.manifest import Manifest

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
PULSE = 15.0
"""Seconds after which a quiet stream says that it is alive, so that a browser that has gone is noticed."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_PAGE = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_REPLAY_OF: ContextVar[int | None] = ContextVar("replay_of", default=None)


class Inspector:
    """The ASGI application, and what it knows.

    Attributes:
        port: where it listens.
    """

    def __init__(self, port: int, stage: str | None) -> None:
        """Listen on `port`; `stage` is the gateway's."""
        self.port = port
        self._stage = stage
        self._token = secrets.token_urlsafe(24)
        self._store = Store()
        self._explainer: Explainer | None = None
        self._map: list[Fields] = []
        self._changed = asyncio.Event()
        self._gateway: Asgi | None = None
        self._app = Starlette(
            routes=[
                *(Route(path, self._file) for path in _PAGE),
                Route("/events", self._events),
                Route("/exchanges/{number:int}", self._exchange),
                Route("/exchanges/{number:int}/replay", self._replay, methods=["POST"]),
            ]
        )

    def attach(self, gateway: Asgi, manifest: Manifest) -> None:
        """Use this gateway for replays, and show these routes."""
        self._gateway = gateway
        self.show_routes(manifest)

    def show_routes(self, manifest: Manifest) -> None:
        """Show another manifest's routes from now on."""
        self._explainer = Explainer(manifest)
        rows = [(key, route.app, route.role, route.spec) for route in manifest.routes for key in route.route_keys]
        rows.append(("$default", manifest.default, "other", None))
        self._map = [{"key": key, "app": app, "role": role, "spec": spec} for key, app, role, spec in rows]
        self._changed.set()
        self._changed = asyncio.Event()

    def see(self, exchange: Exchange) -> None:
        """A request has been answered."""
        self._store.add(exchange, _REPLAY_OF.get())

    def close(self) -> None:
        """End every stream."""
        self._store.close()
        self._changed.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the page's."""
        if not self._is_ours(Request(scope)):
            refusal = Response("The inspector answers to this machine's own names alone.\n", 421, HEADERS)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, request: Request) -> bool:
        return request.headers.get("host", "") in {f"{name}:{self.port}" for name in _NAMES}

    async def _file(self, request: Request) -> Response:
        name, media_type = _PAGE[request.url.path]
        text = files(__package__).joinpath("page", name).read_text("utf-8").replace("{token}", self._token)
        return Response(text, 200, HEADERS, media_type)

    async def _events(self, request: Request) -> Response:
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isdecimal() else 0
        return StreamingResponse(self._stream(after), 200, HEADERS, "text/event-stream")

    async def _stream(self, after: int) -> AsyncIterator[str]:
        """Server-sent events: `run` and `routes` first, then an `exchange` each, whose id lets a browser resume."""
        yield _event("run", {"token": self._token})
        changed = self._changed
        yield _event("routes", self._map)
        following = self._store.follow(after)
        coming = asyncio.ensure_future(anext(following, None))
        try:
            while True:
                told = asyncio.ensure_future(changed.wait())
                await asyncio.wait({coming, told}, timeout=PULSE, return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    changed = self._changed
                    yield _event("routes", self._map)
                told.cancel()
                if not coming.done():
                    yield ": still here\n\n"
                    continue
                kept = coming.result()
                if kept is None:
                    return
                yield _event("exchange", kept.fields, kept.number)
                coming = asyncio.ensure_future(anext(following, None))
        finally:
            coming.cancel()

    async def _exchange(self, request: Request) -> Response:
        kept = self._store.get(request.path_params["number"])
        if kept is None or self._explainer is None:
            return JSONResponse({"problem": "It is no longer kept."}, 404, HEADERS)
        return JSONResponse(kept.fields | details(kept.exchange, self._explainer, self._stage), 200, HEADERS)

    async def _replay(self, request: Request) -> Response:
        origin = f"http://{request.headers['host']}"
        token = request.headers.get("x-inspector-token", "")
        if request.headers.get("origin") != origin or not secrets.compare_digest(token, self._token):
            return JSONResponse({"problem": "Only the inspector's own page may ask for this."}, 403, HEADERS)
        kept = self._store.get(request.path_params["number"])
        if kept is None or self._gateway is None:
            return JSONResponse({"problem": "It is no longer kept."}, 404, HEADERS)
        if kept.exchange.route_key is None:
            return JSONResponse({"problem": "The gateway refused it before it had read it all."}, 409, HEADERS)
        _REPLAY_OF.set(kept.number)
        scope, receive = replayed_scope(kept.exchange.request)
        await self._gateway(scope, receive, swallow)
        return JSONResponse({"replayed": kept.number}, 200, HEADERS)


def _event(kind: str, data: object, number: int | None = None) -> str:
    id_ = f"id: {number}\n" if number is not None else ""
    return f"event: {kind}\n{id_}data: {json.dumps(data)}\n\n"
