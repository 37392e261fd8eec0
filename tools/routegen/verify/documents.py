"""Reading a JSON document as a client does: redirects, status, content type, the JSON itself.

In: answers and a URL. Out: a `Document`, or an `Absent` that says what stands there instead.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urljoin

from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.ssrf_guard import origin_of, split

Reason = Literal["missing", "fails", "page", "unreadable", "away", "unreachable"]
REDIRECTS = frozenset({301, 302, 303, 307, 308})

_HOPS = 5
_WORDS = 60
_INVISIBLE = re.compile(r"(?is)<(script|style|svg|template)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>?")
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title")


@dataclass(frozen=True)
class Document:
    """A JSON object that a URL answers.

    Attributes:
        url: as it was asked first.
        value: the object.
        answer: the last one, after redirects.
        redirects: the answers before it.
        doubled: the keys that stand twice in one object.
    """

    url: str
    value: dict[str, Any] = field(repr=False)
    answer: Answer
    redirects: tuple[Answer, ...] = ()
    doubled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Absent:
    """What a URL answers instead of a JSON object.

    Attributes:
        url: as it was asked first.
        reason: what kind of answer it is; `page` and `unreadable` have status 200.
        said: the answer in a few words, to follow the URL: `answers 404 with a web page ("Not Found")`.
        redirects: the redirects among the answers.
        failure: why there is no answer, for `unreachable`.
    """

    url: str
    reason: Reason
    said: str
    redirects: tuple[Answer, ...] = ()
    failure: Failure | None = None


def follow(answers: Answers, url: str) -> tuple[Answer | Failure, tuple[Answer, ...]]:
    """What a GET comes to in the end, and the redirects on the way; one to another origin is the end of it."""
    seen: list[Answer] = []
    asked = url
    while True:
        answer = answers.get("GET", asked)
        if isinstance(answer, Failure) or (target := target_of(answer)) is None:
            return answer, tuple(seen)
        if away(asked, target) or len(seen) == _HOPS:
            return answer, tuple(seen)
        seen.append(answer)
        asked = target


def target_of(answer: Answer) -> str | None:
    """Where a redirect leads, as an absolute URL; None for what isn't one."""
    location = answer.header("location")
    if answer.status not in REDIRECTS or not location:
        return None
    try:
        return urljoin(answer.url, location).partition("#")[0]
    except ValueError:
        return location


def away(url: str, target: str) -> bool:
    """Whether a redirect leaves the origin."""
    here, there = split(url), split(target)
    return here is None or there is None or origin_of(here) != origin_of(there)


def read_document(answers: Answers, url: str) -> Document | Absent:
    """The JSON object at a URL."""
    answer, redirects = follow(answers, url)
    if isinstance(answer, Failure):
        return Absent(url, "unreachable", f"gives no answer: {answer.why}", redirects, answer)
    said = describe(answer)
    if target_of(answer) is not None:
        reason: Reason = "away" if away(answer.url, target_of(answer) or "") else "fails"
        return Absent(url, reason, said, (*redirects, answer))
    if answer.status != 200:
        return Absent(url, "fails" if answer.status >= 500 else "missing", said, redirects)
    value, problem, doubled = parse(answer)
    if value is None:
        reason = "page" if answer.is_html else "unreadable"
        return Absent(url, reason, said if answer.is_html else f"{said}: {problem}", redirects)
    return Document(url, value, answer, redirects, doubled)


def parse(answer: Answer) -> tuple[dict[str, Any] | None, str, tuple[str, ...]]:
    """The object in an answer's body, what is wrong where there is none, and the keys that it has twice.

    Strict, because clients in other languages are: UTF-8 and no NaN (RFC 8259, sections 6 and 8.1).
    """
    doubled: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(found)
        if len(result) < len(found):
            doubled.extend(name for name, count in Counter(name for name, _ in found).items() if count > 1)
        return result

    try:
        if answer.truncated:
            raise ValueError(f"it is longer than the {len(answer.body)} bytes that are read")  # noqa: TRY301 - one way out
        value = json.loads(answer.body.decode(), object_pairs_hook=pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return None, _not_json(error), ()
    if not isinstance(value, dict):
        return None, "it is JSON, but no object", ()
    return value, "", tuple(doubled)


def _not_json(error: ValueError | RecursionError) -> str:
    match error:
        case RecursionError():
            return "it is nested too deeply"
        case UnicodeDecodeError():
            return f"it is not UTF-8 at byte {error.start}"
        case json.JSONDecodeError():
            return f"it is not JSON at line {error.lineno}, column {error.colno}"
    return str(error)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def describe(answer: Answer) -> str:
    """An answer in a few words: status, what it is, and how it begins where that says more."""
    if (target := target_of(answer)) is not None:
        return f"answers {answer.status}, a redirect to {target[:200]}"
    kind = "a web page" if answer.is_html else answer.media_type or ("no content type" if answer.body else "no body")
    words = "" if answer.status == 200 and parse(answer)[0] else first_words(answer)
    return f"answers {answer.status} with {kind}" + (f' ("{words}")' if words else "")


def first_words(answer: Answer) -> str:
    """How a body begins, for people: a page's title or text, else the text itself."""
    text = answer.body[:8000].decode("utf-8", "replace")
    if answer.is_html:
        title = _TITLE.search(text)
        text = title[1] if title and title[1].strip() else _INVISIBLE.sub(" ", text)
    words = " ".join(text.split())
    return words if len(words) <= _WORDS else words[: _WORDS - 3] + "..."
