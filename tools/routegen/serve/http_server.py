"""An HTTP/1.1 server on asyncio's protocols, for the gateway, the Lambda Runtime API and the inspector.

It is strict: a request that two programs could read differently is answered with 400, and its connection ends, so that
no request can be hidden in another one (request smuggling). Source: RFC 9112 and RFC 9110.

It works with callbacks, because a task for each request would take longer than the rest of the server.
"""

import asyncio
import re
import socket
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus
from typing import cast

from routegen.serve.exchange import HttpRequest, HttpResponse, gateway_response

MAX_HEAD_BYTES = 2 * 1024 * 1024
"""Size limit of a request line with its headers. AWS's runtime client sends up to a megabyte of a traceback in one."""

READ_TIMEOUT = 60.0
"""Seconds until a connection is cut off that sends no whole request head, or nothing more of a body, or does not read
the response."""

_LINGER_TIMEOUT = 2.0
_SHUTDOWN_TIMEOUT = 1.0
_MAX_CHUNK_LINE, _MAX_TRAILER_LINES = 256, 100

# RFC 9110, section 5.6.2: a method and a field name are tokens. Field values have no control characters but the tab.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = r"[^\0-\x08\x0a-\x1f\x7f]*"
_HEAD = re.compile(rf"({_NAME}) ([\x21-\x7e]+) HTTP/(1\.[01])((?:\r\n{_NAME}:{_VALUE})*)")
_FIELD = re.compile(rf"({_NAME}):({_VALUE})")
_CONTENT_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\0-\x08\x0a-\x1f\x7f]*)?")

BuildResponse = Callable[[], HttpResponse]
Respond = Callable[[BuildResponse], None]
"""Calls a function and sends the response that it returns. An error of the function is a bug: the client gets a 500."""

AnswerRequest = Callable[[HttpRequest, Respond], None]
"""Answers a request, at once or later, with one call of `Respond`."""


class InvalidRequestError(Exception):
    """A request is not valid HTTP/1.1.

    Attributes:
        status: the status that the client gets.
    """

    def __init__(self, status: int = 400) -> None:
        super().__init__()
        self.status = status


def raise_error(error: Exception) -> HttpResponse:
    """Build no response, because there was an error."""
    raise error


