"""What one entry of an app's route table serves: data only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


class UnknownKindError(Exception):
    """A route table holds something that no adapter knows; the text says what and where."""


@dataclass(frozen=True)
class Served:
    """One path that an app serves.

    Attributes:
        path: in Starlette's notation, with the prefixes of its mounts.
        methods: in capitals, sorted; None where the app takes every method.
        handlers: qualified names of what answers, from the outermost wrapper to the endpoint itself.
        regexes: what each variable of `path` takes, in the path's order, as a regular expression.
        protocol: `websocket` where only a WebSocket handshake reaches it.
        host: the host name that a request has to have, as Starlette's `Host` writes it, or None for any.
        redirects: the app only sends a client on, to the same path with a slash after it.
        hidden_by: the mount before it that takes every request to it, so that it never answers.
        partly_hidden_by: the mount before it that takes some of its requests.
    """

    path: str
    methods: tuple[str, ...] | None
    handlers: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    protocol: str = "http"
    host: str | None = None
    redirects: bool = False
    hidden_by: str | None = None
    partly_hidden_by: str | None = None

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Served":
        """What `as_data` gave, after JSON has made lists of tuples."""
        values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in data.items()}
        return cls(**values)
