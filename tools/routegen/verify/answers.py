"""What a deployment has answered, as its clients see it: data, and the one way to ask for it."""

import json
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """One HTTP answer as a client sees it.

    Attributes:
        method: of the request.
        url: of the request.
        status: of the answer.
        headers: names in lower case, in the order in which they came.
        body: at most as much as the fetcher reads.
        truncated: there was more.
    """

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header, None where there is none."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def media_type(self) -> str:
        """Without parameters, in lower case; empty where there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def json(self) -> object | None:
        """The JSON object or array; None where the body is neither."""
        try:
            value: object = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict | list) else None

    @property
    def is_html(self) -> bool:
        """Whether it is a web page, by its content type or by how it begins."""
        start = self.body[:256].lstrip().lower()
        return self.media_type in {"text/html", "application/xhtml+xml"} or start.startswith(
            (b"<!doctype html", b"<html")
        )


@dataclass(frozen=True)
class Failure:
    """No answer.

    Attributes:
        method: of the request.
        url: of the request.
        kind: `dns`, `tls`, `refused`, `timeout`, `too-large`, `not-allowed`, `not-asked` or `protocol`.
        why: one clear phrase for people.
    """

    method: str
    url: str
    kind: str
    why: str


class Answers(Protocol):
    """What was answered; asking twice for the same gives the same."""

    def get(self, method: str, url: str) -> Answer | Failure:
        """The answer to a request, or why there is none."""
        ...
