"""The latest exchanges."""

from dataclasses import dataclass

from routegen.serve.exchange import Exchange

MAX_EXCHANGES = 500
"""Number of exchanges that are stored."""

MAX_BYTES = 64 * 1024 * 1024
"""Size of the exchanges that are stored, estimated."""

_OVERHEAD_BYTES = 2048


@dataclass
class StoredExchange:
    """An exchange in the store.

    Attributes:
        number: counts up from 1.
        exchange: the exchange, with its secrets, because a replay needs them. Only a replay sends them anywhere.
        size: its size in bytes, estimated.
    """

    number: int
    exchange: Exchange
    size: int


class ExchangeStore:
    """Stores exchanges; the oldest ones leave it.

    Attributes:
        last_number: the number of the latest exchange; 0 before the first one.
    """

    def __init__(self) -> None:
        self.last_number = 0
        self._stored: dict[int, StoredExchange] = {}
        self._size = 0

    def add(self, exchange: Exchange) -> StoredExchange:
        """Store an exchange."""
        self.last_number += 1
        contents = (exchange.request.body, exchange.response.body, exchange.event, exchange.result)
        size = sum(map(len, contents)) + _OVERHEAD_BYTES
        stored = self._stored[self.last_number] = StoredExchange(self.last_number, exchange, size)
        self._size += size
        while len(self._stored) > MAX_EXCHANGES or (self._size > MAX_BYTES and len(self._stored) > 1):
            self._size -= self._stored.pop(next(iter(self._stored))).size
        return stored

    def get(self, number: int) -> StoredExchange | None:
        """The exchange with a number; None if it is not stored any more."""
        return self._stored.get(number)

    def next_after(self, number: int) -> StoredExchange | None:
        """The oldest stored exchange with a higher number; None if there is none."""
        return self._stored.get(max(number + 1, next(iter(self._stored), 1)))
