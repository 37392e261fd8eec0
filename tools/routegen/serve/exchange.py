"""What is known of a request when it has been answered: for the log, and for whoever else looks on."""

from dataclasses import dataclass

from routegen.serve.proxy_event import Request
from routegen.serve.proxy_response import Response


@dataclass(frozen=True)
class Exchange:
    """One request and its answer.

    Attributes:
        id: the gateway's own.
        time: when the request began, in seconds since 1970.
        request: as it arrived; without body where it was refused before that.
        route_key: what took it; None where nothing could.
        app: who got it; None where nobody did.
        response: as it was sent.
        milliseconds: from the request's headers to the response.
        cold: whether an instance had to start for it.
        event: what the function got, JSON; empty where none did.
        result: what the function said, JSON; empty where it said nothing.
        problem: why the gateway answered by itself; None where it didn't.
    """

    id: str
    time: float
    request: Request
    route_key: str | None
    app: str | None
    response: Response
    milliseconds: float
    cold: bool = False
    event: bytes = b""
    result: bytes = b""
    problem: str | None = None
