"""A server that sends given bytes as its answers, and a second server that must never get a request."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Sender = Callable[[socket.socket], None]
"""Writes an answer to a connection."""

MCP = "POST /mcp"
RESOURCE = "GET /.well-known/oauth-protected-resource/mcp"
METADATA = "GET /.well-known/oauth-authorization-server"
KEYS = "GET /jwks"
PAGE = "GET /Home"


@dataclass
class RawServer:
    """A deployment that is its own authorization server, correct except for one answer.

    Attributes:
        url: its URL.
        sentinel_url: the URL of a server that must not get a request.
        sentinel_requests: the request lines that the sentinel received.
        requests: the request lines that this server received, without the protocol.
    """

    url: str
    sentinel_url: str
    sentinel_requests: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def with_urls(self, data: bytes) -> bytes:
        """The bytes with the two URLs in place of `{SENTINEL}` and `{SELF}`."""
        return data.replace(b"{SENTINEL}", self.sentinel_url.encode()).replace(b"{SELF}", self.url.encode())


def answer(status: str, body: bytes = b"", *headers: str, kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def correct_answers(base: str) -> dict[str, bytes]:
    metadata = {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "registration_endpoint": f"{base}/register",
        "jwks_uri": f"{base}/jwks",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    }
    resource = {"resource": f"{base}/mcp", "authorization_servers": [base]}
    resource_url = f"{base}{RESOURCE.removeprefix('GET ')}"
    key = {"kty": "EC", "kid": "1", "crv": "P-256", "x": "AQAB", "y": "AQAB", "alg": "ES256"}
    challenge = f'www-authenticate: Bearer resource_metadata="{resource_url}"'
    return {
        MCP: answer("401 Unauthorized", b"{}", challenge),
        RESOURCE: answer("200 OK", json.dumps(resource).encode()),
        METADATA: answer("200 OK", json.dumps(metadata).encode()),
        "GET /authorize": answer("400 Bad Request", b"{}"),
        "GET /token": answer("405 Method Not Allowed", b"{}"),
        "GET /register": answer("405 Method Not Allowed", b"{}"),
        KEYS: answer("200 OK", json.dumps({"keys": [key]}).encode()),
        PAGE: answer("200 OK", b"<!DOCTYPE html><title>Home</title>", kind="text/html"),
    }


@contextmanager
def raw_server(request_line: str, raw_answer: bytes | Sender, challenge: str = "") -> Iterator[RawServer]:
    """Run the server until the block ends.

    Args:
        request_line: method and path of the request that gets the raw answer; `*` at the end matches every rest.
        raw_answer: the bytes of the answer, or a function that writes it.
        challenge: the header of the 401, instead of the correct one.
    """
    with (
        _listening("127.0.0.1") as (listener, port),
        _listening("127.0.0.2") as (sentinel, sentinel_port),
    ):
        raw = RawServer(f"http://127.0.0.1:{port}", f"http://127.0.0.2:{sentinel_port}")
        answers = correct_answers(raw.url)
        if challenge:
            answers[MCP] = answer("401 Unauthorized", b"{}", raw.with_urls(challenge.encode()).decode())

        def serve(connection: socket.socket) -> None:
            line = _request_line(connection)
            raw.requests.append(line)
            matches = line == request_line or (request_line.endswith("*") and line.startswith(request_line[:-1]))
            if not matches:
                not_found = answer("404 Not Found", b"Not Found", kind="text/plain")
                connection.sendall(raw.with_urls(answers.get(line, not_found)))
            elif callable(raw_answer):
                raw_answer(connection)
            else:
                connection.sendall(raw.with_urls(raw_answer))

        _accept(listener, serve)
        _accept(sentinel, lambda connection: raw.sentinel_requests.append(_request_line(connection)))
        yield raw


@contextmanager
def _listening(host: str) -> Iterator[tuple[socket.socket, int]]:
    listener = socket.create_server((host, 0))
    try:
        yield listener, listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # ends the accept that waits in another thread
        listener.close()


def _accept(listener: socket.socket, serve: Sender) -> None:
    def serve_connection(connection: socket.socket) -> None:
        # verify closes the connection when it has read enough, which is an error here.
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            serve(connection)

    def accept_connections() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve_connection, args=(connection,), daemon=True).start()

    threading.Thread(target=accept_connections, daemon=True).start()


def _request_line(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data.decode("latin-1")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.split(b"\r\n")[0].rpartition(b" ")[0].decode("latin-1")


def endless(start: bytes, repeated: bytes) -> Sender:
    """Send without a pause, until the other side closes the connection."""

    def send(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(repeated)

    return send


def dripping(data: bytes) -> Sender:
    """Send one byte every 50 ms, so that no single wait reaches a time limit."""

    def send(connection: socket.socket) -> None:
        pause = threading.Event()
        for byte in data * 1000:
            connection.sendall(bytes([byte]))
            pause.wait(0.05)

    return send


def then_reset(data: bytes) -> Sender:
    """Send some bytes, and then a TCP reset."""

    def send(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return send


def silent(connection: socket.socket) -> None:
    """Send nothing, until the other side closes the connection."""
    connection.recv(1)
