"""Asking: each request once, within the guard, a size and a time; what came is kept, so asking again gives the same.

A `Fetcher` has three views, which are `Answers`: `plain` asks as an MCP client without a token, `browser` as one in a
page of another origin, `signed_in` with the user's token, at the MCP endpoint alone. Nothing is asked but with GET,
HEAD and OPTIONS, and the POSTs that the run has announced. Redirects are answers like any other, never followed here.
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

import httpcore2
from routegen import __version__
from routegen.verify.answers import Answer, Failure
from routegen.verify.guarded_connection import Backend, Deadline, Names, Resolve, Unreachable, resolve
from routegen.verify.ssrf_guard import Guard, split

MAX_BODY = 1024 * 1024
"""Bytes of a body that are read; more than any document or page that matters here."""

PROTOCOL = "2025-06-18"
BROWSER_ORIGIN = "http://localhost:6274"
"""Where the MCP Inspector's page is, the best known client in a browser."""

Caller = Literal["plain", "browser", "signed-in"]
Headers = tuple[tuple[str, str], ...]

_HEADERS_TOO = MAX_BODY + 256 * 1024
_AT_ONCE = 8
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON: Headers = (("content-type", "application/json"),)

INITIALIZE = json.dumps({
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": PROTOCOL,
        "capabilities": {},
        "clientInfo": {"name": "routegen verify", "version": __version__},
    },
}).encode()  # fmt: skip
"""The first request of an MCP session (MCP, "Lifecycle")."""

