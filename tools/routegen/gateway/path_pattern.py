"""Starlette's paths as patterns: what does each segment take, and does one path take the requests of another?

In: a path with variables, and what each variable takes as a regular expression. Out: segments to ask. A variable
that may hold a slash can't be compared segment by segment: it is said to overlap with whatever it might overlap
with, and to cover nothing, so that who asks errs on the side of a warning.
"""

import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

# As in starlette.routing: {name} or {name:convertor}.
PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([A-Za-z_][A-Za-z0-9_]*))?\}")
ANY_SEGMENT = "[^/]+"
"""What Starlette's `str` convertor takes, and a variable of a route key."""
ANY_PATH = ".*"
"""What Starlette's `path` convertor takes."""
ANY_REST = ".+"
"""What lies below a path, the path's own trailing slash left out."""


@dataclass(frozen=True)
class Segment:
    """One segment of a path.

    Attributes:
        source: the segment as written.
        regexes: what each of its variables takes; empty where it is literal.
        pattern: what the whole segment takes.
    """

    source: str
    regexes: tuple[str, ...]
    pattern: str

    @property
    def literal(self) -> bool:
        """Whether it takes one text only."""
        return not self.regexes

    @property
    def whole(self) -> bool:
        """Whether it is one variable and nothing else."""
        return PARAMETER.fullmatch(self.source) is not None

    @property
    def spans(self) -> bool:
        """Whether it may take a slash, and so more than a segment."""
        return any(map(may_hold_slash, self.regexes))

    @property
    def takes_nothing(self) -> bool:
        """Whether it takes the empty text, as `path` does."""
        return not self.literal and re.fullmatch(self.pattern, "") is not None

    def takes(self, text: str) -> bool:
        """Whether a literal segment is among what this one takes."""
        return text == self.source if self.literal else re.fullmatch(self.pattern, text) is not None

    def covers(self, other: "Segment") -> bool:
        """Whether it takes all that `other` takes; False where that can't be told."""
        if self.spans or other.spans:
            return False
        if other.literal:
            return self.takes(other.source)
        return other.pattern == self.pattern or (self.pattern == f"(?:{ANY_SEGMENT})" and not other.takes_nothing)

    def overlaps(self, other: "Segment") -> bool:
        """Whether some text might be taken by both."""
        if self.literal:
            return other.takes(self.source)
        return not other.literal or self.takes(other.source)


def segments(path: str, regexes: Sequence[str]) -> tuple[Segment, ...]:
    """A path in Starlette's notation, taken apart.

    Args:
        path: from its first slash; the empty path has no segments.
        regexes: what each variable takes, in the path's order.
    """
    left = iter(regexes)
    return tuple(_segment(part, left) for part in path[1:].split("/")) if path else ()


def _segment(source: str, left: Iterator[str]) -> Segment:
    found = list(PARAMETER.finditer(source))
    own = tuple(next(left) for _ in found)
    pattern, end = "", 0
    for parameter, regex in zip(found, own, strict=True):
        pattern += re.escape(source[end : parameter.start()]) + f"(?:{regex})"
        end = parameter.end()
    return Segment(source, own, pattern + re.escape(source[end:]))


def covers_below(mount: Sequence[Segment], path: Sequence[Segment]) -> bool:
    """Whether every request to `path` lies below `mount` (Starlette's `Mount`: its path, a slash, anything)."""
    return len(path) > len(mount) and all(one.covers(other) for one, other in zip(mount, path, strict=False))


def overlaps_below(mount: Sequence[Segment], path: Sequence[Segment]) -> bool:
    """Whether some request to `path` might lie below `mount`."""
    alike = _alike(mount, path)
    return alike is None or (alike and len(path) > len(mount))


def overlaps(one: Sequence[Segment], other: Sequence[Segment]) -> bool:
    """Whether some request might be taken by both paths."""
    for literal, pattern in ((one, other), (other, one)):
        if all(segment.literal for segment in literal):
            return re.fullmatch(_whole(pattern), "/".join(segment.source for segment in literal)) is not None
    alike = _alike(one, other)
    return alike is None or (alike and len(one) == len(other))


def _alike(one: Sequence[Segment], other: Sequence[Segment]) -> bool | None:
    """Whether the segments that stand side by side might take the same; None where one spans, so that all may."""
    for mine, its in zip(one, other, strict=False):
        if mine.spans or its.spans:
            return None
        if not mine.overlaps(its):
            return False
    return True


def takes(path: Sequence[Segment], text: str) -> bool:
    """Whether a path takes a request's decoded path."""
    return re.fullmatch(_whole(path), text[1:]) is not None


def _whole(path: Sequence[Segment]) -> str:
    return "/".join(segment.pattern for segment in path)


@cache
def may_hold_slash(regex: str) -> bool:
    """Whether a regular expression might take a text with a slash in it; True where that can't be told."""
    # Python's own parser of regular expressions; there is no public one.
    tree = importlib.import_module("re._parser").parse(regex)
    return _any_slash(tree)


# Nodes that hold other nodes, with where in their argument.
_INSIDE: dict[str, Any] = {
    "SUBPATTERN": lambda argument: [argument[3]],
    "BRANCH": lambda argument: argument[1],
    "MAX_REPEAT": lambda argument: [argument[2]],
    "MIN_REPEAT": lambda argument: [argument[2]],
    "POSSESSIVE_REPEAT": lambda argument: [argument[2]],
    "ATOMIC_GROUP": lambda argument: [argument],
}
_NO_TEXT = {"AT", "ASSERT", "ASSERT_NOT", "FAILURE"}


def _any_slash(tree: Any) -> bool:
    return any(_takes_slash(str(node), argument) for node, argument in tree)


def _takes_slash(node: str, argument: Any) -> bool:
    if node in _INSIDE:
        return any(_any_slash(inside) for inside in _INSIDE[node](argument))
    if node == "LITERAL":
        return bool(argument == ord("/"))
    if node == "NOT_LITERAL":
        return bool(argument != ord("/"))
    if node == "IN":
        negated = str(argument[0][0]) == "NEGATE"
        return any(_in_class(str(kind), value) for kind, value in argument[negated:]) != negated
    return node not in _NO_TEXT


def _in_class(kind: str, value: Any) -> bool:
    if kind == "LITERAL":
        return bool(value == ord("/"))
    if kind == "RANGE":
        return bool(value[0] <= ord("/") <= value[1])
    return "_NOT_" in str(value)
