"""The latest exchanges, and the viewers that follow them."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from routegen.serve.exchange import Exchange
from routegen.serve.inspector.exchange_view import JsonObject, exchange_summary

MAX_EXCHANGES = 500
"""Number of exchanges that are stored."""

MAX_BYTES = 64 * 1024 * 1024
"""Size of the exchanges that are stored, estimated."""

MAX_VIEWER_LAG = 1000
"""Number of exchanges that a viewer can be behind. Then its stream ends, and its browser reconnects for the others."""

_OVERHEAD_BYTES = 2048


@dataclass(frozen=True)
class StoredExchange:
    """An exchange in the store.

    Attributes:
        number: counts up from 1.
        exchange: the exchange, with its secrets, because a replay needs them. Only a replay sends them anywhere.
        summary: its line in the page's list.
        size: its size in bytes, estimated.
    """

    number: int
    exchange: Exchange
    summary: JsonObject
    size: int


_Viewer = asyncio.Queue[JsonObject | None]


class ExchangeStore:
    """Stores exchanges and sends their summaries to viewers; must be used in the gateway's event loop."""

    def __init__(self) -> None:
        self._stored: OrderedDict[int, StoredExchange] = OrderedDict()
        self._size = 0
        self._last_number = 0
        self._viewers: set[_Viewer] = set()

    def add(self, exchange: Exchange, replay_of: int | None = None) -> StoredExchange:
        """Store an exchange and send its summary to every viewer."""
        self._last_number += 1
        number = self._last_number
        contents = (exchange.request.body, exchange.response.body, exchange.event, exchange.result)
        size = sum(map(len, contents)) + _OVERHEAD_BYTES
        stored = StoredExchange(number, exchange, exchange_summary(number, exchange, replay_of), size)
        self._stored[number] = stored
        self._size += size
        while len(self._stored) > MAX_EXCHANGES or (self._size > MAX_BYTES and len(self._stored) > 1):
            _, oldest = self._stored.popitem(last=False)
            self._size -= oldest.size
        for viewer in list(self._viewers):
            self._send_summary(viewer, stored.summary)
        return stored

    def get(self, number: int) -> StoredExchange | None:
        """The exchange with a number; None if it is not stored any more."""
        return self._stored.get(number)

    async def follow(self, after: int) -> AsyncIterator[JsonObject]:
        """Yield the summaries of stored exchanges with a number above `after`, then each new one.

        The iterator ends with `close`, or when its reader is more than `MAX_VIEWER_LAG` exchanges behind. It has only
        summaries, so that a slow reader does not keep bodies in memory.
        """
        viewer: _Viewer = asyncio.Queue(MAX_VIEWER_LAG)
        self._viewers.add(viewer)
        try:
            for summary in [stored.summary for stored in self._stored.values() if stored.number > after]:
                yield summary
            while next_summary := await viewer.get():
                yield next_summary
        finally:
            self._viewers.discard(viewer)

    def close(self) -> None:
        """End every viewer's stream."""
        for viewer in list(self._viewers):
            self._end_stream(viewer)

    def _send_summary(self, viewer: _Viewer, summary: JsonObject) -> None:
        if viewer.full():
            self._end_stream(viewer)
        else:
            viewer.put_nowait(summary)

    def _end_stream(self, viewer: _Viewer) -> None:
        self._viewers.discard(viewer)
        while not viewer.empty():
            viewer.get_nowait()
        viewer.put_nowait(None)
