"""Random requests for a manifest: its routes match some of them, in other spellings, and nearly match the others."""

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
"""Percent-decoded values for path variables."""

_SPELLINGS = "raw", "needed", "some", "all"
_ALLOWED_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/")
_SEPARATORS = frozenset(b" \r\n")


@dataclass(frozen=True)
class RawRequest:
    """The request line of a request.

    Attributes:
        method: the method as it is sent.
        target: the request target as it is sent.
    """

    method: str
    target: bytes

    @property
    def path(self) -> bytes:
        """The path of the target, as it is sent."""
        return origin_form(self).partition(b"?")[0]

    @property
    def model_path(self) -> str:
        """The path for the routing model, which reads a byte that is not ASCII as a percent-encoded byte."""
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in self.path)

    @property
    def head(self) -> bytes:
        """The whole request as it is sent; it has no body."""
        length = b"" if self.method in {"GET", "HEAD"} else b"Content-Length: 0\r\n"
        return b"%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (self.method.encode(), self.target, HOST, length)


def origin_form(request: RawRequest) -> bytes:
    """Return the target in origin-form, with only path and query (RFC 9112, section 3.2)."""
    return re.sub(rb"^http://[^/?]*/?", b"/", request.target)


def random_requests(random: random.Random, manifest: Manifest, number: int) -> list[RawRequest]:
    """Make a number of requests that depend only on the manifest and on the state of `random`."""
    paths = [route.path for route in manifest.routes]
    return [_random_request(random, paths) for _ in range(number)]


def _random_request(random: random.Random, paths: list[str]) -> RawRequest:
    method = random.choice(ODD_METHODS) if random.random() < 0.04 else random.choice(METHODS)
    segments = [_fill_segment(random, segment) for segment in random.choice(paths)[1:].split("/")]
    if random.random() < 0.6:
        segments = _change_segments(random, segments)
    path = b"/" + b"/".join(segments)
    query = b""
    if random.random() < 0.15:
        query = b"?" + random.choice([b"", b"q=1", b"q=/mcp", b"a=%zz", b"?", b"x/../y", b"a+b%20c"])
    if random.random() < 0.02:
        path = random.choice([b"http://" + HOST, b"http://other.test:80"]) + (path if random.random() < 0.8 else b"")
    return RawRequest(method, path + query)


def _fill_segment(random: random.Random, segment: str) -> bytes:
    if segment.startswith("{"):
        values = [_spell(random, random.choice(SEGMENTS).encode()) for _ in range(random.randint(1, 3))]
        return b"/".join(values) if segment.endswith("+}") else values[0]
    return _respell_literal(random, segment) if random.random() < 0.4 else segment.encode()


def _respell_literal(random: random.Random, literal: str) -> bytes:
    """Write a literal of a route in another spelling; in one of ten cases with the other case."""
    decoded = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), literal.encode())
    if random.random() < 0.1:
        decoded = decoded.swapcase()
    return _spell(random, decoded)


def _spell(random: random.Random, decoded: bytes) -> bytes:
    """Percent-encode the bytes that end a request line, the bytes that must be encoded, more bytes, or all bytes."""
    extent = random.choices(_SPELLINGS, [1, 6, 5, 1])[0]
    form = random.choice(["%%%02X", "%%%02x"])
    spelled = b""
    for byte in decoded:
        is_plain = byte not in _SEPARATORS if extent == "raw" else byte in _ALLOWED_BYTES and byte != ord("/")
        if extent == "all" or (extent == "some" and random.random() < 0.3):
            is_plain = False
        spelled += bytes([byte]) if is_plain else (form % byte).encode()
    return spelled


def _change_segments(random: random.Random, segments: list[bytes]) -> list[bytes]:
    position = random.randrange(len(segments) + 1)
    head, tail = segments[:position], segments[position:]
    if random.random() < 0.005:
        return [*head, b"x" * random.choice([200, 4000, 8100, 15000, 17000, 40000]), *tail]
    change = random.choice(["slash", "dots", "more", "fewer", "end", "joined", "odd"])
    if change == "fewer":
        return [*segments[: position - 1], *tail] if position and len(segments) > 1 else [b""]
    if change == "end":
        return [*segments, b""]
    if change == "joined" and len(segments) > 1:
        return [random.choice([b"%2F", b"%2f"]).join(segments[:2]), *segments[2:]]
    if change == "odd" and tail:
        return [
            *head,
            tail[0] + random.choice([b"%", b"%2", b"%zz", b"%FF", b"%C3", b"%00", b"x", b"."]),
            *tail[1:],
        ]
    inserted = {"slash": [b""], "dots": [random.choice([b".", b"..", b"%2e%2E", b"%2e"])]}
    return [*head, *inserted.get(change, [_spell(random, random.choice(SEGMENTS).encode())]), *tail]
