"""Build API Gateway's Lambda event, payload format 2.0, from an HTTP request; pure functions.

Source: "Create AWS Lambda proxy integrations for HTTP APIs" (AWS, http-api-develop-integrations-lambda), and events
that deployed functions received ("observed").
"""

import base64
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from routegen.gateway import RouteKey
from routegen.serve.aws_behaviour import EMPTY_RAW_QUERY_STRING
from routegen.serve.exchange import HOP_BY_HOP_HEADERS, Headers, HttpRequest

ACCOUNT_ID = "123456789012"
"""The account of AWS's own examples."""

API_ID = "local"

_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class RequestContext:
    """Values that the gateway adds to a request.

    Attributes:
        route_key: the selected route key; None for `$default`.
        path: the percent-encoded path without the stage.
        request_id: the request id that the gateway gave it.
        trace_id: the X-Ray trace id, `Root=...`.
        time: when the request began, in seconds since 1970.
        stage: the API's named stage; None for `$default`.
    """

    route_key: RouteKey | None
    path: str
    request_id: str
    trace_id: str
    time: float
    stage: str | None = None


def as_public_request(request: HttpRequest, public_url: str) -> HttpRequest:
    """A request as it would arrive at a public URL: a tunnel leads from there to this gateway."""
    url = urlsplit(public_url)
    headers = (("host", url.netloc), *(pair for pair in request.headers if pair[0] != "host"))
    port = url.port or (443 if url.scheme == "https" else 80)
    return replace(request, headers=headers, scheme=url.scheme, port=port)


def make_event(request: HttpRequest, context: RequestContext) -> dict[str, Any]:
    """The event that the function receives."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": _route_key_text(context),
        # Percent-decoded, and with the stage unless it is $default (both observed).
        "rawPath": unquote(request.path),
        "rawQueryString": request.query or EMPTY_RAW_QUERY_STRING,
        "headers": _event_headers(request, context.trace_id),
        "requestContext": _event_context(request, context),
        "isBase64Encoded": False,
    }
    if cookies := _cookies(request):
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = _joined_values(parse_qsl(request.query, keep_blank_values=True))
    if context.route_key and (parameters := path_parameters(context.route_key, context.path)):
        event["pathParameters"] = parameters
    if request.body:
        event |= _event_body(request)
    return event


def path_parameters(route_key: RouteKey, path: str) -> dict[str, str]:
    """The percent-decoded value of each path variable of a route key, for a path that matches it."""
    parameters: dict[str, str] = {}
    segments = unquote(path).removeprefix("/").split("/")
    for position, segment in enumerate(route_key.path[1:].split("/")):
        if segment.endswith("+}"):
            parameters[segment[1:-2]] = "/".join(segments[position:])
        elif segment.startswith("{"):
            parameters[segment[1:-1]] = segments[position]
    return parameters


def _route_key_text(context: RequestContext) -> str:
    return str(context.route_key) if context.route_key else "$default"


def _event_context(request: HttpRequest, context: RequestContext) -> dict[str, Any]:
    domain = (request.header("host") or "localhost").rpartition("@")[2]
    domain = domain[: domain.find("]") + 1] if domain.startswith("[") else domain.partition(":")[0]
    year, month, day, hour, minute, second, *_ = time.gmtime(context.time)
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": unquote(request.path),
            "protocol": f"HTTP/{request.http_version}",
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": context.request_id,
        "routeKey": _route_key_text(context),
        "stage": context.stage or "$default",
        # AWS's format, 12/Mar/2020:19:03:58 +0000, which must not depend on the locale.
        "time": f"{day:02}/{_MONTHS[month - 1]}/{year}:{hour:02}:{minute:02}:{second:02} +0000",
        "timeEpoch": int(context.time * 1000),
    }


def _event_headers(request: HttpRequest, trace_id: str) -> dict[str, str]:
    """The event's headers: repeated values are joined, cookies and hop-by-hop headers are left out."""
    left_out = connection_headers(request.headers) | {"cookie"}
    pairs = [
        (name, value) for name, value in request.headers if name not in left_out and not name.startswith("x-forwarded-")
    ]
    if forwarded := _forwarded(request):
        pairs.append(("forwarded", forwarded))
    headers = _joined_values(pairs)
    if request.body or "content-length" in headers:
        headers["content-length"] = str(len(request.body))
    headers["x-amzn-trace-id"] = trace_id
    headers["x-forwarded-for"] = request.source_ip
    headers["x-forwarded-port"] = str(request.port)
    headers["x-forwarded-proto"] = request.scheme
    return headers


def connection_headers(headers: Headers) -> frozenset[str]:
    """The names of headers that concern only one connection (RFC 9110, section 7.6.1)."""
    options = (value.lower().split(",") for name, value in headers if name == "connection")
    return HOP_BY_HOP_HEADERS.union(option.strip() for part in options for option in part)


def _forwarded(request: HttpRequest) -> str:
    """The request's `X-Forwarded-*` headers as RFC 7239's `Forwarded`: one element for each sender, or empty."""
    senders = [sender.strip() for sender in (request.header("x-forwarded-for") or "").split(",") if sender.strip()]
    elements = [f'for="[{sender.strip("[]")}]"' if ":" in sender else f"for={sender}" for sender in senders]
    pairs = [f"{name}={value}" for name in ("host", "proto") if (value := request.header(f"x-forwarded-{name}"))]
    if pairs:
        elements[:1] = [";".join([*elements[:1], *pairs])]
    return ", ".join(elements)


def _cookies(request: HttpRequest) -> list[str]:
    values = (value for name, value in request.headers if name == "cookie")
    return [cookie for value in values for part in value.split(";") if (cookie := part.strip())]


def _joined_values(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each name once, with its values joined by commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _event_body(request: HttpRequest) -> dict[str, Any]:
    """The body as text if its media type is a text type; as base64 if not, which includes forms (observed)."""
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        try:
            return {"body": request.body.decode("utf-8")}
        except UnicodeDecodeError:
            pass  # a content coding or a charset that a JSON string cannot contain
    return {"body": base64.b64encode(request.body).decode("ascii"), "isBase64Encoded": True}
