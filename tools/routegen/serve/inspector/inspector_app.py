"""The inspector's ASGI application: the page, the stream of exchanges, the details of an exchange, and a replay.

Only a browser on this machine can use it. A request whose Host is not loopback's is refused, against DNS rebinding. A
replay needs the page's origin and token, against other sites.
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
from routegen.serve.inspector.exchange_store import ExchangeStore
from routegen.serve.inspector.exchange_view import JsonObject, exchange_details
from routegen.serve.inspector.replay import discard_message, replay_scope
from routegen.serve.runtime_api import Receive, Scope, Send

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

KEEP_ALIVE_INTERVAL = 15.0
"""Seconds after which a comment is sent in a quiet stream, so that a disconnected browser is noticed."""

RETRY_MS = 1000
"""Milliseconds after which a browser reconnects a stream that has ended."""

_SECURITY_HEADERS = {
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
_RAW_SECURITY_HEADERS = [(name.encode(), value.encode()) for name, value in _SECURITY_HEADERS.items()]
_PAGE_FILES = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_REPLAY_OF: ContextVar[int | None] = ContextVar("replay_of", default=None)

_NOT_STORED = "This request is no longer stored."
_NOT_REPLAYABLE = "This request cannot be replayed: the gateway refused it before it had read the whole request."
_WRONG_ORIGIN = "Only the inspector's page can replay a request; reload the page."
_WRONG_HOST = "The inspector only answers requests to 127.0.0.1, localhost or [::1]; open it with one of these names.\n"


class Inspector:
    """The ASGI application and its state.

    Attributes:
        port: the port that it listens on.
    """

    def __init__(self, port: int, stage: str | None) -> None:
        """Create the application for a port; `stage` is the gateway's stage."""
        self.port = port
        self._stage = stage
        self._token = secrets.token_urlsafe(24)
        self._store = ExchangeStore()
        self._explainer: Explainer | None = None
        self._route_map: list[JsonObject] = []
        self._routes_changed = asyncio.Event()
        self._gateway: Asgi | None = None
        self._app = Starlette(
            routes=[
                *(Route(path, self._send_file) for path in _PAGE_FILES),
                Route("/events", self._send_events),
                Route("/exchanges/{number}", self._send_details),
                Route("/exchanges/{number}/replay", self._replay, methods=["POST"]),
            ]
        )

    def attach(self, gateway: Asgi, manifest: Manifest) -> None:
        """Send replays to this gateway, and show the routes of this manifest."""
        self._gateway = gateway
        self.show_routes(manifest)

    def show_routes(self, manifest: Manifest) -> None:
        """Show the routes of another manifest from now on."""
        self._explainer = Explainer(manifest)
        self._route_map = [
            {"key": key, "app": route.app, "role": route.role, "spec": route.spec, "reserved": route.reserved}
            for route in manifest.routes
            for key in route.route_keys
        ]
        default: JsonObject = {"key": "$default", "app": manifest.default, "role": "other", "spec": None}
        self._route_map += [{**default, "reserved": None}] if manifest.default else []
        self._routes_changed.set()
        self._routes_changed = asyncio.Event()

    def add_exchange(self, exchange: Exchange) -> None:
        """Store and show an answered request."""
        self._store.add(exchange, _REPLAY_OF.get())

    def close(self) -> None:
        """End every stream."""
        self._store.close()
        self._routes_changed.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the page."""

        async def send_securely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_RAW_SECURITY_HEADERS]
            await send(message)

        app = self._app if self._has_loopback_host(Request(scope)) else Response(_WRONG_HOST, 421)
        await app(scope, receive, send_securely)

    def _has_loopback_host(self, request: Request) -> bool:
        return request.headers.get("host", "") in {f"{name}:{self.port}" for name in _LOOPBACK_NAMES}

    async def _send_file(self, request: Request) -> Response:
        name, media_type = _PAGE_FILES[request.url.path]
        text = files(__package__).joinpath("page", name).read_text("utf-8").replace("{token}", self._token)
        return Response(text, media_type=media_type)

    async def _send_events(self, request: Request) -> Response:
        last_number = _exchange_number(request.headers.get("last-event-id", ""))
        return StreamingResponse(self._events(last_number), media_type="text/event-stream")

    async def _events(self, after: int) -> AsyncIterator[str]:
        """Server-sent events: `run`, `routes`, then an `exchange` each, whose id lets a browser resume the stream."""
        yield f"retry: {RETRY_MS}\n" + _event_text("run", {"token": self._token})
        routes_changed = self._routes_changed
        yield _event_text("routes", self._route_map)
        summaries = self._store.follow(after)
        summary_task = asyncio.ensure_future(anext(summaries, None))
        routes_task = asyncio.ensure_future(routes_changed.wait())
        try:
            while True:
                tasks = {summary_task, routes_task}
                await asyncio.wait(tasks, timeout=KEEP_ALIVE_INTERVAL, return_when=asyncio.FIRST_COMPLETED)
                if routes_task.done():
                    routes_changed = self._routes_changed
                    routes_task = asyncio.ensure_future(routes_changed.wait())
                    yield _event_text("routes", self._route_map)
                if not summary_task.done():
                    yield ": keep-alive\n\n"
                    continue
                summary = summary_task.result()
                if summary is None:
                    return
                yield _event_text("exchange", summary, summary["number"])
                summary_task = asyncio.ensure_future(anext(summaries, None))
        finally:
            summary_task.cancel()
            routes_task.cancel()

    async def _send_details(self, request: Request) -> Response:
        stored = self._store.get(_exchange_number(request.path_params["number"]))
        if stored is None or self._explainer is None:
            return JSONResponse({"problem": _NOT_STORED}, 404)
        details = exchange_details(stored.summary, stored.exchange, self._explainer, self._stage)
        # In ASCII, because a function's result can have half of a surrogate pair, which UTF-8 cannot express.
        return Response(json.dumps(details), media_type="application/json")

    async def _replay(self, request: Request) -> Response:
        page_origin = f"http://{request.headers['host']}"
        token = request.headers.get("x-inspector-token", "")
        has_token = secrets.compare_digest(token.encode(), self._token.encode())
        if request.headers.get("origin") != page_origin or not has_token:
            return JSONResponse({"problem": _WRONG_ORIGIN}, 403)
        stored = self._store.get(_exchange_number(request.path_params["number"]))
        if stored is None or self._gateway is None:
            return JSONResponse({"problem": _NOT_STORED}, 404)
        if not stored.summary["replayable"]:
            return JSONResponse({"problem": _NOT_REPLAYABLE}, 409)
        _REPLAY_OF.set(stored.number)
        scope, receive = replay_scope(stored.exchange.request)
        await self._gateway(scope, receive, discard_message)
        return JSONResponse({"replayed": stored.number})


def _exchange_number(text: str) -> int:
    """The number of an exchange; 0, which no exchange has, for any other text."""
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _event_text(kind: str, data: object, number: int | None = None) -> str:
    id_line = f"id: {number}\n" if number is not None else ""
    return f"event: {kind}\n{id_line}data: {json.dumps(data)}\n\n"
