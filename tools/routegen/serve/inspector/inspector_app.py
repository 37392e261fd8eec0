"""The inspector's HTTP: the page, the stream of exchanges, the details of an exchange, and a replay.

Only a browser on this machine can use it. A request whose Host is not loopback's is refused, against DNS rebinding. A
replay needs the page's origin and token, against other sites.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from importlib.resources import files

from routegen.manifest import Manifest
from routegen.manifest.explain import Explainer
from routegen.serve.exchange import Exchange, HttpRequest, HttpResponse, json_response
from routegen.serve.http_server import BuildResponse, Respond
from routegen.serve.inspector.exchange_store import ExchangeStore
from routegen.serve.inspector.exchange_view import JsonObject, exchange_details, exchange_summary
from routegen.serve.masker import Masker
from routegen.serve.serve_settings import ServeSettings

KEEP_ALIVE_INTERVAL = 15.0
"""Seconds after which a comment is sent in a quiet stream, so that a disconnected browser is noticed."""

RETRY_MS = 1000
"""Milliseconds after which a browser reconnects a stream that has ended."""

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SECURITY_HEADERS = (
    ("content-security-policy", _CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
)
_PAGE_FILES = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

_NOT_STORED = "This request is no longer stored."
_NOT_REPLAYABLE = "This request cannot be replayed: the gateway refused it before it had read the whole request."
_WRONG_ORIGIN = "Only the inspector's page can replay a request; reload the page."
_WRONG_HOST = "The inspector only answers requests to 127.0.0.1, localhost or [::1]; open it with one of these names.\n"

ReplayRequest = Callable[[HttpRequest, Respond, int], None]
"""Sends a stored request again, with the number of its exchange."""


class Inspector:
    """The inspector and its state."""

    def __init__(self, port: int, settings: ServeSettings, replay: ReplayRequest, manifest: Manifest) -> None:
        """Listen on a port; show the routes of a manifest; replay requests with `replay`."""
        self._hosts = {f"{name}:{port}" for name in _LOOPBACK_NAMES}
        self._settings = settings
        self._replay_request = replay
        self._token = secrets.token_urlsafe(24)
        self._store = ExchangeStore()
        self._is_closed = False
        self._changed = asyncio.Event()
        self.show_routes(manifest)

    def show_routes(self, manifest: Manifest) -> None:
        """Show the routes of another manifest from now on."""
        self._explainer = Explainer(manifest)
        self._masker = Masker(manifest, self._settings)
        self._route_map: list[JsonObject] = [
            {"key": key, "app": route.app, "role": route.role, "spec": route.spec, "reserved": route.reserved}
            for route in manifest.routes
            for key in route.route_keys
        ]
        default: JsonObject = {"key": "$default", "app": manifest.default, "role": "other", "spec": None}
        self._route_map += [{**default, "reserved": None}] if manifest.default else []
        self._wake_viewers()

    def add_exchange(self, exchange: Exchange) -> None:
        """Store and show an answered request."""
        self._store.add(exchange)
        self._wake_viewers()

    def close(self) -> None:
        """End every stream."""
        self._is_closed = True
        self._wake_viewers()

    def _wake_viewers(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def answer(self, request: HttpRequest, respond: Respond) -> None:
        """Answer one request of the page."""

        def secure_response(build_response: BuildResponse) -> HttpResponse:
            response = build_response()
            return replace(response, headers=(*response.headers, *_SECURITY_HEADERS))

        def finish(build_response: BuildResponse) -> None:
            respond(lambda: secure_response(build_response))

        match request.method, request.path.split("/")[1:]:
            case "POST", ["exchanges", number, "replay"] if request.header("host") in self._hosts:
                self._replay(request, _exchange_number(number), finish)
            case _:
                finish(lambda: self._page_response(request))

    def _page_response(self, request: HttpRequest) -> HttpResponse:
        if request.header("host") not in self._hosts:
            return HttpResponse(421, (("content-type", "text/plain; charset=utf-8"),), _WRONG_HOST.encode())
        match request.method, request.path.split("/")[1:]:
            case "GET" | "HEAD", [_] if request.path in _PAGE_FILES:
                return self._file_response(request.path)
            case "GET", ["events"]:
                last_number = _exchange_number(request.header("last-event-id") or "")
                return HttpResponse(200, (("content-type", "text/event-stream"),), b"", stream=self.events(last_number))
            case "GET", ["exchanges", number]:
                return self._details_response(_exchange_number(number))
        return json_response(404, {"problem": "The inspector has no such page."})

    def _file_response(self, path: str) -> HttpResponse:
        name, media_type = _PAGE_FILES[path]
        text = files(__package__).joinpath("page", name).read_text("utf-8").replace("{token}", self._token)
        return HttpResponse(200, (("content-type", f"{media_type}; charset=utf-8"),), text.encode())

    async def events(self, after: int) -> AsyncIterator[bytes]:
        """Server-sent events: `run`, `routes`, then an `exchange` each, whose id lets a browser resume the stream.

        A reader that is slow misses the exchanges that leave the store, and keeps none of them in memory.
        """
        yield f"retry: {RETRY_MS}\n".encode() + _event_bytes("run", {"token": self._token})
        after = min(after, self._store.last_number)
        routes: list[JsonObject] | None = None
        while not self._is_closed:
            changed = self._changed
            if routes is not self._route_map:
                routes = self._route_map
                yield _event_bytes("routes", routes)
            while summary := self._summary(self._store.number_after(after)):
                after = summary["number"]
                yield _event_bytes("exchange", summary, after)
            try:
                async with asyncio.timeout(KEEP_ALIVE_INTERVAL):
                    await changed.wait()
            except TimeoutError:
                yield b": keep-alive\n\n"

    def _summary(self, number: int) -> JsonObject | None:
        """Only the summary, so that a slow reader does not keep the exchange in memory."""
        exchange = self._store.get(number)
        return exchange_summary(number, exchange, self._masker) if exchange else None

    def _details_response(self, number: int) -> HttpResponse:
        exchange = self._store.get(number)
        if exchange is None:
            return json_response(404, {"problem": _NOT_STORED})
        stage = self._settings.stage
        return json_response(200, exchange_details(number, exchange, self._explainer, self._masker, stage))

    def _replay(self, request: HttpRequest, number: int, respond: Respond) -> None:
        token = request.header("x-inspector-token") or ""
        has_token = secrets.compare_digest(token.encode(), self._token.encode())
        exchange = self._store.get(number)
        if request.header("origin") != f"http://{request.header('host')}" or not has_token:
            respond(lambda: json_response(403, {"problem": _WRONG_ORIGIN}))
        elif exchange is None:
            respond(lambda: json_response(404, {"problem": _NOT_STORED}))
        elif not exchange.request.is_complete:
            respond(lambda: json_response(409, {"problem": _NOT_REPLAYABLE}))
        else:

            def replayed(build_response: BuildResponse) -> HttpResponse:
                build_response()
                return json_response(200, {"replayed": number})

            self._replay_request(exchange.request, lambda build: respond(lambda: replayed(build)), number)


def _exchange_number(text: str) -> int:
    """The number of an exchange; 0, which no exchange has, for any other text."""
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _event_bytes(kind: str, data: object, number: int | None = None) -> bytes:
    id_line = f"id: {number}\n" if number is not None else ""
    return f"event: {kind}\n{id_line}data: {json.dumps(data)}\n\n".encode()