REGISTRATION = json.dumps({
    "client_name": "routegen verify",
    "redirect_uris": ["http://127.0.0.1:3334/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}).encode()  # fmt: skip
"""What a client without a secret registers (RFC 7591, section 2)."""


@dataclass(frozen=True)
class Limits:
    """How long a run may wait, in seconds: for one answer, and for all of them."""

    request: float = 10.0
    overall: float = 60.0


@dataclass
class Fetcher:
    """Everything that a run asks goes through one of these.

    Attributes:
        guard: where it may ask.
        limits: how long it waits.
        posts: the body for each URL that may be asked with POST, as the caller says it.
        token: the user's, for the `signed-in` view; it is sent nowhere else.
        told: is called with each answer as it comes, from several threads.
        resolver: how names become addresses.
    """

    guard: Guard
    limits: Limits = Limits()
    posts: Mapping[str, bytes] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    told: Callable[[Answer | Failure], None] = lambda _: None
    resolver: Resolve = resolve

    def __post_init__(self) -> None:
        self._names = Names(self.resolver)
        self._end = Deadline.after(self.limits.overall)
        self._lock = threading.Lock()
        self._kept: dict[tuple[Caller, str, str], Future[Answer | Failure]] = {}

    @property
    def plain(self) -> "View":
        """As an MCP client that has no token yet."""
        return View(self, "plain")

    @property
    def browser(self) -> "View":
        """As a script in a page of `BROWSER_ORIGIN`; OPTIONS is its preflight (WHATWG Fetch, section 4.8)."""
        return View(self, "browser")

    @property
    def signed_in(self) -> "View | None":
        """With the token, where there is one."""
        return View(self, "signed-in") if self.token else None

    def ask(self, caller: Caller, method: str, url: str) -> Answer | Failure:
        """The answer to a request; from memory where it was asked before."""
        url = url.partition("#")[0]
        with self._lock:
            kept = self._kept.get((caller, method, url))
            if kept is None:
                mine = self._kept[caller, method, url] = Future()
        if kept is not None:
            return kept.result()
        try:
            answer = self._checked(caller, method, url)
        except BaseException as error:
            mine.set_exception(error)  # or who waits for it would wait for ever
            raise
        mine.set_result(answer)
        self.told(answer)
        return answer

    def ask_all(self, requests: Iterable[tuple[Caller, str, str]]) -> None:
        """Ask many at once, so that later asking finds them answered."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda request: self.ask(*request), dict.fromkeys(requests)))

    def _checked(self, caller: Caller, method: str, url: str) -> Answer | Failure:
        if method not in _HARMLESS and not (method == "POST" and url in self.posts):
            return Failure(method, url, "not-asked", f"{method} might change something")
        if why := self.guard.why_not(url):
            return Failure(method, url, "not-allowed", why)
        deadline = min(Deadline.after(self.limits.request), self._end, key=lambda one: one.at)
        try:
            return self._send(caller, method, url, deadline)
        except Unreachable as error:
            kind, why = error.kind, error.why
        except (httpcore2.TimeoutException, TimeoutError):
            kind, why = "timeout", f"no whole answer within {deadline.said}"
        except httpcore2.ProtocolError as error:
            kind, why = "protocol", f"it is not valid HTTP: {error}"
        except (httpcore2.NetworkError, OSError) as error:
            kind, why = "protocol", f"the connection breaks off: {error}"
        return Failure(method, url, kind, why)

    def _send(self, caller: Caller, method: str, url: str, deadline: Deadline) -> Answer:
        body = self.posts[url] if method == "POST" else None
        headers = [*self._headers(caller, method, url), *(_JSON if body else ())]
        backend = Backend(self.guard, self._names, deadline, _HEADERS_TOO)
        with (
            # A connection of its own for each request: what one answer leaves behind can't become another's.
            httpcore2.ConnectionPool(
                network_backend=backend, ssl_context=_tls() if url.startswith("https:") else None
            ) as pool,
            pool.stream(method, url, headers=headers, content=body) as response,
        ):
            # As they came: httpcore2 keeps the server's own bytes, and HTTP's headers are Latin-1.
            found = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers)
            data, truncated = _read(response, found, streams=method == "GET")
        return Answer(method, url, response.status, found, data, truncated)

    def _headers(self, caller: Caller, method: str, url: str) -> Headers:
        common = (
            ("host", _host(url)),
            ("user-agent", f"routegen/{__version__}"),
            ("accept", "application/json, text/event-stream" if method == "POST" else "*/*"),
            ("accept-encoding", "identity"),
            ("connection", "close"),
        )
        if caller == "browser":
            return (*common, ("origin", BROWSER_ORIGIN), *(_PREFLIGHT if method == "OPTIONS" else ()))
        if caller == "signed-in":
            return (*common, ("authorization", f"Bearer {self.token}"))
        return common


@dataclass(frozen=True)
class View:
    """The answers that one kind of caller gets."""

    fetcher: Fetcher
    caller: Caller

    def get(self, method: str, url: str) -> Answer | Failure:
        """The answer, or why there is none; never raises, and the same for the same request."""
        return self.fetcher.ask(self.caller, method, url)


# What the TypeScript SDK sends from a page: the token, JSON, and the protocol's version.
_PREFLIGHT: Headers = (
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", "authorization,content-type,mcp-protocol-version"),
)


def _host(url: str) -> str:
    parts = split(url)
    return parts.netloc if parts else ""


@cache
def _tls() -> ssl.SSLContext:
    """The certificates that this machine trusts, or those of SSL_CERT_FILE: read once, and only when https is asked."""
    return httpcore2.default_ssl_context()


def _read(response: httpcore2.Response, headers: Headers, *, streams: bool) -> tuple[bytes, bool]:
    """The body, decoded, up to `MAX_BODY`, and whether there was more."""
    names = dict(headers)
    if names.get("content-type", "").lower().startswith("text/event-stream"):
        return _first_event(response) if not streams else (b"", True)
    unpack = _unpacker(names.get("content-encoding", ""))
    data = b""
    try:
        for part in response.iter_stream():
            data += unpack(part, MAX_BODY + 1 - len(data))
            if len(data) > MAX_BODY:
                return data[:MAX_BODY], True
    except Unreachable as error:
        if error.kind != "too-large":
            raise
        return data, True
    except zlib.error:
        raise Unreachable("protocol", "its content-encoding is not what its body is encoded with") from None
    return data, False


def _first_event(response: httpcore2.Response) -> tuple[bytes, bool]:
    """A stream of events needn't end: the first one is the answer to the one request that was sent."""
    data = b""
    for part in response.iter_stream():
        data += part
        if b"\n\n" in data or b"\r\n\r\n" in data or len(data) > MAX_BODY:
            return data[:MAX_BODY], True
    return data, False


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """What undoes a content-encoding, never to more than it is told; the encodings that Python's zlib knows."""
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return lambda part, _: part
    # 32: zlib tells gzip from zlib's own format by their first bytes.
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    return lambda part, most: unpacker.decompress(part, most) if most > 0 else b""
