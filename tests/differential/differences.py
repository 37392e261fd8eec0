"""The documented differences between the servers and the routing model, for docs/differences.md."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from differential.requests import HOST, RawRequest, origin_form


@dataclass(frozen=True)
class ServerDifference:
    """One documented difference.

    Attributes:
        name: the property of the request.
        servers: the servers with this difference.
        applies: returns whether the difference applies to a request.
        reason: the reason for the server's behaviour.
        example: a request that the difference applies to.
        status: the status with which the server refuses the request; None if an app gets the request.
        refuses_some: whether the server refuses only some of these requests.
        arriving_target: returns the target that the app gets and that decides the routing.
    """

    name: str
    servers: tuple[str, ...]
    applies: Callable[[RawRequest], bool]
    reason: str
    example: RawRequest
    status: int | None = None
    refuses_some: bool = False
    arriving_target: Callable[[RawRequest], bytes] | None = None

    @property
    def outcome(self) -> str:
        """The result for the table of the page."""
        if self.arriving_target is None:
            return f"{self.status} for some requests" if self.refuses_some else str(self.status)
        return f"the app gets {as_code(self.arriving_target(self.example))}"


def _is_absolute(request: RawRequest) -> bool:
    return request.target.startswith(b"http://")


def _has_control_character(request: RawRequest) -> bool:
    return re.search(rb"[\x00-\x20\x7f]", request.target) is not None


def _before_fragment(request: RawRequest) -> bytes:
    """Return the part of the path that nginx reads."""
    return request.path.partition(b"#")[0]


def _has_bad_escape(path: bytes) -> bool:
    return re.search(rb"%(?![0-9A-Fa-f]{2})", path) is not None


def _climbs_above_root(path: bytes) -> bool:
    depth = 0
    for segment in unquote_to_bytes(path).split(b"/")[1:]:
        if segment != b".":
            depth += -1 if segment == b".." else 1
        if depth < 0:
            return True
    return False


def _reencoded(request: RawRequest) -> bytes:
    path, mark, query = request.target.partition(b"?")
    return quote_from_bytes(unquote_to_bytes(path), safe="$&+,/:;=@").encode() + mark + query


DIFFERENCES = (
    ServerDifference(
        "a percent sign that encodes nothing",
        ("nginx",),
        lambda request: _has_bad_escape(_before_fragment(request)),
        "RFC 3986, section 2.1, allows no such path, and nginx refuses a path that it cannot decode",
        RawRequest("GET", b"/100%"),
        status=400,
    ),
    ServerDifference(
        "a percent sign that encodes nothing",
        ("caddy",),
        lambda request: _has_bad_escape(request.path),
        "RFC 3986, section 2.1, allows no such path, and Go's net/url refuses it",
        RawRequest("GET", b"/100%"),
        status=400,
    ),
    ServerDifference(
        "an encoded NUL",
        ("nginx",),
        lambda request: b"%00" in _before_fragment(request),
        "a string in nginx ends at a NUL",
        RawRequest("GET", b"/mcp/%00"),
        status=400,
    ),
    ServerDifference(
        "more `..` than segments before them",
        ("nginx",),
        lambda request: _climbs_above_root(_before_fragment(request)),
        "nginx removes each dot segment with the segment before it, and here there is none",
        RawRequest("GET", b"/../mcp"),
        status=400,
    ),
    ServerDifference(
        "a control character",
        ("nginx", "caddy"),
        _has_control_character,
        "RFC 9112, section 3.2, allows no control character in a request target; a client must encode it",
        RawRequest("GET", b"/mcp/\x7f"),
        status=400,
    ),
    ServerDifference(
        "a control character other than DEL",
        ("haproxy",),
        lambda request: _has_control_character(RawRequest("", request.target.replace(b"\x7f", b""))),
        "RFC 9112, section 3.2, allows no control character in a request target; a client must encode it",
        RawRequest("GET", b"/mcp/\x01"),
        status=400,
    ),
    ServerDifference(
        "the control character DEL",
        ("haproxy",),
        lambda request: b"\x7f" in request.target,
        "HAProxy reads eight bytes at a time, and examines each byte only if one of the eight is special",
        RawRequest("GET", b"/mcp/\x7f"),
        status=400,
        refuses_some=True,
    ),
    ServerDifference(
        "a byte beyond ASCII",
        ("haproxy",),
        lambda request: not request.target.isascii(),
        "RFC 3986 allows only ASCII; `option accept-invalid-http-request` would accept other invalid requests too",
        RawRequest("GET", "/é".encode()),
        status=400,
    ),
    ServerDifference(
        "a fragment",
        ("haproxy",),
        lambda request: b"#" in request.target,
        "RFC 3986 allows no fragment in a request target",
        RawRequest("GET", b"/mcp#a"),
        status=400,
    ),
    ServerDifference(
        "a method with a character other than capitals, `_` and `-`",
        ("nginx",),
        lambda request: re.fullmatch("[A-Z_-]+", request.method) is None,
        "nginx accepts only such methods",
        RawRequest("get", b"/mcp"),
        status=400,
    ),
    ServerDifference(
        "`TRACE` and `CONNECT`",
        ("nginx",),
        lambda request: request.method in {"TRACE", "CONNECT"},
        "nginx refuses these methods for every location",
        RawRequest("TRACE", b"/mcp"),
        status=405,
    ),
    ServerDifference(
        "`CONNECT`",
        ("haproxy",),
        lambda request: request.method == "CONNECT",
        "the target of `CONNECT` must be an authority (RFC 9112, section 3.2.3)",
        RawRequest("CONNECT", b"/mcp"),
        status=400,
    ),
    ServerDifference(
        "`CONNECT` with a URL",
        ("caddy",),
        lambda request: request.method == "CONNECT" and _is_absolute(request),
        "Go reads the text before the first slash as the authority",
        RawRequest("CONNECT", b"http://wiki.test/mcp"),
        arriving_target=lambda request: request.target.removeprefix(b"http:"),
    ),
    ServerDifference(
        "a request line of more than 16 KB",
        ("nginx",),
        lambda request: len(request.target) > 16_000,
        "the limit is `large_client_header_buffers`; API Gateway accepts 10,240 bytes",
        RawRequest("GET", b"/" + b"x" * 17_000),
        status=414,
    ),
    ServerDifference(
        "request line and headers of more than 15 KB",
        ("haproxy",),
        lambda request: len(request.target) > 16_000,
        "the limit is `tune.bufsize`; API Gateway accepts 10,240 bytes",
        RawRequest("GET", b"/" + b"x" * 17_000),
        status=400,
    ),
    ServerDifference(
        "a URL whose host is not the one in `Host`, or with a query but no path",
        ("haproxy",),
        lambda request: _is_absolute(request) and re.match(rb"http://%s(/|\Z)" % HOST, request.target) is None,
        "two servers could send such a request to two hosts, so HAProxy refuses it",
        RawRequest("GET", b"http://other.test/mcp"),
        status=400,
    ),
    ServerDifference(
        "a URL without a path and an empty query",
        ("nginx",),
        lambda request: re.fullmatch(rb"http://[^/?]*\?", request.target) is not None,
        "nginx has no original path to send, so it sends the path that it has parsed",
        RawRequest("GET", b"http://wiki.test?"),
        arriving_target=lambda _request: b"/",
    ),
    ServerDifference(
        "a URL instead of a path",
        ("nginx", "caddy", "haproxy"),
        lambda request: _is_absolute(request) and request.method != "CONNECT",
        "an app must get only path and query (RFC 9112, section 3.2.1)",
        RawRequest("GET", b"http://wiki.test/mcp?a"),
        arriving_target=origin_form,
    ),
    ServerDifference(
        "a character that must be encoded",
        ("caddy",),
        lambda request: re.search(rb"[^A-Za-z0-9._~!$&'()*+,;=:@/%\[\]-]", request.path) is not None,
        "Go's net/url decodes and encodes the whole path; the routing is the same",
        RawRequest("GET", b"/mcp/%61%2F{x}"),
        arriving_target=_reencoded,
    ),
)
"""If several differences change the target of a request, they change it in this order."""


def refusals(server: str, request: RawRequest) -> list[ServerDifference]:
    """List the differences for which a server can refuse a request."""
    return [item for item in DIFFERENCES if item.status and server in item.servers and item.applies(request)]


def arriving_request(server: str, request: RawRequest) -> RawRequest:
    """Return the request as an app gets it; the path of this request decides the routing."""
    for difference in DIFFERENCES:
        if difference.arriving_target and server in difference.servers and difference.applies(request):
            request = RawRequest(request.method, difference.arriving_target(request))
    return request


def as_code(target: bytes) -> str:
    """Write a request target as code in Markdown, in printable characters and shortened."""
    text = "".join(chr(byte) if 0x20 < byte < 0x7F else f"\\x{byte:02x}" for byte in target)
    return f"`{text if len(text) < 60 else f'{text[:8]}...'}`"


def as_markdown() -> str:
    """Write the table of docs/differences.md."""
    lines = ["| Request with | Example | Server | Result | Reason |", "|---|---|---|---|---|"]
    names = {"nginx": "nginx", "caddy": "Caddy", "haproxy": "HAProxy"}
    for difference in DIFFERENCES:
        servers = ", ".join(names[server] for server in difference.servers)
        example = f"`{difference.example.method}` {as_code(difference.example.target)}"
        lines.append(f"| {difference.name} | {example} | {servers} | {difference.outcome} | {difference.reason} |")
    return "\n".join(lines) + "\n"
