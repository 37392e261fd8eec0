"""Slow, broken and hostile clients get a response or lose their connection, and the next request is answered."""

import asyncio
import json
import re
import socket
import time
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from routegen.serve import http_server
from routegen.serve.exchange import HttpRequest, HttpResponse
from routegen.serve.http_server import HttpServer, Respond
from routegen.serve.local_gateway import open_socket
from serve.running_gateway import RunningGateway, StartGateway

END = b"Connection: close\r\n\r\n"


class RawConnection:
    """A connection that sends exactly the bytes of a test."""

    def __init__(self, gateway: RunningGateway) -> None:
        parts = urlsplit(gateway.url)
        self.socket = socket.create_connection((str(parts.hostname), parts.port or 0), timeout=30)

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive_all(self) -> bytes:
        """Receive until the connection ends."""
        data = b""
        while part := self.socket.recv(65536):
            data += part
        return data


def response_to(gateway: RunningGateway, data: bytes) -> bytes:
    with RawConnection(gateway) as connection:
        connection.send(data)
        return connection.receive_all()


def statuses(data: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"(?:^|\})HTTP/1\.1 (\d{3})", data)]


def event_in(data: bytes) -> Any:
    return json.loads(data.rpartition(b"\r\n\r\n")[2])["event"]


def answers(gateway: RunningGateway) -> bool:
    return gateway.get("/mcp").status == 200


PATHS = [
    *["/%F0%9F%A6%A6", "/Gr%C3%B6%C3%9Fe", "/Gro%CC%88%C3%9Fe", "/a%2Fb", "/a%252Fb", "/a%2fb", "//a", "/a//b"],
    *["/a/../b", "/./a", "/a;p=1;q", "/a+b", "/a%20b", "/%00", "/%0A%0D", "/%ff%fe", "/%", "/%zz", "/{x}"],
    *["/a:b@c", "/a%23b%3Fc"],
]


@pytest.mark.parametrize("path", [*PATHS, "/" + "x" * 5_000])
def test_the_event_s_path_is_decoded_once(gateway: RunningGateway, path: str) -> None:
    event = event_in(response_to(gateway, f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + END))
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == unquote(path)
    assert event["routeKey"] == "$default"


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("a=1&a=2&b=3", {"a": "1,2", "b": "3"}),
        ("a=&b", {"a": "", "b": ""}),
        ("a=%C3%A9+%26", {"a": "é &"}),
        ("q=%ff", {"q": "\ufffd"}),
        ("%61=%2B", {"a": "+"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_the_event_has_the_raw_query_and_its_parameters(
    gateway: RunningGateway, query: str, parameters: dict[str, str]
) -> None:
    event = event_in(response_to(gateway, f"GET /x?{query} HTTP/1.1\r\nHost: x\r\n".encode() + END))
    assert (event["rawQueryString"], event["queryStringParameters"]) == (query, parameters)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "TRACE", "BREW", "PROPFIND"])
def test_every_method_reaches_a_function(gateway: RunningGateway, method: str) -> None:
    answer = gateway.ask(method, "/mcp")
    assert answer.status == 200
    assert gateway.exchanges[-1].app == "mcp"
    assert json.loads(gateway.exchanges[-1].event)["requestContext"]["http"]["method"] == method


def test_a_form_is_unchanged(gateway: RunningGateway) -> None:
    """A token request (RFC 6749, section 4.1.3) is base64 in the event, like every form."""
    form = b"grant_type=authorization_code&code=a%2Bb%20c&redirect_uri=http%3A%2F%2F127.0.0.1%2F&code_verifier=~._-"
    response = gateway.ask("POST", "/mcp?do=bytes", form, {"content-type": "application/x-www-form-urlencoded"})
    assert response.body == form
    assert json.loads(gateway.exchanges[-1].event)["isBase64Encoded"] is True


