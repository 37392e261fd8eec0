"""The gateway as an ASGI application: the model chooses, a pool answers.

In: HTTP. Out: HTTP, and an `Exchange` for each request to whoever looks on. What a request costs here beside its
function is the event's JSON, twice through a loopback socket.
"""

import base64
import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from routegen.gateway import RouteKey, RouteTable
from routegen.manifest import Manifest
from routegen.serve.exchange import Exchange
from routegen.serve.instance_pool import Pool
from routegen.serve.lambda_instance import Outcome
from routegen.serve.proxy_event import Invocation, Request, make_event
from routegen.serve.proxy_response import NonsenseError, Response, make_response, own_response
from routegen.serve.runtime_api import Receive, Scope, Send
from routegen.serve.serve_settings import MAX_BODY, MAX_HEADERS, Settings


@dataclass(frozen=True)
class Routes:
    """A manifest, ready to be asked.

    Attributes:
        table: the model.
        apps: which app each route key belongs to.
        default: the app behind `$default`.
    """

    table: RouteTable
    apps: Mapping[RouteKey, str]
    default: str

    @classmethod
    def of(cls, manifest: Manifest) -> "Routes":
        """Build the table."""
        apps = {RouteKey.parse(text): route.app for route in manifest.routes for text in route.route_keys}
        return cls(RouteTable(apps), apps, manifest.default)


class _Refused(Exception):  # noqa: N818 - it reads as what happened
    """The gateway answers by itself."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Gateway:
    """The ASGI application.

    Attributes:
        routes: replaced as a whole when the manifest changes; a request in flight keeps what it was given.
        pools: by app; entries are only added.
    """

    def __init__(
        self, routes: Routes, pools: dict[str, Pool], settings: Settings, look_on: Callable[[Exchange], None]
    ) -> None:
        """Call `look_on` for each answered request."""
        self.routes = routes
        self.pools = pools
        self._settings = settings
        self._look_on = look_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        began, at = time.perf_counter(), time.time()
        # As API Gateway's look: 15 characters and an equals sign.
        request_id = base64.b64encode(secrets.token_bytes(11)).decode()
        seen = Exchange(request_id, at, _request(scope), None, None, own_response(500), 0.0)
        try:
            body = await _body(seen.request, receive, self._settings)
            if body is None:
                return  # the client has gone
            seen = replace(seen, request=replace(seen.request, body=body))
            seen = await self._answer(seen)
        except _Refused as refused:
            seen = replace(seen, response=own_response(refused.status), problem=refused.why)
        seen = replace(seen, milliseconds=(time.perf_counter() - began) * 1000)
        self._look_on(seen)
        await _send(send, seen)

    async def _answer(self, seen: Exchange) -> Exchange:
        routes = self.routes
        path = self._without_stage(seen.request.path)
        key = routes.table.select(seen.request.method, path)
        app = routes.apps[key] if key else routes.default
        trace = f"Root=1-{int(seen.time):08x}-{secrets.token_hex(12)}"
        invocation = Invocation(key, path, seen.id, trace, seen.time)
        event = json.dumps(make_event(seen.request, invocation, self._settings)).encode()
        outcome = await self.pools[app].invoke(str(uuid.uuid4()), trace, event)
        seen = replace(seen, route_key=str(key) if key else "$default", app=app, event=event, cold=outcome.cold)
        response, problem = _response(outcome, self._settings)
        return replace(seen, response=response, problem=problem, result=outcome.payload)

    def _without_stage(self, path: str) -> str:
        stage = self._settings.stage
        if not path.startswith("/"):
            raise _Refused(400, "the request line has no path")
        if stage is None:
            return path
        first, slash, rest = path[1:].partition("/")
        if unquote(first) != stage:
            raise _Refused(404, f"the path is not below /{stage}, and there is no $default stage")
        return f"{slash}{rest}" or "/"


def _request(scope: Scope) -> Request:
    client, server = scope.get("client"), scope.get("server")
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("ascii", "replace"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        client=client[0] if client else "127.0.0.1",
        port=server[1] if server else 80,
        version=scope["http_version"],
    )


def header_bytes(request: Request, count_names: bool) -> int:
    """How large a request's line and headers are, as the quota counts them."""
    query = f"?{request.query}" if request.query else ""
    line = len(f"{request.method} {request.path}{query} HTTP/{request.version}")
    return line + sum(len(value) + len(name) * count_names for name, value in request.headers)


async def _body(request: Request, receive: Receive, settings: Settings) -> bytes | None:
    """The request's body; None where the client has gone before its end.

    Raises:
        _Refused: headers or body are past API Gateway's limits.
    """
    decide = settings.decisions
    size = header_bytes(request, decide.counts_header_names)
    if size > MAX_HEADERS:
        why = f"{size} bytes of request line and headers, the limit is {MAX_HEADERS}"
        raise _Refused(decide.headers_too_large, why)
    announced = request.header("content-length") or ""
    chunks: list[bytes] = []
    received = int(announced) if announced.isdigit() else 0
    if received <= MAX_BODY:
        received = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            received += len(chunks[-1])
            if received > MAX_BODY or not message.get("more_body", False):
                break
    if received > MAX_BODY:
        raise _Refused(413, f"the body is larger than {MAX_BODY} bytes")
    return b"".join(chunks)


def _response(outcome: Outcome, settings: Settings) -> tuple[Response, str | None]:
    """The response to an outcome, and why it is the gateway's own where it is."""
    if outcome.kind == "result":
        try:
            return make_response(outcome.payload, settings), None
        except NonsenseError as error:
            return own_response(500), str(error)
    status, why = {
        "error": (500, "the function failed"),
        "timeout": (503, f"no answer within {settings.timeout:g} s"),
        "stopped": (503, "the gateway is ending"),
        "too-large": (413, "the result is larger than Lambda's 6 MB"),
        "event-too-large": (settings.decisions.event_too_large, "the event is larger than Lambda's 6 MB"),
    }[outcome.kind]
    return own_response(status), why


async def _send(send: Send, seen: Exchange) -> None:
    response = seen.response
    headers = [(name.encode(), _bytes(value)) for name, value in response.headers]
    length = str(len(response.body))
    if seen.request.method == "HEAD" and response.length is not None:
        length = response.length
    if response.status not in (204, 304):
        headers.append((b"content-length", length.encode()))
    headers.append((b"apigw-requestid", seen.id.encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _bytes(value: str) -> bytes:
    """A header as bytes: Latin-1 as WSGI and ASGI mean it, UTF-8 for what that can't say."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8")
