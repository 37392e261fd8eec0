"""An app that is a running HTTP server: requests go to it as through an HTTP_PROXY integration.

Source: "Create HTTP proxy integrations for HTTP APIs" (AWS, http-api-develop-integrations-http), and "Transform API
requests and responses" (AWS, http-api-parameter-mapping), whose reserved headers are those that API Gateway sets.
"""

import asyncio
import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

from routegen.serve.aws_behaviour import MAX_BODY_BYTES, UPSTREAM_UNREACHABLE_STATUS
from routegen.serve.exchange import Headers, HttpRequest, HttpResponse, RequestFailedError
from routegen.serve.proxy_event import connection_headers

_MAX_PARALLEL_REQUESTS = 100


class UpstreamApp:
    """A client of one server."""

    def __init__(self, url: str, timeout: float) -> None:
        """Send requests to the server at `url`; a response can take `timeout` seconds."""
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(_MAX_PARALLEL_REQUESTS, "upstream")
        self._connections: set[http.client.HTTPConnection] = set()

    async def fetch(self, request: HttpRequest, path: str, trace_id: str) -> HttpResponse:
        """Send a request with a path to the server, and return its response.

        Raises:
            RequestFailedError: the server cannot be reached, is too slow, or its response is not valid or too large.
        """
        url = urlsplit(self._url)
        connection_class = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = connection_class(url.netloc, timeout=self._timeout)
        target = f"{url.path}{path}" + (f"?{request.query}" if request.query else "")
        headers = _request_headers(request, url.netloc, trace_id)
        self._connections.add(connection)
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, _exchange, connection, request, target, headers
                )
        except TimeoutError:
            raise RequestFailedError(503, f"{self._url} has not answered within {self._timeout:g} s") from None
        except OSError as error:
            reason = error.strerror or error
            raise RequestFailedError(
                UPSTREAM_UNREACHABLE_STATUS, f"{self._url} cannot be reached: {reason}; start the server"
            ) from None
        except (http.client.HTTPException, ValueError) as error:
            raise RequestFailedError(502, f"{self._url} has sent no valid response: {type(error).__name__}") from None
        finally:
            self._end(connection)

    def close(self) -> None:
        """End every request."""
        for connection in list(self._connections):
            self._end(connection)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _end(self, connection: http.client.HTTPConnection) -> None:
        """Close a connection; the thread that waits for it ends."""
        self._connections.discard(connection)
        if connection.sock:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


def _request_headers(request: HttpRequest, host: str, trace_id: str) -> Headers:
    left_out = connection_headers(request.headers) | {"host", "content-length", "forwarded", "via"}
    forwarded = f"by={host};for={request.source_ip};host={request.header('host')};proto={request.scheme}"
    kept = (pair for pair in request.headers if pair[0] not in left_out and not pair[0].startswith("x-forwarded-"))
    headers: Headers = (("host", host), *kept, ("forwarded", forwarded), ("via", "HTTP/1.1 AmazonAPIGateway"))
    if request.body or request.header("content-length"):
        headers += (("content-length", str(len(request.body))),)
    return (*headers, ("x-amzn-trace-id", trace_id))


def _exchange(
    connection: http.client.HTTPConnection, request: HttpRequest, target: str, headers: Headers
) -> HttpResponse:
    """Send a request and read its response; runs in a thread."""
    try:
        connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode("latin-1"))
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = response.read(MAX_BODY_BYTES + 1)
    finally:
        connection.close()
    if not 200 <= response.status <= 599:
        raise RequestFailedError(502, f"the status {response.status} of the response is not valid")
    if len(body) > MAX_BODY_BYTES:
        raise RequestFailedError(413, f"the response is larger than {MAX_BODY_BYTES} bytes")
    received = tuple((name.lower(), value) for name, value in response.getheaders())
    left_out = connection_headers(received) | {"content-length", "date"}
    return HttpResponse(
        response.status,
        tuple(pair for pair in received if pair[0] not in left_out),
        body,
        next((value for name, value in received if name == "content-length"), None),
    )
