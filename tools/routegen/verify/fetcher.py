"""Send HTTP requests as MCP clients send them, each request once, and keep the answers.

A `Fetcher` gives the `Answers` of several kinds of client: without a token, with the user's token (which only the MCP
endpoint gets), in a web page of another origin, or of MCP 2026-07-28. The fetcher sends GET, HEAD and OPTIONS; other
methods only to the URLs in `post_bodies`. It does not follow redirects.
"""

import json
import ssl
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Literal
from urllib.parse import urlsplit

import httpcore2
from routegen import __version__
from routegen.verify.answers import SAFE_METHODS, Answer, Failure, shown
from routegen.verify.guarded_connection import (
    Deadline,
    GuardedBackend,
    RequestError,
    ResolvedNames,
    Resolver,
    resolve_host,
)
from routegen.verify.mcp_messages import DISCOVER, LIST_TOOLS, LISTEN, modern_headers
from routegen.verify.ssrf_guard import SsrfGuard

MAX_BODY_BYTES = 1024 * 1024
"""The size limit of a body. Every document and page that a check reads is smaller."""

BROWSER_ORIGIN = "http://localhost:6274"
"""The origin of the MCP Inspector's page, the best known client in a browser."""

BROWSER_REQUEST_HEADERS = ("authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name")
"""The headers of an MCP client in a web page; the last two are required since MCP 2026-07-28."""

Caller = Literal[
    "without-token", "in-browser", "in-browser-with-token", "with-token", "in-session", "modern", "modern-with-token",
    "listening",
]  # fmt: skip
"""The kind of client that a request comes from."""

RequestLine = tuple[Caller, str, str]
"""A request: the caller, the method and the URL."""

_Headers = tuple[tuple[str, str], ...]

_MAX_ANSWER_BYTES = MAX_BODY_BYTES + 256 * 1024
_MAX_PARALLEL_REQUESTS = 8
_LISTEN_SECONDS = 5.0
_TOKEN_CALLERS = frozenset({"with-token", "in-browser-with-token", "modern-with-token", "listening"})
# The message of a caller that sends POST, and its headers. Every other caller sends the body of `post_bodies`.
_MESSAGES: dict[str, tuple[bytes, _Headers]] = {
    "in-session": (LIST_TOOLS, ()),
    "modern": (DISCOVER, modern_headers("server/discover")),
    "modern-with-token": (DISCOVER, modern_headers("server/discover")),
    "listening": (LISTEN, modern_headers("subscriptions/listen")),
}
_PREFLIGHT: _Headers = (
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", ",".join(BROWSER_REQUEST_HEADERS)),
)

