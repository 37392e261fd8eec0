"""Ask a gateway what AWS does not document, and compare the answers with the constants of routegen.

    python dev/probe/measure.py https://a1b2c3.execute-api.eu-central-1.amazonaws.com

The gateway has the routes of `probe_routes`. Exit code 1: a constant differs from the measurement.
"""

import http.client
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from urllib.parse import urlsplit

from routegen.gateway import assumptions
from routegen.serve import aws_behaviour

CHALLENGE = "www-authenticate"
RENAMED = "x-amzn-remapped-www-authenticate"


@dataclass(frozen=True)
class Reply:
    """What a gateway answered: the status, the headers with small names, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def route_key(self) -> str:
        """The route key that the function was given; empty if the function was not asked."""
        return self.headers.get("x-route-key", "")


@dataclass(frozen=True)
class Gateway:
    """A gateway at a URL."""

    url: str

    def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Send a request whose target no library changes."""
        parts = urlsplit(self.url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = connect(parts.netloc, timeout=40)
        try:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def selects(self, method: str, target: str, route_key: str) -> bool:
        """Whether a request selects a route."""
        return self.ask(method, target).route_key == route_key


@dataclass(frozen=True)
class Question:
    """One constant, and how to measure it.

    Attributes:
        module: the module of the constant.
        constant: its name.
        measure: asks a gateway, and returns the value that the constant should have.
    """

    module: ModuleType
    constant: str
    measure: Callable[[Gateway], object]

    @property
    def assumed(self) -> object:
        """The value that the constant has."""
        return getattr(self.module, self.constant)


def _bytes_of_headers(gateway: Gateway) -> int:
    """Return the limit if it includes the names, as `MAX_HEADER_BYTES` assumes; 0 if it does not.

    The values and the request line have less than the limit, and more than the limit with the names.
    """
    limit = aws_behaviour.MAX_HEADER_BYTES
    headers = {f"x-{number:02}-{'n' * 95}": "v" * 400 for number in range(limit // 450)}
    return limit if gateway.ask("GET", "/item", headers).status != 200 else 0


def _length_of_head(gateway: Gateway) -> str:
    reply = gateway.ask("HEAD", "/length")
    return "content-length" if reply.headers.get("content-length") == "42" else ""


QUESTIONS = (
    Question(assumptions, "TRAILING_SLASH_MATCHES", lambda gateway: gateway.selects("GET", "/item/", "GET /item")),
    Question(
        assumptions, "GREEDY_MATCHES_EMPTY", lambda gateway: gateway.selects("GET", "/greedy/", "ANY /greedy/{proxy+}")
    ),
    Question(assumptions, "HEAD_MATCHES_GET", lambda gateway: gateway.selects("HEAD", "/head", "GET /head")),
    Question(assumptions, "PATH_IS_DECODED", lambda gateway: gateway.selects("GET", "/a%2Fb", "GET /a/b")),
    Question(assumptions, "SLASHES_ARE_MERGED", lambda gateway: gateway.selects("GET", "//item", "GET /item")),
    Question(
        assumptions, "DOT_SEGMENTS_ARE_REMOVED", lambda gateway: gateway.selects("GET", "/x/../item", "GET /item")
    ),
    Question(assumptions, "PATH_OUTRANKS_METHOD", lambda gateway: gateway.selects("GET", "/rank/b", "ANY /rank/b")),
    Question(aws_behaviour, "MAX_HEADER_BYTES", _bytes_of_headers),
    Question(
        aws_behaviour,
        "HEADERS_TOO_LARGE_STATUS",
        lambda gateway: gateway.ask("GET", "/item", {"x-long": "v" * 11_000}).status,
    ),
    Question(
        aws_behaviour,
        "EVENT_TOO_LARGE_STATUS",
        lambda gateway: (
            gateway.ask("POST", "/item", {"content-type": "application/octet-stream"}, b"\xff" * 5_000_000).status
        ),
    ),
    Question(
        aws_behaviour,
        "EMPTY_RAW_QUERY_STRING",
        lambda gateway: json.loads(gateway.ask("GET", "/item").body)["rawQueryString"],
    ),
    Question(
        aws_behaviour,
        "STATUS_CODE_TYPE",
        lambda gateway: str if gateway.ask("GET", "/status-text").status == 200 else int,
    ),
    Question(aws_behaviour, "HEAD_LENGTH_HEADER", _length_of_head),
)


def name_of_challenge(gateway: Gateway, target: str) -> str:
    """Return the name under which the function's `WWW-Authenticate` arrives."""
    headers = gateway.ask("GET", target).headers
    return " and ".join(name for name in (CHALLENGE, RENAMED) if name in headers) or "no header"


def main(url: str) -> int:
    """Measure everything, print it, and return the exit code."""
    gateway = Gateway(url)
    changes = []
    for question in QUESTIONS:
        measured = question.measure(gateway)
        is_assumed = measured == question.assumed
        print(f"{'as assumed' if is_assumed else 'DIFFERENT':<10}  {question.constant} is {measured!r}")
        if not is_assumed:
            changes.append(f"{question.module.__name__}: {question.constant} = {measured!r} (is {question.assumed!r})")
    for target, meaning in (
        ("/challenge", "payload format 2.0"),
        ("/challenge-1", "payload format 1.0"),
        ("/challenge-mapped", "2.0 with a parameter mapping"),
    ):
        print(f"{'':<10}  WWW-Authenticate arrives as {name_of_challenge(gateway, target)} ({meaning})")
    print("\n".join(["change:", *changes]) if changes else "no constant differs")
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
