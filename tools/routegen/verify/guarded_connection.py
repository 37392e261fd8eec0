"""Connections that keep to the guard's addresses, to a time and to a size.

httpcore2 speaks HTTP over what this gives it. A name is resolved once in a run and every address is judged before the
connection to that very address is made, so what is asked can't change between the judgement and the connection.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpcore2
from routegen.verify.ssrf_guard import Address, Guard

Resolve = Callable[[str, int], list[Address]]
_ADDRESSES = 4
"""How many addresses of one name are tried."""


class Unreachable(Exception):  # noqa: N818 - it says what happened, and never leaves the fetcher
    """No connection, or it was ended by us; `kind` is a Failure's."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why


@dataclass(frozen=True)
class Deadline:
    """A moment after which nothing is waited for.

    Attributes:
        at: on the monotonic clock, in seconds.
        said: the same for people, e.g. `10 s`.
    """

    at: float
    said: str

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """So many seconds from now."""
        return cls(time.monotonic() + seconds, f"{seconds:g} s")

    def left(self) -> float:
        """Seconds until then.

        Raises:
            Unreachable: it has passed.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise Unreachable("timeout", f"no whole answer within {self.said}")
        return left


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a name, by the system's resolver, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [ip_address(text) for text in texts]


class Names:
    """What every name was resolved to: once in a run, so that a second answer can't lead elsewhere."""

    def __init__(self, resolver: Resolve) -> None:
        self._resolve = resolver
        self._lock = threading.Lock()
        self._known: dict[str, list[Address] | str] = {}

    def addresses(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """The host's addresses.

        Raises:
            Unreachable: there are none, or not in time.
        """
        with self._lock:
            if host not in self._known:
                self._known[host] = self._ask(host, port, deadline)
            known = self._known[host]
        if isinstance(known, str):
            raise Unreachable("dns", known)
        return known

    def _ask(self, host: str, port: int, deadline: Deadline) -> list[Address] | str:
        """In a thread of its own: the system's resolver can't be told a time."""
        found: list[Address] = []
        problem: list[str] = []

        def ask() -> None:
            try:
                found.extend(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                problem.append(str(getattr(error, "strerror", None) or error))

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(deadline.left())
        if problem or not found:
            return f"the name {host} can't be resolved: {problem[0] if problem else 'no answer'}"
        return list(found)


class Backend(httpcore2.NetworkBackend):
    """Connects for one request."""

    def __init__(self, guard: Guard, names: Names, deadline: Deadline, max_bytes: int) -> None:
        """Take what the request has to keep to; `max_bytes` counts everything that arrives."""
        self._guard = guard
        self._names = names
        self._deadline = deadline
        self._max_bytes = max_bytes

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's; the deadline is ours
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first of the host's addresses that may be asked and answers."""
        allowed = self._allowed(host, port)
        problem: Exception | None = None
        for address in allowed[:_ADDRESSES]:
            try:
                stream = httpcore2.SyncBackend().connect_tcp(
                    str(address), port, self._deadline.left(), local_address, socket_options
                )
            except httpcore2.ConnectTimeout as error:
                problem = error
            except httpcore2.ConnectError as error:
                problem = error
            else:
                return _Bounded(stream, self._deadline, self._max_bytes)
        raise _refused(problem, host, port, self._deadline)

    def _allowed(self, host: str, port: int) -> list[Address]:
        addresses = self._names.addresses(host, port, self._deadline)
        reasons = [(address, self._guard.why_not_address(address)) for address in addresses]
        allowed = [address for address, why in reasons if why is None]
        if not allowed:
            raise Unreachable("not-allowed", f"{host} is not asked: {reasons[0][1]}")
        return allowed


def _refused(problem: Exception | None, host: str, port: int, deadline: Deadline) -> Unreachable:
    if isinstance(problem, httpcore2.ConnectTimeout):
        return Unreachable("timeout", f"no connection to {host}:{port} within {deadline.said}")
    return Unreachable("refused", f"no connection to {host}:{port}: {_reason(problem)}")


def _reason(problem: BaseException | None) -> str:
    cause = problem.__cause__ if problem and problem.__cause__ else problem
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or str(cause)).replace("_", " ").lower()
    return str(getattr(cause, "strerror", None) or cause)


class _Bounded(httpcore2.NetworkStream):
    """A connection that ends itself at a time and at a size."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline, left: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as in connect_tcp
        data = self._stream.read(max_bytes, self._deadline.left())
        self._left -= len(data)
        if self._left < 0:
            raise Unreachable("too-large", "the answer is larger than a client would read")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as in connect_tcp
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as in connect_tcp
    ) -> httpcore2.NetworkStream:
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        except httpcore2.ConnectError as error:
            raise Unreachable("tls", f"TLS with {server_hostname} fails: {_reason(error)}") from None
        except httpcore2.ConnectTimeout:
            why = f"TLS with {server_hostname} doesn't come about within {self._deadline.said}"
            raise Unreachable("tls", why) from None
        return _Bounded(stream, self._deadline, self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
