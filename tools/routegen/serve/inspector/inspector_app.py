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
from starlette.types import Message

from routegen.manifest import Manifest
from routegen.manifest.explain import Explainer
from routegen.serve.exchange import Exchange
from routegen.serve.inspector.exchange_store import Store
from routegen.serve.inspector.exchange_view import Fields, details
from routegen.serve.inspector.replay import replayed_scope, swallow
from routegen.serve.runtime_api import Receive, Scope, Send

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
PULSE = 15.0
"""Seconds after which a quiet stream says that it is alive, so that a browser that has gone is noticed."""

RETRY = 1000
"""Milliseconds after which a browser that has lost its stream comes back."""

_POLICY = {
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
_HEADERS = [(name.encode(), value.encode()) for name, value in _POLICY.items()]
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
                Route("/exchanges/{number}", self._exchange),
                Route("/exchanges/{number}/replay", self._replay, methods=["POST"]),
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

        async def strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        refusal = Response("The inspector answers to this machine's own names alone.\n", 421)
        await (self._app if self._is_ours(Request(scope)) else refusal)(scope, receive, strictly)

    def _is_ours(self, request: Request) -> bool:
        return request.headers.get("host", "") in {f"{name}:{self.port}" for name in _NAMES}

    async def _file(self, request: Request) -> Response:
        name, media_type = _PAGE[request.url.path]
        text = files(__package__).joinpath("page", name).read_text("utf-8").replace("{token}", self._token)
        return Response(text, media_type=media_type)

    async def _events(self, request: Request) -> Response:
        return StreamingResponse(
            self._stream(_number(request.headers.get("last-event-id", ""))), media_type="text/event-stream"
        )

    async def _stream(self, after: int) -> AsyncIterator[str]:
        """Server-sent events: `run` and `routes` first, then an `exchange` each, whose id lets a browser resume."""
        yield f"retry: {RETRY}\n" + _event("run", {"token": self._token})
        changed = self._changed
        yield _event("routes", self._map)
        following = self._store.follow(after)
        coming = asyncio.ensure_future(anext(following, None))
        told = asyncio.ensure_future(changed.wait())
        try:
            while True:
                await asyncio.wait({coming, told}, timeout=PULSE, return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    changed = self._changed
                    told = asyncio.ensure_future(changed.wait())
                    yield _event("routes", self._map)
                if not coming.done():
                    yield ": still here\n\n"
                    continue
                line = coming.result()
                if line is None:
                    return
                yield _event("exchange", line, line["number"])
                coming = asyncio.ensure_future(anext(following, None))
        finally:
            coming.cancel()
            told.cancel()

    async def _exchange(self, request: Request) -> Response:
        kept = self._store.get(_number(request.path_params["number"]))
        if kept is None or self._explainer is None:
            return JSONResponse({"problem": "It is no longer kept."}, 404)
        shown = details(kept.fields, kept.exchange, self._explainer, self._stage)
        # In ASCII: a function may say half a surrogate pair, which UTF-8 can't.
        return Response(json.dumps(shown), media_type="application/json")

    async def _replay(self, request: Request) -> Response:
        origin = f"http://{request.headers['host']}"
        token = request.headers.get("x-inspector-token", "")
        if request.headers.get("origin") != origin or not secrets.compare_digest(token.encode(), self._token.encode()):
            return JSONResponse({"problem": "Only the inspector's own page may ask for this."}, 403)
        kept = self._store.get(_number(request.path_params["number"]))
        if kept is None or self._gateway is None:
            return JSONResponse({"problem": "It is no longer kept."}, 404)
        if not kept.fields["replayable"]:
            return JSONResponse({"problem": "The gateway refused it before it had read it all."}, 409)
        _REPLAY_OF.set(kept.number)
        scope, receive = replayed_scope(kept.exchange.request)
        await self._gateway(scope, receive, swallow)
        return JSONResponse({"replayed": kept.number})


def _number(text: str) -> int:
    """An exchange's number; 0, which none has, for anything else."""
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _event(kind: str, data: object, number: int | None = None) -> str:
    id_ = f"id: {number}\n" if number is not None else ""
    return f"event: {kind}\n{id_}data: {json.dumps(data)}\n\n"