class HttpServer:
    """Answers the requests of one socket."""

    def __init__(
        self,
        answer: AnswerRequest,
        on_bug: Callable[[str], None],
        max_body_bytes: int = 0,
        *,
        drops_rest: bool = False,
    ) -> None:
        """Accept no connection before `start`.

        Args:
            answer: answers a request.
            on_bug: gets the traceback of an error in `answer`.
            max_body_bytes: a request with a larger body is not complete.
            drops_rest: whether all of a larger body is read; its request is complete, and has more than the limit.
        """
        self.answer = answer
        self.on_bug = on_bug
        self.max_body_bytes = max_body_bytes
        self.drops_rest = drops_rest
        self.connections: set[_Connection] = set()

    async def start(self, listening_socket: socket.socket) -> None:
        """Accept connections until `close`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), sock=listening_socket)
        self._cut_off_slow_clients()

    async def close(self) -> None:
        """End every connection; those that answer a request have a second for it."""
        self._timer.cancel()
        self._server.close()
        for connection in self.connections:
            connection.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SHUTDOWN_TIMEOUT):
                while self.connections:
                    await next(iter(self.connections)).closed.wait()
        for connection in self.connections:
            connection.transport.abort()

    def _cut_off_slow_clients(self) -> None:
        """One timer for all connections costs less than one for each request."""
        for connection in self.connections:
            if connection.is_late():
                connection.transport.abort()
        self._timer = asyncio.get_running_loop().call_later(READ_TIMEOUT / 4, self._cut_off_slow_clients)


class _Connection(asyncio.Protocol):
    """Serves the requests of one connection, one after the other."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._steps = self._take_requests()
        self._needs_data = True
        self._request: HttpRequest | None = None  # the request that has no response yet
        self._is_last = False  # whether the current request is the last one
        self._is_done = False  # whether no request is taken any more
        self._has_ended = False  # whether the client sends nothing more
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._stream_task: asyncio.Task[None] | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(0)  # `pause_writing` is called for each byte that has to wait
        self._source_ip: str = (transport.get_extra_info("peername") or ("127.0.0.1",))[0]
        self._port: int = transport.get_extra_info("sockname")[1]
        self._server.connections.add(self)
        self._waiting_since = self._loop.time()

    def data_received(self, data: bytes) -> None:
        if self._is_done:
            return
        self._received += data
        if self._needs_data:
            if self._request:
                self._waiting_since = self._loop.time()
            self._advance()
        elif len(self._received) > MAX_HEAD_BYTES:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._has_ended = True
        if self._is_done and not self._stream_task:
            self.transport.close()
        self.data_received(b"")
        return True  # requests that are complete are still answered

    def pause_writing(self) -> None:
        self._can_write.clear()
        self._waiting_since = self._loop.time()

    def resume_writing(self) -> None:
        self._can_write.set()
        self._end_request()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._stream_task:
            self._stream_task.cancel()
        self._server.connections.discard(self)
        self.closed.set()

    def end(self) -> None:
        """Close the connection, after the current response if there is a request."""
        self._is_last = True
        if self._request is None:
            self.transport.close()

    def is_late(self) -> bool:
        """Whether the client should have sent something more, or read its response, for longer than allowed."""
        is_waiting = self._needs_data or not self._can_write.is_set()
        return is_waiting and self._loop.time() > self._waiting_since + READ_TIMEOUT

    def _advance(self) -> None:
        try:
            next(self._steps)
        except InvalidRequestError as error:
            self._request = None
            self._send(gateway_response(error.status))
        except EOFError:
            self.transport.close()

    def _take_requests(self) -> Generator[None, None, None]:
        """Take one request after the other from the received bytes; each `yield` waits for more of them."""
        while True:
            head = b""
            while not head:  # RFC 9112, section 2.2: empty lines before a request are ignored
                head = (yield from self._take_until(b"\r\n\r\n", MAX_HEAD_BYTES, 431)).removeprefix(b"\r\n")
            self._request = request = parse_head(head, self._source_ip, self._port)
            body = yield from self._take_body(request)
            if body != b"":
                self._request = request = replace(request, body=body or b"", is_complete=body is not None)
            self._needs_data = False
            try:
                self._server.answer(request, partial(self._respond, request))
            except Exception as error:  # noqa: BLE001 - as in `_respond`
                self._respond(request, partial(raise_error, error))
            yield

    def _take_body(self, request: HttpRequest) -> Generator[None, None, bytes | None]:
        """Take the body of a request; None if it is too large, and a part of it is left."""
        remaining, is_chunked = _body_length(request)
        limit = sys.maxsize if self._server.drops_rest else self._server.max_body_bytes
        if remaining > limit:
            return None
        if (remaining or is_chunked) and (request.header("expect") or "").lower() == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._waiting_since = self._loop.time()
        if is_chunked:
            remaining = yield from self._take_chunk_size()
        body = bytearray()
        size = 0
        while remaining:
            part = self._received[:remaining]
            del self._received[: len(part)]
            if size <= self._server.max_body_bytes:
                body += part
            size += len(part)
            remaining -= len(part)
            if size > limit:
                return None
            if remaining:
                yield from self._receive()
            elif is_chunked:
                if (yield from self._take_until(b"\r\n", _MAX_CHUNK_LINE)):
                    raise InvalidRequestError
                remaining = yield from self._take_chunk_size()
        return bytes(body)

    def _take_chunk_size(self) -> Generator[None, None, int]:
        """Take the line before a chunk, and after the last chunk the trailer."""
        match = _CHUNK_LINE.fullmatch((yield from self._take_until(b"\r\n", _MAX_CHUNK_LINE)))
        if not match:
            raise InvalidRequestError
        size = int(match[1], 16)
        trailer_lines = 0
        while not size and (yield from self._take_until(b"\r\n", _MAX_CHUNK_LINE)):
            trailer_lines += 1
            if trailer_lines > _MAX_TRAILER_LINES:
                raise InvalidRequestError
        return size

    def _take_until(self, end: bytes, limit: int, status: int = 400) -> Generator[None, None, bytes]:
        """Take the bytes before `end`, and drop `end`; more than `limit` bytes are an error with a status."""
        received, length, searched = self._received, -1, 0
        while length < 0:
            length = received.find(end, searched)
            if (len(received) if length < 0 else length) > limit:
                raise InvalidRequestError(status)
            if length < 0:
                searched = max(0, len(received) - len(end) + 1)
                yield from self._receive()
        taken = bytes(received[:length])
        del received[: length + len(end)]
        return taken

    def _receive(self) -> Generator[None, None, None]:
        if self._has_ended:
            raise EOFError
        yield

    def _respond(self, request: HttpRequest, build_response: BuildResponse) -> None:
        try:
            response = build_response()
        except Exception:  # noqa: BLE001 - any error in an answer is a bug, and the next request must be answered
            self._server.on_bug(traceback.format_exc())
            response = gateway_response(500)
        if self._request is request and not self.transport.is_closing():
            self._send(response)

    def _send(self, response: HttpResponse) -> None:
        request, self._request, self._needs_data = self._request, None, False
        has_rest = request is None or not request.is_complete
        self._is_done = has_rest or response.stream is not None or self._is_last or _wants_close(request)
        self.transport.write(_response_bytes(request, response, is_last=self._is_done))
        if response.stream:
            self._stream_task = self._loop.create_task(self._send_stream(response.stream))
        elif has_rest:
            self._linger()
        elif self._is_done:
            self.transport.close()
        else:
            self._end_request()

    async def _send_stream(self, stream: AsyncIterator[bytes]) -> None:
        async for part in stream:
            self.transport.write(part)
            await self._can_write.wait()
        self.transport.close()

    def _linger(self) -> None:
        """Read on: a connection that is closed with unread data is reset, and the client loses the response."""
        self.transport.write_eof()
        self.transport.resume_reading()
        self._loop.call_later(_LINGER_TIMEOUT, self.transport.abort)
        if self._has_ended:
            self.transport.close()

    def _end_request(self) -> None:
        """Wait for the next request when the client has read the response."""
        if self._request is None and not self._is_done and self._can_write.is_set():
            self._needs_data = True
            self._waiting_since = self._loop.time()
            if self._received or self._has_ended:
                self.transport.resume_reading()
                self._loop.call_soon(self.data_received, b"")


