"""The gateway as an ASGI application: select the route of a request, and have the app's function answer it."""

import base64
import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from routegen.gateway import RouteKey, RouteTable
from routegen.manifest import Manifest, Route
from routegen.serve.aws_behaviour import (
    EVENT_TOO_LARGE_STATUS,
    HEADERS_TOO_LARGE_STATUS,
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
)
from routegen.serve.exchange import Exchange
from routegen.serve.instance_pool import InstancePool
from routegen.serve.lambda_instance import InvocationOutcome
from routegen.serve.proxy_event import HttpRequest, RequestContext, make_event
from routegen.serve.proxy_response import HttpResponse, InvalidResultError, gateway_response, make_response
from routegen.serve.runtime_api import Receive, Scope, Send
from routegen.serve.serve_settings import ServeSettings


@dataclass(frozen=True)
class RouteTargets:
    """A manifest's routes, ready for route selection.

    Attributes:
        table: selects the route key of a request.
        routes: the manifest's entry of each route key.
        default: the app behind `$default`; None if there is none.
    """

    table: RouteTable
    routes: Mapping[RouteKey, Route]
    default: str | None

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> "RouteTargets":
        """Build the route table of a manifest."""
        routes = {RouteKey.parse(text): route for route in manifest.routes for text in route.route_keys}
        return cls(RouteTable(routes), routes, manifest.default)


class _RefusedRequestError(Exception):
    """The gateway answers a request itself, without a function."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class GatewayApp:
    """The ASGI application.

    Attributes:
        routes: replaced when the manifest changes; a request keeps the routes that it began with.
        pools: the instances of each app's function, by the app's name; entries are only added.
    """

    def __init__(
        self,
        routes: RouteTargets,
        pools: dict[str, InstancePool],
        settings: ServeSettings,
        on_exchange: Callable[[Exchange], None],
    ) -> None:
        """Call `on_exchange` for each answered request."""
        self.routes = routes
        self.pools = pools
        self._settings = settings
        self._on_exchange = on_exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        start, start_time = time.perf_counter(), time.time()
        # API Gateway's ids look like this: 15 characters and an equals sign.
        request_id = base64.b64encode(secrets.token_bytes(11)).decode()
        exchange = Exchange(request_id, start_time, _request(scope), None, None, gateway_response(500), 0.0)
        try:
            body = await _read_body(exchange.request, receive)
            if body is None:
                return  # the client has disconnected
            exchange = replace(exchange, request=replace(exchange.request, body=body), is_complete=True)
            exchange = await self._invoke_app(exchange)
        except _RefusedRequestError as error:
            exchange = replace(exchange, response=gateway_response(error.status), problem=error.reason)
        exchange = replace(exchange, milliseconds=(time.perf_counter() - start) * 1000)
        self._on_exchange(exchange)
        await _send_response(send, exchange)

    async def _invoke_app(self, exchange: Exchange) -> Exchange:
        routes = self.routes
        path = self._without_stage(exchange.request.path)
        route_key = routes.table.select(exchange.request.method, path)
        route = routes.routes[route_key] if route_key else None
        app = route.app if route else routes.default
        if app is None:
            raise _RefusedRequestError(404, "no route key takes it, and there is no default app")
        trace_id = f"Root=1-{int(exchange.time):08x}-{secrets.token_hex(12)}"
        context = RequestContext(route_key, path, exchange.id, trace_id, exchange.time, self._settings.stage)
        event = json.dumps(make_event(exchange.request, context)).encode()
        outcome = await self.pools[app].invoke(str(uuid.uuid4()), trace_id, event)
        response, problem = _response(outcome, self._settings)
        return replace(
            exchange,
            route_key=str(route_key) if route_key else "$default",
            app=app,
            reserved=route.reserved if route else None,
            event=event,
            cold=outcome.cold,
            result=outcome.payload,
            response=response,
            problem=problem,
        )

    def _without_stage(self, path: str) -> str:
        stage = self._settings.stage
        if not path.startswith("/"):
            raise _RefusedRequestError(400, "the request line has no path")
        if stage is None:
            return path
        first_segment, slash, rest = path[1:].partition("/")
        if unquote(first_segment) != stage:
            raise _RefusedRequestError(404, f"the path does not begin with /{stage}, and there is no $default stage")
        return f"{slash}{rest}" or "/"


def _request(scope: Scope) -> HttpRequest:
    client, server = scope.get("client"), scope.get("server")
    return HttpRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("ascii", "replace"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        source_ip=client[0] if client else "127.0.0.1",
        port=server[1] if server else 80,
        http_version=scope["http_version"],
    )


def _header_bytes(request: HttpRequest) -> int:
    """The size of a request's line and headers, as `MAX_HEADER_BYTES` counts it."""
    query = f"?{request.query}" if request.query else ""
    request_line = f"{request.method} {request.path}{query} HTTP/{request.http_version}"
    return len(request_line) + sum(len(name) + len(value) for name, value in request.headers)


async def _read_body(request: HttpRequest, receive: Receive) -> bytes | None:
    """The request's body; None if the client disconnects before its end.

    Raises:
        _RefusedRequestError: the headers or the body are above API Gateway's limits.
    """
    size = _header_bytes(request)
    if size > MAX_HEADER_BYTES:
        reason = f"{size} bytes of request line and headers, the limit is {MAX_HEADER_BYTES}"
        raise _RefusedRequestError(HEADERS_TOO_LARGE_STATUS, reason)
    content_length = request.header("content-length") or ""
    chunks: list[bytes] = []
    size = int(content_length) if content_length.isdigit() else 0
    if size <= MAX_BODY_BYTES:
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > MAX_BODY_BYTES or not message.get("more_body", False):
                break
    if size > MAX_BODY_BYTES:
        raise _RefusedRequestError(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    return b"".join(chunks)


def _response(outcome: InvocationOutcome, settings: ServeSettings) -> tuple[HttpResponse, str | None]:
    """The response for an outcome, and the problem if it is the gateway's own response."""
    if outcome.kind == "result":
        try:
            return make_response(outcome.payload, renames_challenge=settings.renames_challenge), None
        except InvalidResultError as error:
            return gateway_response(500), str(error)
    status, problem = {
        "error": (500, "the function failed"),
        "timeout": (503, f"no answer within {settings.timeout:g} s"),
        "stopped": (503, "the gateway is stopping"),
        "too-large": (413, "the result is larger than Lambda's limit of 6 MB"),
        "event-too-large": (EVENT_TOO_LARGE_STATUS, "the event is larger than Lambda's limit of 6 MB"),
    }[outcome.kind]
    return gateway_response(status), problem


async def _send_response(send: Send, exchange: Exchange) -> None:
    response = exchange.response
    headers = [(name.encode(), _header_value(value)) for name, value in response.headers]
    length = str(len(response.body))
    if exchange.request.method == "HEAD" and response.head_length is not None:
        length = response.head_length
    if response.status not in (204, 304):
        headers.append((b"content-length", length.encode()))
    headers.append((b"apigw-requestid", exchange.id.encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _header_value(value: str) -> bytes:
    """A header value as bytes: Latin-1 as in WSGI and ASGI, UTF-8 for characters that Latin-1 does not have."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8")
