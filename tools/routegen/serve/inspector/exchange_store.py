"""The last exchanges, in a ring, and those who look on."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from routegen.serve.exchange import Exchange
from routegen.serve.inspector.exchange_view import Fields, summary

MOST = 500
"""Exchanges that are kept."""

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of theirs that are kept, by a rough count."""

LAG = 1000
"""Exchanges that a viewer may be behind; then its stream ends, and its browser comes back for what it missed."""


@dataclass(frozen=True)
class Kept:
    """An exchange in the ring.

    Attributes:
        number: counts up from 1.
        exchange: with its secrets: a replay needs them. They leave this process in a replay alone.
        fields: its line of the list.
        size: in bytes, roughly.
    """

    number: int
    exchange: Exchange
    fields: Fields
    size: int


_Viewer = asyncio.Queue[Fields | None]


class Store:
    """Used in the gateway's loop alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._size = 0
        self._last = 0
        self._viewers: set[_Viewer] = set()

    def add(self, exchange: Exchange, replay_of: int | None = None) -> Kept:
        """Keep an exchange and tell everybody."""
        self._last += 1
        request, response = exchange.request, exchange.response
        size = len(request.body) + len(response.body) + len(exchange.event) + len(exchange.result) + 2048
        kept = Kept(self._last, exchange, summary(self._last, exchange, replay_of), size)
        self._kept[kept.number] = kept
        self._size += size
        while len(self._kept) > MOST or (self._size > MOST_BYTES and len(self._kept) > 1):
            _, oldest = self._kept.popitem(last=False)
            self._size -= oldest.size
        for viewer in list(self._viewers):
            self._tell(viewer, kept.fields)
        return kept

    def get(self, number: int) -> Kept | None:
        """An exchange, while it is kept."""
        return self._kept.get(number)

    async def follow(self, after: int) -> AsyncIterator[Fields]:
        """The lines of those with a number above `after` that are kept, then each as it comes.

        It ends with `close`, and when who reads is too far behind. Lines alone: a slow viewer holds no bodies.
        """
        viewer: _Viewer = asyncio.Queue(LAG)
        self._viewers.add(viewer)
        try:
            for line in [one.fields for one in self._kept.values() if one.number > after]:
                yield line
            while line_or_end := await viewer.get():
                yield line_or_end
        finally:
            self._viewers.discard(viewer)

    def close(self) -> None:
        """End every viewer's stream."""
        for viewer in list(self._viewers):
            self._end(viewer)

    def _tell(self, viewer: _Viewer, line: Fields) -> None:
        if viewer.full():
            self._end(viewer)
        else:
            viewer.put_nowait(line)

    def _end(self, viewer: _Viewer) -> None:
        self._viewers.discard(viewer)
        while not viewer.empty():
            viewer.get_nowait()
        viewer.put_nowait(None)
