"""Requests that might show a difference, made from a route table and from mutations of it.

In: what an app serves. Out: methods and paths, each pair once, the paths percent-encoded as in a request line.
Control characters are left out: Python's `$` lets a newline pass that no client sends.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from urllib.parse import quote

from routegen.discover.served_path import ServedPath
from routegen.gateway import METHODS
from routegen.gateway.path_pattern import PathSegment, split_path
from routegen.roles import list_discovery_paths

SAFE = "/~!$&'()*+,;=:@"
_EVERY_METHOD = (*sorted(METHODS), "PROPFIND")
_FEW_METHODS = ("GET", "POST")
# One of these fits most convertors; the first two that fit are tried, and the first that doesn't.
_WORDS = (
    "x", "7", "a/b", "1.5", "6fa459ea-ee8a-3ca4-894e-db77e160355e", "2024-02-29", "a-b", "A", "en", "x.y", "abc123",
    "0" * 24, "v1", "true", "12:30", "2024-02-29T12:30:00", "a_b", "ab12", "-1", "1-2", "é", "x y", "%", "a@b.example",
)  # fmt: skip

Request = tuple[str, str]
"""Method and path."""


def requests(served: Sequence[ServedPath]) -> Iterator[Request]:
    """Every request to try on an app, without doubles."""
    seen: set[Request] = set()
    for request in _all(served):
        if request not in seen:
            seen.add(request)
            yield request


def _all(served: Sequence[ServedPath]) -> Iterator[Request]:
    for method in (*_FEW_METHODS, "HEAD", "OPTIONS"):
        for path in ("/", *list_discovery_paths(entry.path for entry in served)):
            yield method, quote(path, safe=SAFE)
    for entry in served:
        for path in instances(entry):
            raw = quote(path, safe=SAFE)
            yield from ((method, raw) for method in _EVERY_METHOD)
            few = (*_FEW_METHODS, *(entry.methods or ())[:1])
            yield from ((method, mutated) for mutated in mutations(raw) for method in few)


def instances(entry: ServedPath) -> Iterator[str]:
    """Paths that a served path takes, and one that it just doesn't; decoded."""
    parts = split_path(entry.path, entry.regexes)
    for choice in range(2):
        texts = [_text(part, choice) for part in parts]
        yield "/" + "/".join(texts)
    yield "/" + "/".join(part.source if part.is_literal else _misfit(part) for part in parts)


def _text(part: PathSegment, choice: int) -> str:
    if part.is_literal:
        return part.source
    candidates = (text for word in _WORDS for text in (_filled(part, word), word) if part.matches(text))
    found = list(islice(candidates, choice + 1))
    return found[-1] if found else "x"


def _filled(part: PathSegment, word: str) -> str:
    """The segment with one word in the place of each variable."""
    return re.sub(r"\{[^}]*\}", lambda _: word, part.source)


def _misfit(part: PathSegment) -> str:
    return next((word for word in _WORDS if "/" not in word and not part.matches(word)), "x")


def mutations(raw: str) -> Iterable[str]:
    """What lies beside a path, above it, below it, and other ways to write it."""
    parent, _, last = raw.rpartition("/")
    yield from (f"{raw}/", f"{raw}//", f"{raw}/x", f"{raw}/x/y", f"/{raw}", f"{raw}x", f"{raw}/..", f"{raw}/.")
    yield from (parent or "/", f"{parent}/", f"{parent}/neighbour", f"{parent}/./{last}", f"{parent}//{last}")
    if len(last) > 1 and not last.startswith("%"):
        yield f"{parent}/{last[:-1]}" if "%" not in last[-3:] else f"{parent}/{last[:-3]}"
        yield f"{parent}/%{ord(last[0]):02X}{last[1:]}"
    if parent:
        yield f"{parent}%2F{last}"
    if raw != raw.upper():
        yield raw.swapcase() if "%" not in raw else f"{raw}X"
