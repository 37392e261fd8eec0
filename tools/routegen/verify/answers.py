"""HTTP answers of a deployment, and the interface through which checks and predictions get them."""

import json
from dataclasses import dataclass
from typing import Protocol

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""The methods that change nothing, and that `verify` uses (RFC 9110, section 9.2.1)."""


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
    def media_type(self) -> str:
        """The content type in lower case, without parameters; empty if the response has none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def json(self) -> object | None:
        """The JSON object or array in the body; None if the body is neither."""
        try:
            value: object = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict | list) else None

    @property
    def is_html(self) -> bool:
        """Whether the response is a web page: its content type or the beginning of its body says so."""
        start = self.body[:256].lstrip().lower()
        return self.media_type in {"text/html", "application/xhtml+xml"} or start.startswith(
            (b"<!doctype html", b"<html")
        )


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
