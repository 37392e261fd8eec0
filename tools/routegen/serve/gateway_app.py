"""The gateway: select the route of a request, and have the app's function answer it."""

import asyncio
import base64
import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import unquote

from routegen.manifest.explain import Explainer
from routegen.serve.aws_behaviour import (
    EVENT_TOO_LARGE_STATUS,
    HEADERS_TOO_LARGE_STATUS,
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
)
from routegen.serve.exchange import Exchange, HttpRequest, HttpResponse, RequestFailedError, gateway_response
from routegen.serve.http_server import BuildResponse, Respond, raise_error
from routegen.serve.instance_pool import InstancePool
from routegen.serve.lambda_instance import InvocationOutcome, OutcomeKind
from routegen.serve.proxy_event import RequestContext, as_public_request, make_event
from routegen.serve.proxy_response import make_response, rename_challenge
from routegen.serve.serve_settings import ServeSettings
from routegen.serve.upstream_app import UpstreamApp

_FAILURES: dict[OutcomeKind, tuple[int, str]] = {
    "error": (500, "the function failed"),
    "timeout": (503, "no answer within {seconds:g} s"),
    "stopped": (503, "the gateway is stopping"),
    "too-large": (413, "the result is larger than Lambda's limit of 6 MB"),
    "event-too-large": (EVENT_TOO_LARGE_STATUS, "the event is larger than Lambda's limit of 6 MB"),
}


class GatewayApp:
    """The gateway.

    Attributes:
        routes: replaced when the manifest changes; a request keeps the routes that it began with.
        pools: the instances of each app's function, by the app's name; entries are only added.
    """

    def __init__(
        self,
        routes: Explainer,
        pools: dict[str, InstancePool],
        upstream_apps: Mapping[str, UpstreamApp],
        settings: ServeSettings,
        on_exchange: Callable[[Exchange], None],
    ) -> None:
        """Call `on_exchange` for each answered request."""
        self.routes = routes
        self.pools = pools
        self._upstream_apps = upstream_apps
        self._settings = settings
        self._on_exchange = on_exchange
        self._upstream_requests: set[asyncio.Task[HttpResponse]] = set()  # the event loop keeps no task alive

    def answer(self, request: HttpRequest, respond: Respond, replay_of: int | None = None) -> None:
        """Answer a request, or answer the request of the exchange with a number again."""
        start = time.perf_counter()
        # API Gateway's ids look like this: 15 characters and an equals sign.
        exchange = Exchange(base64.b64encode(secrets.token_bytes(11)).decode(), time.time(), request)
        exchange.replay_of = replay_of

        def build_response(build_app_response: BuildResponse) -> HttpResponse:
            try:
                exchange.response = build_app_response()
            except RequestFailedError as error:
                exchange.response, exchange.problem = gateway_response(error.status), str(error)
            exchange.milliseconds = (time.perf_counter() - start) * 1000
            self._on_exchange(exchange)
            headers = (*exchange.response.headers, ("apigw-requestid", exchange.id))
            return replace(exchange.response, headers=headers)

        def finish(build_app_response: BuildResponse) -> None:
            respond(lambda: build_response(build_app_response))

        try:
            self._forward(exchange, finish)
        except RequestFailedError as error:
            finish(partial(raise_error, error))

    def _forward(self, exchange: Exchange, finish: Respond) -> None:
        """Send a request to the app that its route selects; sets what the exchange needs of the route."""
        if error := _size_error(exchange.request):
            exchange.request = replace(exchange.request, body=b"", is_complete=False)
            raise error
        routes, request, public_url = self.routes, exchange.request, self._settings.public_url
        path = self._without_stage(request.path)
        route_key = routes.select(request.method, path)
        route = routes.routes[str(route_key)] if route_key else None
        app = route.app if route else routes.default
        if app is None:
            raise RequestFailedError(404, "no route key takes it, and there is no default app")
        exchange.route_key, exchange.app = str(route_key) if route_key else "$default", app
        exchange.reserved = route.reserved if route else None
        request = as_public_request(request, public_url) if public_url else request
        trace_id = f"Root=1-{int(exchange.time):08x}-{secrets.token_hex(12)}"
        if upstream_app := self._upstream_apps.get(app):
            task = asyncio.get_running_loop().create_task(upstream_app.fetch(request, path, trace_id))
            self._upstream_requests.add(task)
            task.add_done_callback(self._upstream_requests.discard)
            task.add_done_callback(lambda task: finish(lambda: self._upstream_response(task.result())))
            return
        context = RequestContext(route_key, path, exchange.id, trace_id, exchange.time, self._settings.stage)
        exchange.event = json.dumps(make_event(request, context)).encode()

        def end(outcome: InvocationOutcome) -> None:
            finish(lambda: self._function_response(exchange, outcome))

        self.pools[app].invoke(str(uuid.uuid4()), trace_id, exchange.event, end)

    def _upstream_response(self, response: HttpResponse) -> HttpResponse:
        return rename_challenge(response) if self._settings.renames_challenge else response

    def _function_response(self, exchange: Exchange, outcome: InvocationOutcome) -> HttpResponse:
        exchange.cold, exchange.result = outcome.cold, outcome.payload
        if failure := _FAILURES.get(outcome.kind):
            status, reason = failure
            raise RequestFailedError(status, reason.format(seconds=self._settings.timeout))
        return make_response(outcome.payload, renames_challenge=self._settings.renames_challenge)

    def _without_stage(self, path: str) -> str:
        stage = self._settings.stage
        if not path.startswith("/"):
            raise RequestFailedError(400, "the request line has no path")
        if stage is None:
            return path
        first_segment, slash, rest = path[1:].partition("/")
        if unquote(first_segment) != stage:
            raise RequestFailedError(404, f"the path does not begin with /{stage}, and there is no $default stage")
        return f"{slash}{rest}" or "/"


def _size_error(request: HttpRequest) -> RequestFailedError | None:
    """The failure of a request whose headers or body are above API Gateway's limits."""
    query = f"?{request.query}" if request.query else ""
    request_line = f"{request.method} {request.path}{query} HTTP/{request.http_version}"
    size = len(request_line) + sum([len(name) + len(value) for name, value in request.headers])
    if size > MAX_HEADER_BYTES:
        reason = f"{size} bytes of request line and headers, the limit is {MAX_HEADER_BYTES}"
        return RequestFailedError(HEADERS_TOO_LARGE_STATUS, reason)
    return None if request.is_complete else RequestFailedError(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
