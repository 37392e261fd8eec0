"""HTTP requests and responses, and one answered request for the log and the inspector."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

# RFC 9110, section 7.6.1: these headers concern one connection, so a gateway does not forward them.
HOP_BY_HOP_HEADERS = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "transfer-encoding",
     "upgrade"}
)  # fmt: skip

Headers = tuple[tuple[str, str], ...]
"""(name, value) pairs with names in lower case; a repeated header has several pairs."""


@dataclass(frozen=True)
class HttpRequest:
    """An HTTP request as it arrived.

    Attributes:
        method: the method.
        path: the percent-encoded path, including the stage if there is one.
        query: the percent-encoded query, without the question mark.
        headers: the headers.
        body: the body as it was sent, with its content codings.
        source_ip: the sender's address.
        port: the port that the request arrived on.
        http_version: the HTTP version, for example `1.1`.
        scheme: `http`, or `https` if a public URL has it.
        is_complete: whether all of it has been read; if not, it has no body.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    port: int = 80
    http_version: str = "1.1"
    scheme: str = "http"
    is_complete: bool = True

    def header(self, name: str) -> str | None:
        """The first value of a header; None if the request does not have it."""
        for key, value in self.headers:  # faster than a generator
            if key == name:
                return value
        return None


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response.

    Attributes:
        status: 200 to 599.
        headers: the headers; content-length is not among them.
        body: the body as it is sent.
        head_length: the content-length of the response to HEAD, if it is not the length of the body.
        stream: the parts of the body, if it has no end that is known; None if it is `body`.
    """

    status: int
    headers: Headers
    body: bytes
    head_length: str | None = None
    stream: AsyncIterator[bytes] | None = None


def json_response(status: int, value: object, headers: Headers = ()) -> HttpResponse:
    """A response with a JSON value, in ASCII and without blanks."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return HttpResponse(status, (("content-type", "application/json"), *headers), body)


def gateway_response(status: int) -> HttpResponse:
    """The gateway's own response with a status: `{"message": ...}`, with the phrases of RFC 7231 and RFC 6585."""
    phrase = "Request Entity Too Large" if status == 413 else HTTPStatus(status).phrase  # differs between Pythons
    return json_response(status, {"message": phrase})


class RequestFailedError(Exception):
    """The gateway answers a request itself; the text is the reason, for the log.

    Attributes:
        status: the status that the client gets.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


_NO_RESPONSE = gateway_response(500)


@dataclass
class Exchange:
    """A request and its response; the gateway sets the fields one after the other.

    Attributes:
        id: the request id that the gateway gave it.
        time: when the request began, in seconds since 1970.
        request: the request as it arrived.
        route_key: the route key that was selected; None if there is none, or if the gateway refused the request before.
        app: the app that received the request; None if no app did.
        response: the response, without the gateway's request id.
        milliseconds: time from the request to the response.
        reserved: why the app gets this path that it does not serve; None if it serves the path.
        cold: whether the request waited for the start of an instance.
        event: the event that the function received, as JSON; empty if there was none.
        result: the function's result, as JSON; empty if there was none.
        problem: why the gateway answered instead of the app; None if the app answered.
        replay_of: the number of the exchange that the inspector repeated; None if it is a client's request.
    """

    id: str
    time: float
    request: HttpRequest
    route_key: str | None = None
    app: str | None = None
    response: HttpResponse = _NO_RESPONSE
    milliseconds: float = 0.0
    reserved: str | None = None
    cold: bool = False
    event: bytes = b""
    result: bytes = b""
    problem: str | None = None
    replay_of: int | None = None
