"""An HTTP/1.1 server on asyncio's streams, for the gateway, the Lambda Runtime API and the inspector.

It is strict: a request that two programs could read differently is answered with 400, and its connection ends, so that
no request can be hidden in another one (request smuggling). Source: RFC 9112 and RFC 9110.
"""

import asyncio
import math
import re
import socket
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from routegen.serve.exchange import Headers, HttpRequest, HttpResponse, gateway_response

MAX_HEAD_BYTES = 2 * 1024 * 1024
"""Size limit of a request line with its headers. AWS's runtime client sends up to a megabyte of a traceback in one."""

READ_TIMEOUT = 60.0
"""Seconds until a connection is cut off that sends no whole request head, or nothing more of a body, or does not read
the response."""

_LINGER_TIMEOUT = 2.0
_SHUTDOWN_TIMEOUT = 1.0
_PART_BYTES = 256 * 1024
_MAX_CHUNK_LINE = 256

# RFC 9110, section 5.6.2: a method and a field name are tokens. Field values have no control characters but the tab.
_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/(1\.[01])")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL_CHARACTER = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_CONTENT_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\0-\x08\x0a-\x1f\x7f]*)?")


class InvalidRequestError(Exception):
    """A request is not valid HTTP/1.1; the client gets a 400."""


class RequestBody:
    """The body of a request, read as far as somebody asks for it.

    Attributes:
        is_read: whether all of it has been read.
    """

    def __init__(self, request: HttpRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Find out from the headers how the body ends.

        Raises:
            InvalidRequestError: there is no, or more than one, way to understand them (RFC 9112, section 6.3).
        """
        self._reader, self._writer = reader, writer
        lengths = [value for name, value in request.headers if name == "content-length"]
        codings = [value.lower() for name, value in request.headers if name == "transfer-encoding"]
        if codings and (lengths or codings != ["chunked"] or request.http_version == "1.0"):
            raise InvalidRequestError
        if lengths and (len(lengths) > 1 or not _CONTENT_LENGTH.fullmatch(lengths[0])):
            raise InvalidRequestError
        self.length = int(lengths[0]) if lengths else 0
        self._is_chunked = bool(codings)
        self._remaining = self.length
        self.is_read = not (codings or self.length)
        self._expects_continue = (request.header("expect") or "").lower() == "100-continue"

    async def read(self, limit: int) -> bytes:
        """The rest of the body; only more than `limit` bytes of it if it is larger.

        Raises:
            InvalidRequestError: a chunk is not valid.
            IncompleteReadError: the connection ended before the body.
            TimeoutError: nothing more arrived within `READ_TIMEOUT`.
        """
        if self._expects_continue and not self.is_read:
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._expects_continue = False
        parts: list[bytes] = []
        size = 0
        while size <= limit and not self.is_read:
            async with asyncio.timeout(READ_TIMEOUT):
                parts.append(await self._read_part())
            size += len(parts[-1])
        return b"".join(parts)

    async def _read_part(self) -> bytes:
        if self._is_chunked and not self._remaining:
            self._remaining = await self._read_chunk_size()
            if not self._remaining:
                while await self._read_line():
                    pass  # the trailer
                self.is_read = True
                return b""
        part = await self._reader.read(min(self._remaining, _PART_BYTES))
        if not part:
            raise asyncio.IncompleteReadError(b"", self._remaining)
        self._remaining -= len(part)
        if not self._remaining and self._is_chunked and await self._read_line():
            raise InvalidRequestError
        self.is_read = not self._remaining and not self._is_chunked
        return part

    async def _read_chunk_size(self) -> int:
        match = _CHUNK_LINE.fullmatch(await self._read_line())
        if not match:
            raise InvalidRequestError
        return int(match[1], 16)

    async def _read_line(self) -> bytes:
        line = await self._reader.readuntil(b"\r\n")
        if len(line) > _MAX_CHUNK_LINE:
            raise InvalidRequestError
        return line[:-2]


AnswerRequest = Callable[[HttpRequest, RequestBody], Awaitable[HttpResponse]]


class HttpServer:
    """Answers the requests of one socket.

    Attributes:
        answer: answers a request.
        on_bug: gets the traceback of an error in `answer`.
    """

    def __init__(self, answer: AnswerRequest, on_bug: Callable[[str], None]) -> None:
        """Accept no connection before `start`."""
        self.answer = answer
        self.on_bug = on_bug
        self._connections: set[_Connection] = set()

    async def start(self, listening_socket: socket.socket) -> None:
        """Accept connections until `close`."""
        self._server = await asyncio.start_server(self._connect, sock=listening_socket, limit=MAX_HEAD_BYTES)
        self._cut_off_slow_clients()

    async def close(self) -> None:
        """End every connection; those that answer a request have a second for it."""
        self._timer.cancel()
        self._server.close()
        for connection in self._connections:
            if connection.is_waiting:
                connection.task.cancel()
        if tasks := [connection.task for connection in self._connections]:
            _, late_tasks = await asyncio.wait(tasks, timeout=_SHUTDOWN_TIMEOUT)
            for task in late_tasks:
                task.cancel()
            await asyncio.gather(*late_tasks, return_exceptions=True)

    def _cut_off_slow_clients(self) -> None:
        """One timer for all connections costs less than one for each request."""
        loop = asyncio.get_running_loop()
        for connection in self._connections:
            if connection.deadline < loop.time():
                connection.abort()
        self._timer = loop.call_later(READ_TIMEOUT / 4, self._cut_off_slow_clients)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        connection.task.add_done_callback(lambda _: self._connections.discard(connection))


class _Connection:
    """Serves the requests of one connection, one after the other.

    Attributes:
        task: runs until the connection ends.
        is_waiting: whether no request is being answered.
        deadline: the event loop's time at which the client must have sent a request head, or read its response.
    """

    def __init__(self, server: HttpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._source_ip: str = (writer.get_extra_info("peername") or ("127.0.0.1",))[0]
        self._port: int = writer.get_extra_info("sockname")[1]
        self.is_waiting = True
        self._loop = asyncio.get_running_loop()
        self._set_deadline()
        self.task = self._loop.create_task(self._run())

    def abort(self) -> None:
        """End the connection at once; the task ends with an error of the connection."""
        self._writer.transport.abort()

    def _set_deadline(self) -> None:
        self.deadline = self._loop.time() + READ_TIMEOUT

    async def _run(self) -> None:
        # The client has ended the connection or is too slow, or the server ends.
        with suppress(OSError, EOFError, asyncio.CancelledError):
            while await self._serve_request():
                pass
        self._writer.close()

    async def _serve_request(self) -> bool:
        """Answer one request; False if the connection has to end."""
        request: HttpRequest | None = None
        body: RequestBody | None = None
        try:
            request = parse_head(await self._read_head(), self._source_ip, self._port)
            body = RequestBody(request, self._reader, self._writer)
            response = await self._server.answer(request, body)
        except asyncio.LimitOverrunError:
            response = gateway_response(431)
        except InvalidRequestError:
            response, body = gateway_response(400), None
        except (OSError, EOFError):
            raise
        except Exception:  # noqa: BLE001 - any error in an answer is a bug, and the next request must be answered
            self._server.on_bug(traceback.format_exc())
            response = gateway_response(500)
        has_rest = body is None or not body.is_read
        is_last = has_rest or response.stream is not None or _wants_close(request)
        self._writer.write(_response_bytes(request, response, is_last=is_last))
        if response.stream:
            async for part in response.stream:
                self._writer.write(part)
                await self._drain()
        await self._drain()
        if has_rest:
            await self._discard_rest()
        return not is_last

    async def _drain(self) -> None:
        self._set_deadline()
        await self._writer.drain()
        self.deadline = math.inf

    async def _read_head(self) -> bytes:
        self.is_waiting = True
        self._set_deadline()
        head = b""
        while not head:  # RFC 9112, section 2.2: empty lines before a request are ignored
            head = (await self._reader.readuntil(b"\r\n\r\n"))[:-4].removeprefix(b"\r\n")
        self.is_waiting, self.deadline = False, math.inf
        return head

    async def _discard_rest(self) -> None:
        """Read on: a connection that is closed with unread data is reset, and the client loses the response."""
        self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_TIMEOUT):
                while await self._reader.read(_PART_BYTES):
                    pass


def parse_head(head: bytes, source_ip: str, port: int) -> HttpRequest:
    """Parse a request line and its headers.

    Raises:
        InvalidRequestError: they are not valid HTTP/1.1.
    """
    request_line, *fields = head.decode("latin-1").split("\r\n")
    match = _REQUEST_LINE.fullmatch(request_line)
    if not match:
        raise InvalidRequestError
    headers = []
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon or not _FIELD_NAME.fullmatch(name) or _CONTROL_CHARACTER.search(value):
            raise InvalidRequestError
        headers.append((name.lower(), value.strip(" \t")))
    # RFC 9112, section 3.2: HTTP/1.1 needs exactly one Host.
    host_count = sum(name == "host" for name, _ in headers)
    if host_count > 1 or (not host_count and match[3] == "1.1"):
        raise InvalidRequestError
    path, _, query = match[2].partition("?")
    return HttpRequest(match[1], path, query, tuple(headers), b"", source_ip, port, match[3])


def _wants_close(request: HttpRequest | None) -> bool:
    options = (request.header("connection") or "").lower() if request else ""
    return request is None or request.http_version == "1.0" or "close" in options


def _response_bytes(request: HttpRequest | None, response: HttpResponse, *, is_last: bool) -> bytes:
    is_head = request is not None and request.method == "HEAD"
    length = response.head_length if is_head and response.head_length is not None else str(len(response.body))
    headers: Headers = (*response.headers, ("date", _date(int(time.time()))))
    if response.stream is None and response.status not in (204, 304):
        headers += (("content-length", length),)
    if is_last:
        headers += (("connection", "close"),)
    lines = [f"HTTP/1.1 {response.status} {_reason(response.status)}", *(f"{name}: {value}" for name, value in headers)]
    head = b"\r\n".join([*map(_header_bytes, lines), b"", b""])
    return head if is_head else head + response.body


def _header_bytes(line: str) -> bytes:
    """A header as bytes: Latin-1 as in WSGI and ASGI, UTF-8 for characters that Latin-1 does not have."""
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8")


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
