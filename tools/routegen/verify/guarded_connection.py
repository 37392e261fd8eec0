"""Connections with a limited destination, a time limit and a size limit, as a network backend for httpcore2.

Each name is resolved once in a run. Each address is checked, and the connection goes to exactly the address that was
checked, so a second DNS answer cannot lead to another server (DNS rebinding).
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
from routegen.verify.request_url import Address
from routegen.verify.ssrf_guard import SsrfGuard

Resolver = Callable[[str, int], list[Address]]
"""Resolves a host and a port to addresses."""

_MAX_ADDRESSES = 4
"""The number of addresses of one name that are tried."""


@dataclass(eq=False)
class RequestError(Exception):
    """A request has no complete answer; kind and reason are those of the `Failure`."""

    kind: str
    reason: str


@dataclass(frozen=True, order=True)
class Deadline:
    """The end of a time limit on the monotonic clock, and the time limit as text, such as `10 s`."""

    monotonic_time: float
    limit: str

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The end of a time limit that begins now."""
        return cls(time.monotonic() + seconds, f"{seconds:g} s")

    def remaining_seconds(self) -> float:
        """The time until the deadline.

        Raises:
            RequestError: the deadline is over.
        """
        remaining = self.monotonic_time - time.monotonic()
        if remaining <= 0:
            raise RequestError("timeout", f"there was no complete answer within {self.limit}")
        return remaining


def resolve_host(host: str, port: int) -> list[Address]:
    """Resolve a host with the resolver of the operating system."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in entries)
    return [ip_address(text) for text in texts]


class ResolvedNames:
    """The addresses of every name of a run; each name is resolved once."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._lock = threading.Lock()
        self._results: dict[str, list[Address] | str] = {}

    def addresses(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """The addresses of a host.

        Raises:
            RequestError: the host has no address, or the resolver does not answer before the deadline.
        """
        with self._lock:
            if host not in self._results:
                self._results[host] = self._resolve(host, port, deadline)
            result = self._results[host]
        if isinstance(result, str):
            raise RequestError("dns", f"the name {host} cannot be resolved: {result}")
        return result

    def _resolve(self, host: str, port: int, deadline: Deadline) -> list[Address] | str:
        """Resolve in a thread, because the resolver of the operating system has no time limit."""
        results: list[list[Address] | str] = []

        def resolve() -> None:
            try:
                results.append(self._resolver(host, port))
            except (OSError, UnicodeError) as error:
                results.append(str(getattr(error, "strerror", None) or error))

        thread = threading.Thread(target=resolve, daemon=True)
        thread.start()
        thread.join(deadline.remaining_seconds())
        return results[0] if results and results[0] else "no answer"


@dataclass(eq=False)
class GuardedBackend(httpcore2.NetworkBackend):
    """Opens the connection of one request; the size limit is that of the whole answer, headers included."""

    guard: SsrfGuard
    names: ResolvedNames
    deadline: Deadline
    max_bytes: int

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - httpcore2 passes it; the deadline is used instead
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first allowed address of the host that accepts the connection.

        Raises:
            RequestError: no address is allowed, or none accepts the connection.
        """
        addresses = self.names.addresses(host, port, self.deadline)
        problems = {address: self.guard.address_problem(address) for address in addresses}
        allowed = [address for address, problem in problems.items() if problem is None]
        if not allowed:
            raise RequestError("not-allowed", f"{host} is not requested: {problems[addresses[0]]}")
        error: Exception | None = None
        for address in allowed[:_MAX_ADDRESSES]:
            try:
                stream = httpcore2.SyncBackend().connect_tcp(
                    str(address), port, self.deadline.remaining_seconds(), local_address, socket_options
                )
            except (httpcore2.ConnectTimeout, httpcore2.ConnectError) as connect_error:
                error = connect_error
            else:
                return _LimitedStream(stream, self.deadline, self.max_bytes)
        if isinstance(error, httpcore2.ConnectTimeout):
            raise RequestError("timeout", f"there is no connection to {host}:{port} within {self.deadline.limit}")
        raise RequestError("refused", f"there is no connection to {host}:{port}: {_cause_of(error)}")


def _cause_of(error: BaseException | None) -> str:
    cause = error.__cause__ if error and error.__cause__ else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or str(cause)).replace("_", " ").lower()
    return str(getattr(cause, "strerror", None) or cause)


@dataclass(eq=False)
class _LimitedStream(httpcore2.NetworkStream):
    """A connection with a time limit and a size limit."""

    stream: httpcore2.NetworkStream
    deadline: Deadline
    remaining_bytes: int

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as in connect_tcp
        data = self.stream.read(max_bytes, self.deadline.remaining_seconds())
        self.remaining_bytes -= len(data)
        if self.remaining_bytes < 0:
            raise RequestError("too-large", "the answer is larger than the answers that clients read")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as in connect_tcp
        self.stream.write(buffer, self.deadline.remaining_seconds())

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as in connect_tcp
    ) -> httpcore2.NetworkStream:
        try:
            stream = self.stream.start_tls(ssl_context, server_hostname, self.deadline.remaining_seconds())
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            problem = f"fails: {_cause_of(error)}"
            if isinstance(error, httpcore2.ConnectTimeout):
                problem = f"is not ready within {self.deadline.limit}"
            raise RequestError("tls", f"TLS with {server_hostname} {problem}") from None
        return _LimitedStream(stream, self.deadline, self.remaining_bytes)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
