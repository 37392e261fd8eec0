"""Where a server does something else than the routing model says, each with its reason, as in docs/differences.md."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from differential.requests import HOST, Request, origin_form


@dataclass(frozen=True)
class Difference:
    """One documented difference.

    Attributes:
        name: what the request has.
        servers: where.
        applies: to which requests.
        reason: why the server does it, and why the configuration leaves it so.
        example: a request that it applies to; there is none for what is too long to read.
        refused: the status that the server answers with by itself; None where an app gets the request.
        sometimes: whether the server refuses only some of these requests.
        arrives: the target that the app gets, and that decides.
    """

    name: str
    servers: tuple[str, ...]
    applies: Callable[[Request], bool]
    reason: str
    example: Request
    refused: int | None = None
    sometimes: bool = False
    arrives: Callable[[Request], bytes] | None = None

    @property
    def outcome(self) -> str:
        """What happens, in a few words."""
        if self.arrives is None:
            return f"{self.refused}, or not" if self.sometimes else str(self.refused)
        return f"arrives as {as_code(self.arrives(self.example))}"


def _is_absolute(request: Request) -> bool:
    return request.target.startswith(b"http://")


def _has_control_character(request: Request) -> bool:
    return re.search(rb"[\x00-\x20\x7f]", request.target) is not None


def _before_fragment(request: Request) -> bytes:
    """All of the path that nginx looks at."""
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


def _encoded_anew(request: Request) -> bytes:
    path, mark, query = request.target.partition(b"?")
    return quote_from_bytes(unquote_to_bytes(path), safe="$&+,/:;=@").encode() + mark + query


DIFFERENCES = (
    Difference(
        "a percent sign that encodes nothing",
        ("nginx",),
        lambda request: _has_bad_escape(_before_fragment(request)),
        "RFC 3986, section 2.1, has no such path; nginx refuses what it can't decode",
        Request("GET", b"/100%"),
        refused=400,
    ),
    Difference(
        "a percent sign that encodes nothing",
        ("caddy",),
        lambda request: _has_bad_escape(request.path),
        "as above, in Go's net/url",
        Request("GET", b"/100%"),
        refused=400,
    ),
    Difference(
        "an encoded NUL",
        ("nginx",),
        lambda request: b"%00" in _before_fragment(request),
        "nginx's strings end there",
        Request("GET", b"/mcp/%00"),
        refused=400,
    ),
    Difference(
        "more `..` than segments before them",
        ("nginx",),
        lambda request: _climbs_above_root(_before_fragment(request)),
        "nginx removes dot segments for itself and has nothing to remove",
        Request("GET", b"/../mcp"),
        refused=400,
    ),
    Difference(
        "a control character",
        ("nginx", "caddy"),
        _has_control_character,
        "RFC 9112, section 3.2, has none in a request target; a client must encode it",
        Request("GET", b"/mcp/\x7f"),
        refused=400,
    ),
    Difference(
        "a control character but DEL",
        ("haproxy",),
        lambda request: _has_control_character(Request("", request.target.replace(b"\x7f", b""))),
        "as above",
        Request("GET", b"/mcp/\x01"),
        refused=400,
    ),
    Difference(
        "DEL",
        ("haproxy",),
        lambda request: b"\x7f" in request.target,
        "as above; HAProxy looks at eight bytes at a time, and closer only where one of them is special",
        Request("GET", b"/mcp/\x7f"),
        refused=400,
        sometimes=True,
    ),
    Difference(
        "a byte beyond ASCII",
        ("haproxy",),
        lambda request: not request.target.isascii(),
        "RFC 3986 has none; `option accept-invalid-http-request` would take it, and much else that is invalid",
        Request("GET", "/é".encode()),
        refused=400,
    ),
    Difference(
        "a fragment",
        ("haproxy",),
        lambda request: b"#" in request.target,
        "as above; what is behind the sign is not sent by any client that keeps to RFC 3986",
        Request("GET", b"/mcp#a"),
        refused=400,
    ),
    Difference(
        "a method with other characters than capitals, `_` and `-`",
        ("nginx",),
        lambda request: re.fullmatch("[A-Z_-]+", request.method) is None,
        "nginx knows no other methods",
        Request("get", b"/mcp"),
        refused=400,
    ),
    Difference(
        "`TRACE` and `CONNECT`",
        ("nginx",),
        lambda request: request.method in {"TRACE", "CONNECT"},
        "nginx has them for no proxy of this kind",
        Request("TRACE", b"/mcp"),
        refused=405,
    ),
    Difference(
        "`CONNECT`",
        ("haproxy",),
        lambda request: request.method == "CONNECT",
        "its target must be an authority (RFC 9112, section 3.2.3)",
        Request("CONNECT", b"/mcp"),
        refused=400,
    ),
    Difference(
        "`CONNECT` with a URL",
        ("caddy",),
        lambda request: request.method == "CONNECT" and _is_absolute(request),
        "Go takes everything up to the first slash for the authority",
        Request("CONNECT", b"http://wiki.test/mcp"),
        arrives=lambda request: request.target.removeprefix(b"http:"),
    ),
    Difference(
        "a request line of more than 16 KB",
        ("nginx",),
        lambda request: len(request.target) > 16_000,
        "`large_client_header_buffers`; API Gateway takes 10,240 bytes",
        Request("GET", b"/" + b"x" * 17_000),
        refused=414,
    ),
    Difference(
        "request line and headers of more than 15 KB",
        ("haproxy",),
        lambda request: len(request.target) > 16_000,
        "`tune.bufsize`; API Gateway takes 10,240 bytes",
        Request("GET", b"/" + b"x" * 17_000),
        refused=400,
    ),
    Difference(
        "a URL with another host than `Host`, or with a query and no path",
        ("haproxy",),
        lambda request: _is_absolute(request) and re.match(rb"http://%s(/|\Z)" % HOST, request.target) is None,
        "HAProxy refuses a request that two readers might send to two hosts",
        Request("GET", b"http://other.test/mcp"),
        refused=400,
    ),
    Difference(
        "a URL without a path and an empty query",
        ("nginx",),
        lambda request: re.fullmatch(rb"http://[^/?]*\?", request.target) is not None,
        "nginx has no path to pass on as it came, and makes one of what it has read",
        Request("GET", b"http://wiki.test?"),
        arrives=lambda _request: b"/",
    ),
    Difference(
        "a URL instead of a path",
        ("nginx", "caddy", "haproxy"),
        lambda request: _is_absolute(request) and request.method != "CONNECT",
        "an app must get a path (RFC 9112, section 3.2.1)",
        Request("GET", b"http://wiki.test/mcp?a"),
        arrives=origin_form,
    ),
    Difference(
        "a character that must be encoded",
        ("caddy",),
        lambda request: re.search(rb"[^A-Za-z0-9._~!$&'()*+,;=:@/%\[\]-]", request.path) is not None,
        "Go's net/url encodes the whole path anew, from its decoded form; the decision is the same",
        Request("GET", b"/mcp/%61%2F{x}"),
        arrives=_encoded_anew,
    ),
)
"""Those of one kind that apply to a request apply in this order."""


def refusals(server: str, request: Request) -> list[Difference]:
    """What a server may or must refuse a request for."""
    return [one for one in DIFFERENCES if one.refused and server in one.servers and one.applies(request)]


def arriving(server: str, request: Request) -> Request:
    """The request as an app gets it, whose path decides."""
    for one in DIFFERENCES:
        if one.arrives and server in one.servers and one.applies(request):
            request = Request(request.method, one.arrives(request))
    return request


def as_code(target: bytes) -> str:
    """A request target in Markdown, in printable characters and shortened."""
    text = "".join(chr(byte) if 0x20 < byte < 0x7F else f"\\x{byte:02x}" for byte in target)
    return f"`{text if len(text) < 60 else f'{text[:8]}...'}`"


def as_markdown() -> str:
    """The table of docs/differences.md."""
    lines = ["| a request with | for example | at | happens | because |", "|---|---|---|---|---|"]
    names = {"nginx": "nginx", "caddy": "Caddy", "haproxy": "HAProxy"}
    for one in DIFFERENCES:
        servers = ", ".join(names[server] for server in one.servers)
        example = f"`{one.example.method}` {as_code(one.example.target)}"
        lines.append(f"| {one.name} | {example} | {servers} | {one.outcome} | {one.reason} |")
    return "\n".join(lines) + "\n"