def test_an_empty_body_is_left_out_of_the_event(gateway: RunningGateway) -> None:
    event = event_in(response_to(gateway, b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" + END))
    assert "body" not in event


def test_a_slow_client_gets_its_response(gateway: RunningGateway) -> None:
    with RawConnection(gateway) as slow:
        for byte in b"POST /mcp?do=bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nott":
            slow.send(bytes([byte]))
            time.sleep(0.002)
        assert slow.receive_all().endswith(b"ott")


def test_incomplete_requests_do_not_delay_others(gateway: RunningGateway) -> None:
    pieces = [
        b"",
        b"GET",
        b"GET /mcp HTTP/1.1\r\nHost: x",
        b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
    ]
    connections = [RawConnection(gateway) for _ in range(40)]
    for number, connection in enumerate(connections):
        connection.send(pieces[number % len(pieces)])
    count_before = len(gateway.exchanges)
    assert answers(gateway)
    assert len(gateway.exchanges) == count_before + 1
    for connection in connections:
        connection.socket.close()
    assert answers(gateway)


def test_a_client_that_disconnects_within_the_response_does_no_harm(gateway: RunningGateway) -> None:
    for _ in range(5):
        with RawConnection(gateway) as connection:
            connection.send(b"GET /mcp?do=large&size=5000000 HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.socket.recv(10)
    assert answers(gateway)
    assert "Traceback" not in gateway.log


def test_pipelined_requests_are_answered_in_order(gateway: RunningGateway) -> None:
    requests = b"".join(b"GET /n/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(5))
    responses = response_to(gateway, requests + b"GET /n/5 HTTP/1.1\r\nHost: x\r\n" + END)
    assert re.findall(rb'"rawPath": "/n/(\d)"', responses) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_a_client_can_expect_100_continue(gateway: RunningGateway) -> None:
    """RFC 9110, section 10.1.1."""
    with RawConnection(gateway) as connection:
        connection.send(
            b"POST /mcp?do=bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n" + END
        )
        assert connection.socket.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.send(b"raft")
        assert connection.receive_all().endswith(b"raft")


def test_an_http_1_0_client_gets_a_response(gateway: RunningGateway) -> None:
    assert event_in(response_to(gateway, b"GET /old HTTP/1.0\r\n\r\n"))["rawPath"] == "/old"


POST = b"POST /x HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
REFUSED = {
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a line of nonsense": b"otter otter\r\n\r\n",
    "no version": b"GET /x\r\nHost: x\r\n\r\n",
    "a null byte in the path": b"GET /x\x00y HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes beyond ASCII in the path": "GET /ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a blank in the path": b"GET /x y HTTP/1.1\r\nHost: x\r\n\r\n",
    "a whole URL": b"GET http://evil.example/mcp HTTP/1.1\r\nHost: x\r\n" + END,
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n" + END,
    "no host": b"GET /x HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /x HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a header without a colon": b"GET /x HTTP/1.1\r\nHost: x\r\notter\r\n\r\n",
    "a blank before the colon": b"GET /x HTTP/1.1\r\nHost: x\r\nOtter : 1\r\n\r\n",
    "a null byte in a header": b"GET /x HTTP/1.1\r\nHost: x\r\nOtter: \x00\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length that is a word": POST + b"Content-Length: two\r\n\r\nab",
    "a negative length": POST + b"Content-Length: -1\r\n\r\nab",
    "an unknown coding": POST + b"Transfer-Encoding: otter\r\n\r\nab",
    "chunked and something else": POST + b"Transfer-Encoding: chunked, otter\r\n\r\n0\r\n\r\n",
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\nab",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\nab",
    "a length with an underscore": POST + b"Content-Length: 0_2\r\n\r\nab",
    "a length in another script": POST + b"Content-Length: \xb2\r\n\r\nab",
    "an empty length": POST + b"Content-Length:\r\n\r\nab",
    "a length and a coding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": b"GET /x HTTP/1.1\r\nHost: x\r\nOtter: 1\r\n 2\r\n\r\n",
    "a header that begins with a blank": b"GET /x HTTP/1.1\r\n Otter: 1\r\nHost: x\r\n\r\n",
    "a header without a name": b"GET /x HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n",
    "a carriage return in a header": b"GET /x HTTP/1.1\r\nHost: x\r\nOtter: 1\rOtter2: 2\r\n\r\n",
    "a line feed in a header": b"GET /x HTTP/1.1\r\nHost: x\r\nOtter: 1\nContent-Length: 5\r\n\r\n",
    "only line feeds": b"GET /x HTTP/1.1\nHost: x\n\n",
    "a tab in the request line": b"GET\t/x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method that is no token": b"GE@T /x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a version that does not exist": b"GET /x HTTP/1.2\r\nHost: x\r\n\r\n",
    "a version in lower case": b"GET /x http/1.1\r\nHost: x\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a chunk with a sign": CHUNKED + b"+1\r\na\r\n0\r\n\r\n",
    "a chunk with 0x": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "a chunk without an end": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "a chunk line that is too long": CHUNKED + b"1;" + b"x" * 300 + b"\r\na\r\n0\r\n\r\n",
    "a chunk that ends with a line feed": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "a chunk that is no number": CHUNKED + b"zz\r\na\r\n0\r\n",
    "a trailer that does not end": CHUNKED + b"0\r\n" + b"X-T: 1\r\n" * 200,
}  # fmt: skip


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.reliability("raw HTTP requests that two programs could read differently, or that never end")
def test_an_invalid_request_reaches_no_function(gateway: RunningGateway, data: bytes) -> None:
    count = len([exchange for exchange in gateway.exchanges if exchange.event])
    with RawConnection(gateway) as connection:
        connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.receive_all()
    assert statuses(answer) in ([400], [404], []), answer
    assert len([exchange for exchange in gateway.exchanges if exchange.event]) == count
    assert answers(gateway)
    assert "Traceback" not in gateway.log


@pytest.mark.reliability("raw HTTP requests that two programs could read differently, or that never end")
def test_a_head_that_never_ends_is_cut_off(start: StartGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "READ_TIMEOUT", 0.2)
    gateway = start()
    for data in (
        b"GET /mcp HTTP/1.1\r\nHost: x\r\nOtter: ",
        b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    ):
        with RawConnection(gateway) as connection:
            connection.send(data)
            assert connection.receive_all() == b""
    assert gateway.exchanges == []


@pytest.mark.reliability("raw HTTP requests that two programs could read differently, or that never end")
def test_a_client_that_does_not_read_its_response_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "READ_TIMEOUT", 0.2)
    size = 20_000_000  # more than the buffers of both sockets

    def answer(_request: HttpRequest, respond: Respond) -> None:
        respond(lambda: HttpResponse(200, (), b"x" * size))

    async def read_late() -> int:
        server = HttpServer(answer, pytest.fail)
        listening_socket = open_socket("127.0.0.1", 0)
        await server.start(listening_socket)
        reader, writer = await asyncio.open_connection(*listening_socket.getsockname(), limit=1000)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n" + END)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        count = 0
        with suppress(ConnectionResetError):
            while part := await reader.read(1_000_000):
                count += len(part)
        writer.close()
        await server.close()
        return count

    assert asyncio.run(read_late()) < size


@pytest.mark.reliability("raw HTTP requests that two programs could read differently, or that never end")
def test_a_head_that_is_too_large_for_any_server_is_a_431(gateway: RunningGateway) -> None:
    count = len(gateway.exchanges)
    with RawConnection(gateway) as connection:
        connection.send(b"GET /mcp HTTP/1.1\r\nHost: x\r\nOtter: " + b"x" * (http_server.MAX_HEAD_BYTES + 1000))
        assert statuses(connection.receive_all()) == [431]
    assert len(gateway.exchanges) == count


@pytest.mark.reliability("raw HTTP requests that two programs could read differently, or that never end")
def test_a_client_that_sends_a_body_that_is_too_large_gets_the_413(gateway: RunningGateway) -> None:
    """The connection is not reset while the client still sends."""
    body = b"%x\r\n" % 11_000_000 + b"x" * 11_000_000
    head = b"POST /mcp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(response_to(gateway, head + body)) == [413]
    assert gateway.exchanges[-1].request.is_complete is False


def test_empty_lines_before_a_request_are_ignored(gateway: RunningGateway) -> None:
    """RFC 9112, section 2.2."""
    assert event_in(response_to(gateway, b"\r\n\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n" + END))["rawPath"] == "/x"


def test_chunks_with_extensions_and_a_trailer_are_read(gateway: RunningGateway) -> None:
    head = b"POST /mcp?do=bytes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n" + END
    assert response_to(gateway, head + b"3;a=b\r\nott\r\n02 \r\ner\r\n0\r\nOtter: 1\r\n\r\n").endswith(b"otter")


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n" + SMUGGLED,
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n" + SMUGGLED,
        b"GET /x HTTP/1.1\r\nHost: x\r\nOtter: 1\n\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
@pytest.mark.reliability("raw HTTP requests that two programs could read differently, or that never end")
def test_a_request_within_a_body_is_never_mixed_with_another(gateway: RunningGateway, data: bytes) -> None:
    """Functions receive whole requests, without bytes of another request (request smuggling)."""
    start = len(gateway.exchanges)
    with RawConnection(gateway) as connection:
        connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
        received = statuses(connection.receive_all())
    exchanges = [exchange for exchange in gateway.exchanges[start:] if exchange.event]
    # Fewer statuses than exchanges: the connection can end before the response.
    assert received.count(200) <= len(exchanges) <= 2
    assert all(exchange.request.path in {"/x", "/smuggled"} for exchange in exchanges)
    assert all(exchange.request.body == b"" for exchange in exchanges)
    assert answers(gateway)
