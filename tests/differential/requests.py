"""Requests made up for a manifest: what its routes take, spelled otherwise, and what comes close to it."""

import random
import re
from dataclasses import dataclass

from routegen.manifest import Manifest

HOST = b"wiki.test"
METHODS = ["GET"] * 8 + ["POST"] * 4 + ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] * 2
ODD_METHODS = ["PROPFIND", "M-SEARCH", "A_B", "get", "Get", "X!", "TRACE", "CONNECT"]

SEGMENTS = [
    *(
        "x",
        "a",
        "A",
        "b",
        "mcp",
        "Mcp",
        "0",
        "a.b",
        "..a",
        "a..",
        "...",
        "~u",
        "a+b",
        "a b",
        "\xe9",
        "e\u0301",
        "\U0001f9a6",
    ),
    *("%", "%41", "%zz", "100%", "a/b", "a?b", "a#b", "a;b=c", "$v", "{x}", "{x+}", '"`\\', "<>", "[]|^"),
    *("\n", "\x00", "\x7f"),
]
"""Decoded; what a variable may be filled with."""

_SPELLINGS = "raw", "needed", "some", "all"
_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/")
_BETWEEN_WORDS = frozenset(b" \r\n")


@dataclass(frozen=True)
class Request:
    """The start of a request.

    Attributes:
        method: as it stands in the request line.
        target: likewise.
    """

    method: str
    target: bytes

    @property
    def path(self) -> bytes:
        """The target's path, as sent."""
        return origin_form(self).partition(b"?")[0]

    @property
    def asked(self) -> str:
        """The path for the routing model: a byte that isn't ASCII counts as one that is encoded."""
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in self.path)

    @property
    def head(self) -> bytes:
        """As it is sent; there is no body."""
        length = b"" if self.method in {"GET", "HEAD"} else b"Content-Length: 0\r\n"
        return b"%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (self.method.encode(), self.target, HOST, length)


def origin_form(request: Request) -> bytes:
    """The target as an app gets it: path and query (RFC 9112, section 3.2)."""
    return re.sub(rb"^http://[^/?]*/?", b"/", request.target)


def requests(random: random.Random, manifest: Manifest, number: int) -> list[Request]:
    """As many as asked for; the same for the same state of `random`."""
    paths = [route.path for route in manifest.routes]
    return [_request(random, paths) for _ in range(number)]


def _request(random: random.Random, paths: list[str]) -> Request:
    method = random.choice(ODD_METHODS) if random.random() < 0.04 else random.choice(METHODS)
    segments = [_filled(random, segment) for segment in random.choice(paths)[1:].split("/")]
    if random.random() < 0.6:
        segments = _changed(random, segments)
    path = b"/" + b"/".join(segments)
    query = b""
    if random.random() < 0.15:
        query = b"?" + random.choice([b"", b"q=1", b"q=/mcp", b"a=%zz", b"?", b"x/../y", b"a+b%20c"])
    if random.random() < 0.02:
        path = random.choice([b"http://" + HOST, b"http://other.test:80"]) + (path if random.random() < 0.8 else b"")
    return Request(method, path + query)


def _filled(random: random.Random, segment: str) -> bytes:
    if segment.startswith("{"):
        some = [_spelled(random, random.choice(SEGMENTS).encode()) for _ in range(random.randint(1, 3))]
        return b"/".join(some) if segment.endswith("+}") else some[0]
    return _respelled(random, segment) if random.random() < 0.4 else segment.encode()


def _respelled(random: random.Random, literal: str) -> bytes:
    """A literal of a route, in another spelling: mostly the same text."""
    decoded = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), literal.encode())
    if random.random() < 0.1:
        decoded = decoded.swapcase()
    return _spelled(random, decoded)


def _spelled(random: random.Random, decoded: bytes) -> bytes:
    """Some bytes percent-encoded: none but those that end a request line, those that must be, a few more, all."""
    how = random.choices(_SPELLINGS, [1, 6, 5, 1])[0]
    form = random.choice(["%%%02X", "%%%02x"])
    spelled = b""
    for byte in decoded:
        keep = byte not in _BETWEEN_WORDS if how == "raw" else byte in _KEPT and byte != ord("/")
        if how == "all" or (how == "some" and random.random() < 0.3):
            keep = False
        spelled += bytes([byte]) if keep else (form % byte).encode()
    return spelled


def _changed(random: random.Random, segments: list[bytes]) -> list[bytes]:
    at = random.randrange(len(segments) + 1)
    before, after = segments[:at], segments[at:]
    if random.random() < 0.005:
        return [*before, b"x" * random.choice([200, 4000, 8100, 15000, 17000, 40000]), *after]
    change = random.choice(["slash", "dots", "more", "fewer", "end", "joined", "odd"])
    if change == "fewer":
        return [*segments[: at - 1], *after] if at and len(segments) > 1 else [b""]
    if change == "end":
        return [*segments, b""]
    if change == "joined" and len(segments) > 1:
        return [random.choice([b"%2F", b"%2f"]).join(segments[:2]), *segments[2:]]
    if change == "odd" and after:
        return [
            *before,
            after[0] + random.choice([b"%", b"%2", b"%zz", b"%FF", b"%C3", b"%00", b"x", b"."]),
            *after[1:],
        ]
    inserted = {"slash": [b""], "dots": [random.choice([b".", b"..", b"%2e%2E", b"%2e"])]}
    return [*before, *inserted.get(change, [_spelled(random, random.choice(SEGMENTS).encode())]), *after]
