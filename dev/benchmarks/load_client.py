"""The HTTP load client: a worker process of `bench_local_gateway.py`.

Each client sends the same request repeatedly on one open connection, and waits for each response. It uses no HTTP
library, so that the time of the client is small. `fixed_response_server.py` shows the highest rate of the client.
"""

import asyncio
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from dev.benchmarks.measuring import answer_requests

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class LoadClient(asyncio.Protocol):
    """One connection. `finished` gets its result after the last response."""

    def __init__(self, request: bytes, body: bytes, count: int) -> None:
        """Send the request `count` times, and expect this body each time."""
        self._request, self._body, self._remaining = request, body, count
        self._buffer = b""
        self.seconds: list[float] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next request when the response is complete."""
        self._buffer += data
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or (length and len(body) < int(length[1])):
            return
        self.seconds.append(time.perf_counter() - self._start)
        if not head.startswith(b"HTTP/1.1 200 ") or body != self._body:
            self._finish(RuntimeError(f"unexpected response: {self._buffer[:500]!r}"))
            return
        self._buffer = b""
        self._remaining -= 1
        if self._remaining:
            self._send()
        else:
            self._finish(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Fail if responses are missing."""
        if not self.finished.done():
            self.finished.set_exception(error or RuntimeError("the server has closed the connection"))

    def _send(self) -> None:
        self._start = time.perf_counter()
        self._transport.write(self._request)

    def _finish(self, error: Exception | None) -> None:
        if error:
            self.finished.set_exception(error)
        else:
            self.finished.set_result(None)
        self._transport.close()


def send_requests(port: int, path: str, body: str, clients: int, count: int) -> dict[str, object]:
    """Send requests with several clients at the same time.

    Args:
        port: the port of the server on loopback.
        path: the requested path.
        body: the expected body of each response.
        clients: the number of clients.
        count: the number of requests of each client.

    Returns:
        `seconds`, the time of all requests together, and `each`, the seconds of each request.

    Raises:
        RuntimeError: a response is not the expected response.
    """
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: benchmark\r\naccept: */*\r\n\r\n".encode()

    async def run() -> dict[str, object]:
        loop = asyncio.get_running_loop()
        start = time.perf_counter()
        connections = [
            await loop.create_connection(lambda: LoadClient(request, body.encode(), count), "127.0.0.1", port)
            for _ in range(clients)
        ]
        await asyncio.gather(*(client.finished for _, client in connections))
        total = time.perf_counter() - start
        return {"seconds": total, "each": [seconds for _, client in connections for seconds in client.seconds]}

    return asyncio.run(run())


if __name__ == "__main__":
    answer_requests(send_requests)