def parse_head(head: bytes, source_ip: str, port: int) -> HttpRequest:
    """Parse a request line and its headers.

    Raises:
        InvalidRequestError: they are not valid HTTP/1.1.
    """
    match = _HEAD.fullmatch(head.decode("latin-1"))
    if not match:
        raise InvalidRequestError
    method, target, http_version, fields = match.groups()
    headers = tuple([(name.lower(), value.strip(" \t")) for name, value in _FIELD.findall(fields)])
    # RFC 9112, section 3.2: HTTP/1.1 needs exactly one Host.
    host_count = [name for name, _ in headers].count("host")
    if host_count > 1 or (not host_count and http_version == "1.1"):
        raise InvalidRequestError
    path, _, query = target.partition("?")
    return HttpRequest(method, path, query, headers, b"", source_ip, port, http_version)


def _body_length(request: HttpRequest) -> tuple[int, bool]:
    """The length of a request's body, and whether its length is unknown because it comes in chunks.

    Raises:
        InvalidRequestError: there is no, or more than one, way to understand the headers (RFC 9112, section 6.3).
    """
    lengths = [value for name, value in request.headers if name == "content-length"]
    codings = [value.lower() for name, value in request.headers if name == "transfer-encoding"]
    if codings and (lengths or codings != ["chunked"] or request.http_version == "1.0"):
        raise InvalidRequestError
    if lengths and (len(lengths) > 1 or not _CONTENT_LENGTH.fullmatch(lengths[0])):
        raise InvalidRequestError
    return int(lengths[0]) if lengths else 0, bool(codings)


def _wants_close(request: HttpRequest | None) -> bool:
    options = (request.header("connection") or "").lower() if request else ""
    return request is None or request.http_version == "1.0" or "close" in options


def _response_bytes(request: HttpRequest | None, response: HttpResponse, *, is_last: bool) -> bytes:
    is_head = request is not None and request.method == "HEAD"
    lines = [_status_line(response.status), *[f"{name}: {value}" for name, value in response.headers]]
    lines.append(_date_line(int(time.time())))
    if response.stream is None and response.status not in (204, 304):
        length = response.head_length if is_head and response.head_length is not None else len(response.body)
        lines.append(f"content-length: {length}")
    if is_last:
        lines.append("connection: close")
    lines += ("", "")
    try:
        head = "\r\n".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        head = b"\r\n".join(map(_line_bytes, lines))
    return head if is_head else head + response.body


def _line_bytes(line: str) -> bytes:
    """A header as bytes: Latin-1 as in WSGI and ASGI, UTF-8 for characters that Latin-1 does not have."""
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8")


@lru_cache(maxsize=1)
def _date_line(seconds: int) -> str:
    return f"date: {formatdate(seconds, usegmt=True)}"


@lru_cache
def _status_line(status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return f"HTTP/1.1 {status} {phrase}"
