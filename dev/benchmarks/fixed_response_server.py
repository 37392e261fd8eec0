"""An HTTP server that sends one fixed response to all data; it shows the highest rate that the load client reaches.

python dev/benchmarks/fixed_response_server.py PORT
"""

import asyncio
import sys

RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\notter"


class FixedResponseProtocol(asyncio.Protocol):
    """A connection that sends the response for each piece of data, without parsing it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, _data: bytes) -> None:
        """Send the response."""
        self._transport.write(RESPONSE)


async def main(port: int) -> None:
    """Serve until the process ends."""
    server = await asyncio.get_running_loop().create_server(FixedResponseProtocol, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
