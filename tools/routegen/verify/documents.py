"""Read a JSON document as clients read it: follow redirects, then check status, encoding and syntax."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urljoin

from routegen.errors import shorten
from routegen.verify.answers import Answer, Answers, Failure, shown
from routegen.verify.request_url import origin_of, split_url

DocumentKind = Literal["document", "missing", "server-error", "page", "not-json", "other-origin", "unreachable"]
"""The kind of an answer: `page` and `not-json` have status 200 without a JSON object, `other-origin` is a redirect."""

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})

_MAX_REDIRECTS = 5
_MAX_EXCERPT = 60
_EXCERPT_BYTES = 8000
# Each pattern matches where it begins, up to the end of the text if necessary, so a search takes linear time.
_NOT_SHOWN = re.compile(r"(?is)<(script|style|svg|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[^>]*>?")
_TITLE = re.compile(r"(?is)<title[^<>]*>(.*?)(?:</title|\Z)")


@dataclass(frozen=True)
class DocumentAnswer:
    """The answer of a URL at which clients look for a JSON object.

    Attributes:
        url: the first URL that was requested.
        answer: the last answer; a redirect if it was not followed.
        redirects: the redirects before that answer.
    """

    url: str
    answer: Answer | Failure
    redirects: tuple[Answer, ...] = ()

    @cached_property
    def kind(self) -> DocumentKind:
        """The kind of the answer; `document` if it has a JSON object."""
        answer = self.answer
        if isinstance(answer, Failure):
            return "unreachable"
        target = redirect_location(answer)
        if target is not None and leaves_origin(answer.url, target):
            return "other-origin"
        if target is not None or answer.status >= 500:
            return "server-error"
        if answer.status != 200:
            return "missing"
        return "document" if answer.document is not None else "page" if answer.is_html else "not-json"

    @property
    def is_document(self) -> bool:
        """Whether the answer has a JSON object."""
        return self.kind == "document"

    @property
    def value(self) -> dict[str, Any]:
        """The JSON object; empty if the answer has none."""
        return (self.answer.document if isinstance(self.answer, Answer) else None) or {}

    @property
    def description(self) -> str:
        """The answer as a predicate, such as `answers 404 with a web page ("Not Found")`."""
        if isinstance(self.answer, Failure):
            return f"gives no answer: {self.answer.reason}"
        problem = f": {self.answer.parsed_body.problem}" if self.kind == "not-json" else ""
        return describe_answer(self.answer) + problem

    @property
    def needs_sign_in(self) -> bool:
        """Whether the URL asks for a sign-in, or refuses the client."""
        return isinstance(self.answer, Answer) and self.answer.status in {401, 403}

    @property
    def is_connection_problem(self) -> bool:
        """Whether the checks of connections report the answer."""
        return self.kind in {"other-origin", "unreachable"}

    @property
    def stops_strict_clients(self) -> bool:
        """Whether strict clients request no further URL: at a document, and at status 200 without a JSON object."""
        return self.kind in {"document", "page", "not-json"}


def follow_redirects(answers: Answers, url: str) -> tuple[Answer | Failure, tuple[Answer, ...]]:
    """Send GET, and follow up to five redirects within the origin.

    Returns:
        The last answer, which is a redirect if it was not followed, and the redirects before it.
    """
    redirects: list[Answer] = []
    while True:
        answer = answers.get("GET", url)
        if isinstance(answer, Failure) or (target := redirect_location(answer)) is None:
            return answer, tuple(redirects)
        if leaves_origin(url, target) or len(redirects) == _MAX_REDIRECTS:
            return answer, tuple(redirects)
        redirects.append(answer)
        url = target


def redirect_location(answer: Answer) -> str | None:
    """The absolute URL to which an answer redirects; None if the answer is not a redirect."""
    location = answer.header("location")
    if answer.status not in REDIRECT_STATUSES or not location:
        return None
    try:
        return urljoin(answer.url, location).partition("#")[0]
    except ValueError:
        return location


def leaves_origin(url: str, target: str) -> bool:
    """Whether a redirect from a URL to a target leads to another origin."""
    return split_url(url) is None or split_url(target) is None or origin_of(url) != origin_of(target)


def read_document(answers: Answers, url: str) -> DocumentAnswer:
    """Request the JSON object at a URL."""
    return DocumentAnswer(url, *follow_redirects(answers, url))


def describe_answer(answer: Answer) -> str:
    """An answer as a predicate: its status, its content type, and the beginning of its text if it is no JSON object."""
    if (target := redirect_location(answer)) is not None:
        return f"answers {answer.status}, a redirect to {shown(target)}"
    media_type = shorten(answer.media_type) or ("no content type" if answer.body else "no body")
    kind = "a web page" if answer.is_html else media_type
    excerpt = "" if answer.status == 200 and answer.document else text_excerpt(answer)
    return f"answers {answer.status} with {kind}" + (f' ("{excerpt}")' if excerpt else "")


def text_excerpt(answer: Answer) -> str:
    """The title of a web page, or the beginning of any other body, in at most 60 characters."""
    text = answer.body[:_EXCERPT_BYTES].decode("utf-8", "replace")
    if answer.is_html:
        title = _TITLE.search(text)
        text = title[1] if title and title[1].strip() else _NOT_SHOWN.sub(" ", text)
    return shorten(" ".join(text.split()), _MAX_EXCERPT)
