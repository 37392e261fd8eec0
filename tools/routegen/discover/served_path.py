"""One path that an app serves, as data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from routegen.errors import UnsupportedRouteError
from routegen.gateway.path_pattern import compile_path, split_path


class UnknownRouteKindError(UnsupportedRouteError):
    """A route table holds an object that no adapter can walk; the text names the object and its path."""


@dataclass(frozen=True)
class ServedPath:
    """One path that an app serves.

    Attributes:
        path: in Starlette's notation, with the prefixes of its mounts.
        methods: in capitals, sorted; None where the app takes every method.
        handlers: qualified names of the code that answers, from the outermost wrapper to the endpoint.
        regexes: the regular expression of each variable of `path`, in the path's order.
        protocol: `http`, or `websocket` where only a WebSocket handshake reaches the route.
        host: the host name that a request must have, as Starlette's `Host` writes it; None for any host.
        only_redirects: the app only redirects to the same path with a slash after it.
        hidden_by: the path of an earlier mount that takes every request, so that this route never answers.
        partly_hidden_by: the path of an earlier mount that takes some of the requests.
        keeps_sessions: whether an MCP endpoint keeps sessions; None for other paths, and if it cannot be told.
        faults: why an MCP endpoint fails on every request (`routegen.discover.endpoint_faults`).
        document: URLs in the OAuth document of this path, by the names of their fields; None if they are not known.
    """

    path: str
    methods: tuple[str, ...] | None
    handlers: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    protocol: str = "http"
    host: str | None = None
    only_redirects: bool = False
    hidden_by: str | None = None
    partly_hidden_by: str | None = None
    keeps_sessions: bool | None = None
    faults: tuple[str, ...] = ()
    document: Mapping[str, Any] | None = None

    @property
    def names_a_path(self) -> bool:
        """Whether the path begins with a literal segment, so that it is not for pages with any name."""
        return split_path(self.path, self.regexes)[0].is_literal

    def matches(self, path: str) -> bool:
        """Whether this is the path of a request, decoded; host and method are not compared."""
        return compile_path(self.path, self.regexes).fullmatch(path) is not None

    def as_data(self) -> dict[str, Any]:
        """Return the fields as data for JSON."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "ServedPath":
        """Build an entry from `as_data`, after JSON has turned tuples into lists."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**fields)
