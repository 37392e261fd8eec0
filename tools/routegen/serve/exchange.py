"""One answered request, for the log and the inspector."""

from dataclasses import dataclass

from routegen.serve.proxy_event import HttpRequest
from routegen.serve.proxy_response import HttpResponse


@dataclass(frozen=True)
class Exchange:
    """A request and its response.

    Attributes:
        id: the request id that the gateway gave it.
        time: when the request began, in seconds since 1970.
        request: the request as it arrived; its body is missing if the gateway refused the request before reading it.
        route_key: the route key that was selected; None if there is none, or if the gateway refused the request before.
        app: the app that received the request; None if no app did.
        response: the response as it was sent.
        milliseconds: time from the request's headers to the response.
        is_complete: whether the gateway has read the whole request.
        reserved: why the app gets this path that it does not serve; None if it serves the path.
        cold: whether the request waited for the start of an instance.
        event: the event that the function received, as JSON; empty if there was none.
        result: the function's result, as JSON; empty if there was none.
        problem: why the gateway answered instead of the function; None if the function answered.
    """

    id: str
    time: float
    request: HttpRequest
    route_key: str | None
    app: str | None
    response: HttpResponse
    milliseconds: float
    is_complete: bool = False
    reserved: str | None = None
    cold: bool = False
    event: bytes = b""
    result: bytes = b""
    problem: str | None = None
