"""Apps that say who they are and what they were asked; a program of its own: `python upstream.py 13`.

Prints the ports, a JSON list, and ends when its stdin does.
"""

import asyncio
import hashlib
import json
import sys
from functools import partial


def token(target: bytes) -> bytes:
    """A request target as a header's value; a long one by its hash."""
    return target.hex().encode() if len(target) < 1000 else b"sha256:" + hashlib.sha256(target).hexdigest().encode()


class App(asyncio.Protocol):
    """One connection."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        *heads, self.received = self.received.split(b"\r\n\r\n")
        self.transport.write(b"".join(map(self.answer, heads)))

    def answer(self, head: bytes) -> bytes:
        target = head.partition(b"\r\n")[0].partition(b" ")[2].rpartition(b" ")[0]
        headers = b"content-length: 0\r\nx-app: %d\r\nx-target: %s" % (self.number, token(target))
        return b"HTTP/1.1 200 OK\r\n%s\r\n\r\n" % headers


async def main(number: int) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(partial(App, one), "127.0.0.1", 0) for one in range(number)]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
