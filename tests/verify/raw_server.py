"""A server that sends bytes, any bytes, and one that must never be reached."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Send = Callable[[socket.socket], None]

MCP = "POST /mcp"
RESOURCE = "GET /.well-known/oauth-protected-resource/mcp"
METADATA = "GET /.well-known/oauth-authorization-server"
KEYS = "GET /jwks"
PAGE = "GET /Home"


@dataclass
class Raw:
    """A deployment that is its own authorization server, right but for one request.

    Attributes:
        url: its URL.
        sentinel: the URL of a server that nobody may connect to.
        touched: what the sentinel has seen.
        asked: the request lines that came, without the protocol.
    """

    url: str
    sentinel: str
    touched: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def rewrite(self, data: bytes) -> bytes:
        """The bytes with `{SENTINEL}` and `{SELF}` as URLs."""
        return data.replace(b"{SENTINEL}", self.sentinel.encode()).replace(b"{SELF}", self.url.encode())


def answer(status: str, body: bytes = b"", *headers: str, kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def good(base: str) -> dict[str, bytes]:
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
    where = f"{base}{RESOURCE.removeprefix('GET ')}"
    key = {"kty": "EC", "kid": "1", "crv": "P-256", "x": "AQAB", "y": "AQAB", "alg": "ES256"}
    challenge = f'www-authenticate: Bearer resource_metadata="{where}"'
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
def raw_server(where: str, sends: bytes | Send, challenge: str = "") -> Iterator[Raw]:
    """Run the server until the block ends.

    Args:
        where: the request, method and path, that is answered with what follows; it may be `*` for every one.
        sends: bytes, or what writes to the connection.
        challenge: of the 401, instead of the right one.
    """
    with (
        _listening("127.0.0.1") as (listening, port),
        _listening("127.0.0.2") as (forbidden, sentinel_port),
    ):
        raw = Raw(f"http://127.0.0.1:{port}", f"http://127.0.0.2:{sentinel_port}")
        answers = good(raw.url)
        if challenge:
            answers[MCP] = answer("401 Unauthorized", b"{}", raw.rewrite(challenge.encode()).decode())

        def serve(connection: socket.socket) -> None:
            line = _request_line(connection)
            raw.asked.append(line)
            said = sends if where in {line, "*"} or (where.endswith("*") and line.startswith(where[:-1])) else None
            if callable(said):
                said(connection)
            else:
                missing = answer("404 Not Found", b"Not Found", kind="text/plain")
                connection.sendall(raw.rewrite(answers.get(line, missing) if said is None else said))

        _accept(listening, serve)
        _accept(forbidden, lambda connection: raw.touched.append(_request_line(connection)))
        yield raw


@contextmanager
def _listening(host: str) -> Iterator[tuple[socket.socket, int]]:
    listening = socket.create_server((host, 0))
    try:
        yield listening, listening.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        listening.close()


def _accept(listening: socket.socket, serve: Send) -> None:
    def one(connection: socket.socket) -> None:
        # Who has seen enough hangs up: that is what is tested.
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            serve(connection)

    def all_() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=all_, daemon=True).start()


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


def for_ever(start: bytes, again: bytes) -> Send:
    """As fast as it can, until the other side hangs up."""

    def send(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(again)

    return send


def dripping(data: bytes) -> Send:
    """A byte at a time, never so slow that one wait for one byte would end it."""

    def send(connection: socket.socket) -> None:
        pause = threading.Event()
        for byte in data * 1000:
            connection.sendall(bytes([byte]))
            pause.wait(0.05)

    return send


def then_reset(data: bytes) -> Send:
    """Some bytes, and then a TCP reset."""

    def send(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return send


def silent(connection: socket.socket) -> None:
    """Not a word, until the other side hangs up."""
    connection.recv(1)
