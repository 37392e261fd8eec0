"""From an HTTP request to API Gateway's event, payload format 2.0; pure.

Source: "Create AWS Lambda proxy integrations for HTTP APIs" (AWS, http-api-develop-integrations-lambda), and what
deployed functions were seen to get.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from routegen.gateway import RouteKey
from routegen.serve.serve_settings import Settings

ACCOUNT = "123456789012"
"""The account of AWS's own examples."""

API = "local"

# RFC 9110, section 7.6.1: these are about one connection, and end at the gateway.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Request:
    """An HTTP request, as it arrived.

    Attributes:
        method: as sent.
        path: percent-encoded, with the stage where there is one.
        query: percent-encoded, without the question mark.
        headers: names in lower case; repeated ones stand repeatedly.
        body: as sent, content codings included.
        client: the sender's address.
        port: the port that it arrived on.
        version: of HTTP, e.g. `1.1`.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client: str = "127.0.0.1"
    port: int = 80
    version: str = "1.1"

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True)
class Invocation:
    """What the gateway has decided about a request.

    Attributes:
        key: the route key that takes it; None for `$default`.
        path: the request's path without the stage, percent-encoded.
        request_id: the gateway's own.
        trace_id: X-Ray's, `Root=...`.
        time: seconds since 1970.
    """

    key: RouteKey | None
    path: str
    request_id: str
    trace_id: str
    time: float


def make_event(request: Request, invocation: Invocation, settings: Settings) -> dict[str, Any]:
    """The event that the function gets."""
    key = str(invocation.key) if invocation.key else "$default"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": key,
        # Decoded (observed), with the stage unless it is $default (observed).
        "rawPath": unquote(request.path),
        "headers": _headers(request, invocation.trace_id),
        "requestContext": _context(request, invocation, key, settings),
        "isBase64Encoded": False,
    }
    if request.query or settings.decisions.sends_empty_raw_query:
        event["rawQueryString"] = request.query
    if cookies := _cookies(request):
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True))
    if invocation.key and (parameters := path_parameters(invocation.key, invocation.path)):
        event["pathParameters"] = parameters
    if request.body:
        event |= _body(request)
    return event


def path_parameters(key: RouteKey, path: str) -> dict[str, str]:
    """What a key's variables stand for in a path that it takes, percent-decoded."""
    names = key.path[1:].split("/")
    segments = unquote(path).removeprefix("/").split("/")
    found: dict[str, str] = {}
    for position, name in enumerate(names):
        if name.endswith("+}"):
            found[name[1:-2]] = "/".join(segments[position:])
        elif name.startswith("{"):
            found[name[1:-1]] = segments[position]
    return found


def _context(request: Request, invocation: Invocation, key: str, settings: Settings) -> dict[str, Any]:
    domain = (request.header("host") or "localhost").rpartition("@")[2]
    domain = domain[: domain.find("]") + 1] if domain.startswith("[") else domain.partition(":")[0]
    at = datetime.fromtimestamp(invocation.time, UTC)
    return {
        "accountId": ACCOUNT,
        "apiId": API,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": unquote(request.path),
            "protocol": f"HTTP/{request.version}",
            "sourceIp": request.client,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": invocation.request_id,
        "routeKey": key,
        "stage": settings.stage or "$default",
        # As AWS writes it, whatever the locale: 12/Mar/2020:19:03:58 +0000
        "time": f"{at.day:02}/{_MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000",
        "timeEpoch": int(invocation.time * 1000),
    }


def _headers(request: Request, trace_id: str) -> dict[str, str]:
    """Lower-case names, repeats joined; cookies, and what is about the connection, left out."""
    named = set(HOP_BY_HOP)
    for name, value in request.headers:
        if name == "connection":
            named |= {one.strip().lower() for one in value.split(",")}
    kept = [
        (name, value)
        for name, value in request.headers
        if name not in named and name != "cookie" and not name.startswith("x-forwarded-")
    ]
    if forwarded := _forwarded(request):
        kept.append(("forwarded", forwarded))
    result = _joined(kept)
    if request.body or "content-length" in result:
        result["content-length"] = str(len(request.body))
    result["x-amzn-trace-id"] = trace_id
    result["x-forwarded-for"] = request.client
    result["x-forwarded-port"] = str(request.port)
    result["x-forwarded-proto"] = "http"
    return result


def _forwarded(request: Request) -> str:
    """Incoming `X-Forwarded-*` as one element a sender of RFC 7239's `Forwarded`; empty where there are none."""
    senders = [one.strip() for one in (request.header("x-forwarded-for") or "").split(",") if one.strip()]
    elements = [f'for="[{one.strip("[]")}]"' if ":" in one else f"for={one}" for one in senders]
    more = [f"{name}={value}" for name in ("host", "proto") if (value := request.header(f"x-forwarded-{name}"))]
    if more:
        elements[:1] = [";".join([*elements[:1], *more])]
    return ", ".join(elements)


def _cookies(request: Request) -> list[str]:
    values = (value for name, value in request.headers if name == "cookie")
    return [cookie for value in values for part in value.split(";") if (cookie := part.strip())]


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each name once, its values joined with commas."""
    result: dict[str, str] = {}
    for name, value in pairs:
        result[name] = f"{result[name]},{value}" if name in result else value
    return result


def _body(request: Request) -> dict[str, Any]:
    """Text for what is text by its type, base64 for everything else: forms, and a missing type, too (observed)."""
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        try:
            return {"body": request.body.decode("utf-8")}
        except UnicodeDecodeError:
            pass  # a coding or a charset that no JSON string can hold
    return {"body": base64.b64encode(request.body).decode("ascii"), "isBase64Encoded": True}
