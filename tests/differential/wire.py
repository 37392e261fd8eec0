"""An HTTP client that sends request lines unchanged, and many requests on a connection before the first response."""

import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

BATCH = 64
"""Requests without a response yet; few enough that neither side waits until the other side reads."""
TIMEOUT = 30.0
"""Seconds until a server that does not answer counts as failed."""


@dataclass(frozen=True)
class RawResponse:
    """A response.

    Attributes:
        status: the status code; 0 if the server closed the connection without a response.
        headers: the headers, with names in lower case.
        body: the body.
    """

    status: int
    headers: dict[str, str]
    body: bytes = b""


def send_requests(port: int, heads: Sequence[bytes]) -> list[RawResponse]:
    """Return a response for each request; requests without a response on a closed connection are sent again."""
    responses: list[RawResponse] = []
    batch = BATCH
    while len(responses) < len(heads):
        received = _send_on_one_connection(port, heads[len(responses) :], batch)
        # A connection that ends early can lose a response: a request counts as unanswered only if it was sent alone.
        if not received and batch == 1:
            received = [RawResponse(0, {})]
        batch = 1 if not received or received[-1].headers.get("connection") == "close" else BATCH
        responses += received
    return responses


def _send_on_one_connection(port: int, heads: Sequence[bytes], batch: int) -> list[RawResponse]:
    responses: list[RawResponse] = []
    with (
        closing(socket.create_connection(("127.0.0.1", port), TIMEOUT)) as connection,
        connection.makefile("rb") as stream,
    ):
        while len(responses) < len(heads):
            sent = heads[len(responses) : len(responses) + batch]
            try:
                connection.sendall(b"".join(sent))
                for head in sent:
                    responses.append(_read_response(stream, head))
                    if responses[-1].headers.get("connection") == "close":
                        return responses
            except (ConnectionError, EOFError):
                return responses
            batch = BATCH
    return responses


def _read_response(stream: BinaryIO, head: bytes) -> RawResponse:
    line = stream.readline()
    if not line:
        raise EOFError
    headers = {}
    while (header := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = 0 if head.startswith(b"HEAD ") else int(headers.get("content-length", 0))
    return RawResponse(int(line.split()[1]), headers, stream.read(length))
