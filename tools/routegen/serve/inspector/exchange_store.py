"""The latest exchanges, with their secrets, because a replay needs them. Only a replay sends them anywhere."""

from routegen.serve.exchange import Exchange

MAX_EXCHANGES = 500
"""Number of exchanges that are stored."""

MAX_BYTES = 64 * 1024 * 1024
"""Size of the exchanges that are stored, estimated."""

_OVERHEAD_BYTES = 2048


class ExchangeStore:
    """Stores exchanges by their numbers, which count up from 1; the oldest ones leave it.

    Attributes:
        last_number: the number of the latest exchange; 0 before the first one.
    """

    def __init__(self) -> None:
        self.last_number = 0
        self._exchanges: dict[int, Exchange] = {}
        self._size = 0

    def add(self, exchange: Exchange) -> int:
        """Store an exchange, and return its number."""
        self.last_number += 1
        self._exchanges[self.last_number] = exchange
        self._size += _estimated_size(exchange)
        while len(self._exchanges) > MAX_EXCHANGES or (self._size > MAX_BYTES and len(self._exchanges) > 1):
            self._size -= _estimated_size(self._exchanges.pop(next(iter(self._exchanges))))
        return self.last_number

    def get(self, number: int) -> Exchange | None:
        """The exchange with a number; None if it is not stored any more."""
        return self._exchanges.get(number)

    def number_after(self, number: int) -> int:
        """The number after `number` that is still stored, or will be the next one."""
        return max(number + 1, next(iter(self._exchanges), 1))


def _estimated_size(exchange: Exchange) -> int:
    contents = (exchange.request.body, exchange.response.body, exchange.event, exchange.result)
    return sum(map(len, contents)) + _OVERHEAD_BYTES
