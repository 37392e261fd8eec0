"""A program with a number of apps whose responses contain the app's number and the request target.

`python upstream.py 13` prints the ports of 13 apps as a JSON list, and ends at the end of its stdin.
"""

import asyncio
import hashlib
import json
import sys
from functools import partial


def encode_target(target: bytes) -> bytes:
    """Encode a request target as a header value; a long target becomes a hash."""
    return target.hex().encode() if len(target) < 1000 else b"sha256:" + hashlib.sha256(target).hexdigest().encode()


class UpstreamProtocol(asyncio.Protocol):
    """One connection to an app."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        *heads, self.received = self.received.split(b"\r\n\r\n")
        self.transport.write(b"".join(map(self.make_response, heads)))

    def make_response(self, head: bytes) -> bytes:
        target = head.partition(b"\r\n")[0].partition(b" ")[2].rpartition(b" ")[0]
        headers = b"content-length: 0\r\nx-app: %d\r\nx-target: %s" % (self.number, encode_target(target))
        return b"HTTP/1.1 200 OK\r\n%s\r\n\r\n" % headers


async def main(number: int) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(partial(UpstreamProtocol, app), "127.0.0.1", 0) for app in range(number)]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
