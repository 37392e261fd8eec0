"""HTTP answers of a deployment, and the interface through which checks and predictions get them."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from routegen.errors import shorten

MAX_SHOWN = 200
"""The number of characters of a server's text that a message repeats."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""The methods that change nothing, and that `verify` uses (RFC 9110, section 9.2.1)."""


def shown(value: object) -> str:
    """The beginning of a server's value for a message: a text as it is, another value as Python writes it."""
    return shorten(value if isinstance(value, str) else repr(value), MAX_SHOWN)


@dataclass(frozen=True)
class ParsedBody:
    """The JSON object in a body, or the problem if there is none, and the keys that one object has more than once."""

    value: dict[str, Any] | None
    problem: str = ""
    duplicate_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """One HTTP response, as a client receives it.

    Attributes:
        method: the method of the request.
        url: the URL of the request.
        status: the status of the response.
        headers: names in lower case, in the order of the response.
        body: the body, up to the number of bytes that the fetcher reads.
        truncated: whether the body is longer than that.
    """

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header; None if the response does not have the header."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def media_type(self) -> str:
        """The content type in lower case, without parameters; empty if the response has none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def parsed_body(self) -> ParsedBody:
        """The JSON object in the body, parsed once: many checks and every client read the same answer."""
        if self.truncated:
            return ParsedBody(None, f"it is longer than the {len(self.body)} bytes that are read")
        return _parse_body(self.body)

    @property
    def document(self) -> dict[str, Any] | None:
        """The JSON object in the body; None if the body has none."""
        return self.parsed_body.value

    @cached_property
    def message(self) -> dict[str, Any]:
        """The JSON-RPC message in the body, or in the first event of a stream; empty if there is none."""
        if self.media_type != "text/event-stream":
            return self.document or {}
        first_event = self.body.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        lines = (line for line in first_event.split(b"\n") if line.startswith(b"data:"))
        return _parse_body(b"\n".join(line[5:].strip() for line in lines)).value or {}

    @property
    def is_html(self) -> bool:
        """Whether the response is a web page: its content type or the beginning of its body says so."""
        starts_like_html = self.body[:256].lstrip().lower().startswith((b"<!doctype html", b"<html"))
        return starts_like_html or self.media_type in {"text/html", "application/xhtml+xml"}


def _parse_body(body: bytes) -> ParsedBody:
    """Parse as strictly as other languages do: UTF-8 only, and no NaN (RFC 8259, sections 6 and 8.1)."""
    duplicate_keys: list[str] = []

    def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            duplicate_keys.extend(name for name, count in counts.items() if count > 1)
        return value

    try:
        value = json.loads(body.decode(), object_pairs_hook=make_object, parse_constant=_refuse_constant)
    except RecursionError:
        problem = "it is nested too deeply"
    except UnicodeDecodeError as error:
        problem = f"it is not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        problem = f"it is not JSON at line {error.lineno}, column {error.colno}"
    except ValueError as error:
        problem = shorten(str(error), 100)
    else:
        if isinstance(value, dict):
            return ParsedBody(value, "", tuple(duplicate_keys))
        problem = "it is JSON, but not an object"
    return ParsedBody(None, problem)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True)
class Failure:
    """A request without a complete response.

    Attributes:
        method: the method of the request.
        url: the URL of the request.
        kind: `dns`, `tls`, `refused`, `timeout`, `too-large`, `protocol`; `not-allowed` and `not-asked` for a request
            that was not sent, because of its URL or because it could change something.
        reason: the reason, as a clause that can follow a colon.
    """

    method: str
    url: str
    kind: str
    reason: str


class Answers(Protocol):
    """A source of answers; the same request always gets the same answer."""

    def get(self, method: str, url: str) -> Answer | Failure:
        """The answer to a request; never raises."""
        ...