REGISTRATION = json.dumps({
    "client_name": "routegen verify",
    "redirect_uris": ["http://127.0.0.1:3334/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
    "application_type": "native",
}).encode()  # fmt: skip
"""The registration of a client without a secret (RFC 7591, section 2); MCP 2026-07-28 requires `application_type`."""


@dataclass(frozen=True)
class TimeLimits:
    """The time limits of one request, and of all requests of a run together, in seconds."""

    request: float = 10.0
    run: float = 60.0


@dataclass
class Fetcher:
    """Sends the requests of one run.

    Attributes:
        guard: the origins and addresses that may be requested.
        limits: the time limits.
        post_bodies: the body for each URL to which POST is allowed.
        token: the user's access token.
        on_answer: is called with each new answer, from several threads.
        resolver: resolves names to addresses.
    """

    guard: SsrfGuard
    limits: TimeLimits = TimeLimits()
    post_bodies: Mapping[str, bytes] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    on_answer: Callable[[Answer | Failure], None] = lambda _: None
    resolver: Resolver = resolve_host

    def __post_init__(self) -> None:
        self._names = ResolvedNames(self.resolver)
        self._end_of_run = Deadline.after(self.limits.run)
        self._lock = threading.Lock()
        self._answers: dict[RequestLine, Future[Answer | Failure]] = {}
        self._sessions: dict[str, _Headers] = {}

    def answers(self, caller: Caller) -> "CallerAnswers":
        """The answers that one kind of client gets; for `in-browser`, OPTIONS is a preflight (WHATWG Fetch, 4.8)."""
        return CallerAnswers(self, caller)

    def continue_session(self, url: str, headers: _Headers) -> Answer | Failure:
        """Send a second request to an MCP endpoint, in the session that the answer to `initialize` has started."""
        self._sessions[url] = headers
        return self.fetch("in-session", "POST", url)

    def fetch(self, caller: Caller, method: str, url: str) -> Answer | Failure:
        """Send a request, or return the answer to the same earlier request."""
        url = url.partition("#")[0]
        future: Future[Answer | Failure] = Future()
        with self._lock:
            earlier = self._answers.setdefault((caller, method, url), future)
        if earlier is not future:
            return earlier.result()
        try:
            answer = self._send_if_allowed(caller, method, url)
        except BaseException as error:
            future.set_exception(error)  # another thread can be waiting for the answer
            raise
        future.set_result(answer)
        self.on_answer(answer)
        return answer

    def fetch_all(self, requests: Iterable[RequestLine]) -> None:
        """Send many requests in parallel, so that their answers are there when a check needs them."""
        with ThreadPoolExecutor(_MAX_PARALLEL_REQUESTS) as pool:
            list(pool.map(lambda request: self.fetch(*request), dict.fromkeys(requests)))

    def _send_if_allowed(self, caller: Caller, method: str, url: str) -> Answer | Failure:
        if method not in SAFE_METHODS and url not in self.post_bodies:
            return Failure(method, url, "not-asked", f"{method} could change something")
        if problem := self.guard.url_problem(url):
            return Failure(method, url, "not-allowed", problem)
        seconds = min(_LISTEN_SECONDS, self.limits.request) if caller == "listening" else self.limits.request
        deadline = min(Deadline.after(seconds), self._end_of_run)
        try:
            return self._send(caller, method, url, deadline)
        except RequestError as error:
            kind, reason = error.kind, error.reason
        except (httpcore2.TimeoutException, TimeoutError):
            kind, reason = "timeout", f"there was no complete answer within {deadline.limit}"
        except httpcore2.ProtocolError as error:
            kind, reason = "protocol", f"the answer is not valid HTTP: {shown(str(error))}"
        except (httpcore2.NetworkError, OSError) as error:
            kind, reason = "protocol", f"the connection ended too early: {error}"
        return Failure(method, url, kind, reason)

    def _send(self, caller: Caller, method: str, url: str, deadline: Deadline) -> Answer:
        body, headers = None, self._headers(caller, method, url)
        if method == "POST":
            body, message_headers = _MESSAGES.get(caller, (self.post_bodies[url], ()))
            media_type = "application/json" if body else "application/x-www-form-urlencoded"
            headers += (*message_headers, ("content-type", media_type))
        backend = GuardedBackend(self.guard, self._names, deadline, _MAX_ANSWER_BYTES)
        tls_context = _tls_context() if url.startswith("https:") else None
        with (
            # One connection for each request: the rest of one answer cannot become the beginning of another.
            httpcore2.ConnectionPool(network_backend=backend, ssl_context=tls_context) as pool,
            pool.stream(method, url, headers=headers, content=body) as response,
        ):
            # httpcore2 keeps the bytes of the server, and HTTP's headers are Latin-1.
            pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers)
            received = tuple((name.lower(), value) for name, value in pairs)
            data, truncated = _read_body(response, received, method)
        return Answer(method, url, response.status, received, data, truncated)

    def _headers(self, caller: Caller, method: str, url: str) -> _Headers:
        accept = "text/event-stream" if caller == "listening" else "*/*"
        headers: _Headers = (
            ("host", urlsplit(url).netloc),
            ("user-agent", f"routegen/{__version__}"),
            ("accept", "application/json, text/event-stream" if method == "POST" else accept),
            ("accept-encoding", "identity"),
            ("connection", "close"),
        )
        if caller in {"in-browser", "in-browser-with-token"}:
            headers += (("origin", BROWSER_ORIGIN), *(_PREFLIGHT if method == "OPTIONS" else ()))
        session = self._sessions[url] if caller == "in-session" else ()
        has_token = self.token and (caller in _TOKEN_CALLERS or session)
        return headers + session + ((("authorization", f"Bearer {self.token}"),) if has_token else ())


@dataclass(frozen=True)
class CallerAnswers:
    """The answers that one kind of client gets."""

    fetcher: Fetcher
    caller: Caller

    def get(self, method: str, url: str) -> Answer | Failure:
        """The answer to a request; never raises."""
        return self.fetcher.fetch(self.caller, method, url)


@cache
def _tls_context() -> ssl.SSLContext:
    """The certificates that this machine trusts, or those of SSL_CERT_FILE; reading them is slow."""
    return httpcore2.default_ssl_context()


def _read_body(response: httpcore2.Response, headers: _Headers, method: str) -> tuple[bytes, bool]:
    """Read the decoded body up to `MAX_BODY_BYTES`, and return it with whether it is longer."""
    values = dict(headers)
    if values.get("content-type", "").lower().startswith("text/event-stream"):
        # A stream that answers GET has no first event to wait for (MCP, "Transports").
        return (b"", True) if method == "GET" else _read_first_event(response)
    decode = _decoder(values.get("content-encoding", ""))
    data = bytearray()
    try:
        for part in response.iter_stream():
            data += decode(part, MAX_BODY_BYTES + 1 - len(data))
            if len(data) > MAX_BODY_BYTES:
                return bytes(data[:MAX_BODY_BYTES]), True
    except RequestError as error:
        if error.kind != "too-large":
            raise
        return bytes(data), True
    except zlib.error:
        raise RequestError("protocol", "the body does not have the encoding that its content-encoding names") from None
    return bytes(data), False


def _read_first_event(response: httpcore2.Response) -> tuple[bytes, bool]:
    """Read the first event, which answers the request; a stream of events can be without an end."""
    data = bytearray()
    for part in response.iter_stream():
        start = max(0, len(data) - 3)  # The end of the event can be in two parts.
        data += part
        if any(data.find(end, start) >= 0 for end in (b"\n\n", b"\r\n\r\n")) or len(data) > MAX_BODY_BYTES:
            return bytes(data[:MAX_BODY_BYTES]), True
    return bytes(data), False


def _decoder(encoding: str) -> Callable[[bytes, int], bytes]:
    """A function that decodes a part of a body to at most the given number of bytes; zlib knows gzip and deflate."""
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return lambda part, _: part
    # 32: zlib detects by the first bytes whether the data is gzip or zlib.
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)
    return lambda part, max_bytes: decompressor.decompress(part, max_bytes) if max_bytes > 0 else b""
