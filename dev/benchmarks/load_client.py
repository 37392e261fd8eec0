"""The HTTP load client: a worker process of `bench_local_gateway.py`.

A client asks for the same thing again and again on one connection that stays open, and waits for each answer. There
is no HTTP library in between, so that the client is not what is measured; against a server that answers without
looking, it shows its own ceiling.
"""

import asyncio
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from dev.benchmarks.measuring import work

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Client(asyncio.Protocol):
    """One connection; `done` is set when it has its answers."""

    def __init__(self, request: bytes, body: bytes, count: int) -> None:
        """Ask so often, and want this body each time."""
        self._request, self._body, self._left = request, body, count
        self._buffer = b""
        self.seconds: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Ask again as soon as the answer is whole."""
        self._buffer += data
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or (length and len(body) < int(length[1])):
            return
        self.seconds.append(time.perf_counter() - self._began)
        if not head.startswith(b"HTTP/1.1 200 ") or body != self._body:
            self._end(RuntimeError(f"an answer that was not expected: {self._buffer[:500]!r}"))
            return
        self._buffer = b""
        self._left -= 1
        if self._left:
            self._ask()
        else:
            self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Too early, unless it has ended."""
        if not self.done.done():
            self.done.set_exception(error or RuntimeError("the server has closed the connection"))

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def _end(self, error: Exception | None) -> None:
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(None)
        self._transport.close()


def ask(port: int, path: str, body: str, clients: int, count: int) -> dict[str, object]:
    """Have so many clients ask at the same time.

    Args:
        port: on loopback.
        path: what they get.
        body: what they must get.
        clients: how many.
        count: requests of each.

    Returns:
        `seconds` until all were done, and how long `each` request took.

    Raises:
        RuntimeError: an answer was another one.
    """
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: benchmark\r\naccept: */*\r\n\r\n".encode()

    async def run() -> dict[str, object]:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        made = [
            await loop.create_connection(lambda: Client(request, body.encode(), count), "127.0.0.1", port)
            for _ in range(clients)
        ]
        await asyncio.gather(*(client.done for _, client in made))
        took = time.perf_counter() - began
        return {"seconds": took, "each": [one for _, client in made for one in client.seconds]}

    return asyncio.run(run())


if __name__ == "__main__":
    work(ask)
