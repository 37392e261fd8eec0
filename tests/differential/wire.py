"""An HTTP client that sends request lines as they are, many on a connection before the first answer."""

import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

BATCH = 64
"""Requests under way; few enough that neither side waits for the other to read."""
LONG = 30.0
"""Seconds after which something must be wrong with a server that doesn't answer."""


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: 0 where the server has closed the connection without an answer.
        headers: names in lower case.
    """

    status: int
    headers: dict[str, str]


def ask(port: int, heads: Sequence[bytes]) -> list[Answer]:
    """An answer for each request without a body; what a closed connection has left out is asked again."""
    answers: list[Answer] = []
    batch = BATCH
    while len(answers) < len(heads):
        got = _on_one_connection(port, heads[len(answers) :], batch)
        # A connection that ends early may take an answer with it, so the next request goes alone and then none does.
        if not got and batch == 1:
            got = [Answer(0, {})]
        batch = 1 if not got or got[-1].headers.get("connection") == "close" else BATCH
        answers += got
    return answers


def _on_one_connection(port: int, heads: Sequence[bytes], batch: int) -> list[Answer]:
    answers: list[Answer] = []
    with (
        closing(socket.create_connection(("127.0.0.1", port), LONG)) as connection,
        connection.makefile("rb") as stream,
    ):
        while len(answers) < len(heads):
            sent = heads[len(answers) : len(answers) + batch]
            try:
                connection.sendall(b"".join(sent))
                for head in sent:
                    answers.append(_read(stream, head))
                    if answers[-1].headers.get("connection") == "close":
                        return answers
            except (ConnectionError, EOFError):
                return answers
            batch = BATCH
    return answers


def _read(stream: BinaryIO, head: bytes) -> Answer:
    line = stream.readline()
    if not line:
        raise EOFError
    headers = {}
    while (header := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if not head.startswith(b"HEAD "):
        stream.read(int(headers.get("content-length", 0)))
    return Answer(int(line.split()[1]), headers)
