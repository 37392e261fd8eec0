"""Paths in Starlette's notation as patterns: which texts each segment matches, and whether two paths overlap.

A variable whose regular expression may match a slash cannot be compared segment by segment. Such a path counts as
overlapping with every path that it might overlap with, and as covering no path, so that an error is on the side of a
warning.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from routegen.gateway.regex_tree import Regex, may_match_slash
from routegen.gateway.route_key import shape

# As in starlette.routing: {name} or {name:convertor}.
PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([A-Za-z_][A-Za-z0-9_]*))?\}")
ANY_SEGMENT = "[^/]+"
"""The regular expression of Starlette's `str` convertor, and of a variable in a route key."""
ANY_PATH = ".*"
"""The regular expression of Starlette's `path` convertor."""
ANY_REST = ".+"
"""The regular expression of everything below a path, without the path's own trailing slash."""


@dataclass(frozen=True)
class PathSegment:
    """One segment of a path.

    Attributes:
        source: the segment as written.
        regexes: the regular expression of each of its variables; empty for a literal segment.
        pattern: the regular expression of the whole segment.
    """

    source: str
    regexes: tuple[str, ...]
    pattern: str

    @property
    def is_literal(self) -> bool:
        """Whether the segment has no variable, and so matches exactly one text."""
        return not self.regexes

    @property
    def is_single_variable(self) -> bool:
        """Whether the segment is one variable and nothing else."""
        return PARAMETER.fullmatch(self.source) is not None

    @property
    def may_hold_slash(self) -> bool:
        """Whether the segment may match a text with a slash, and so several segments of a request path."""
        return any(map(may_match_slash, self.regexes))

    @property
    def matches_empty(self) -> bool:
        """Whether the segment matches the empty text, as `path` does."""
        return not self.is_literal and re.fullmatch(self.pattern, "") is not None

    def matches(self, text: str) -> bool:
        """Whether the segment matches a decoded text."""
        return text == self.source if self.is_literal else re.fullmatch(self.pattern, text) is not None

    def covers(self, segment: "PathSegment") -> bool:
        """Whether the segment matches every text that `segment` matches; False where that cannot be decided."""
        if self.may_hold_slash or segment.may_hold_slash:
            return False
        if segment.is_literal:
            return self.matches(segment.source)
        return segment.pattern == self.pattern or (self.pattern == f"(?:{ANY_SEGMENT})" and not segment.matches_empty)

    def overlaps(self, segment: "PathSegment") -> bool:
        """Whether both segments might match the same text."""
        if self.is_literal:
            return segment.matches(self.source)
        return not segment.is_literal or self.matches(segment.source)


def split_path(path: str, regexes: Sequence[str]) -> tuple[PathSegment, ...]:
    """Split a path in Starlette's notation into segments.

    Args:
        path: from its first slash; the empty path has no segments.
        regexes: the regular expression of each variable, in the path's order.
    """
    remaining = iter(regexes)
    return tuple(_segment(part, remaining) for part in path[1:].split("/")) if path else ()


def split_key_path(path: str) -> tuple[PathSegment, ...]:
    """Split a route key's path into segments; the names of its variables do not matter."""
    parts = shape(path)
    regexes = [ANY_REST if part == "{+}" else ANY_SEGMENT for part in parts if part in {"{}", "{+}"}]
    return split_path("/" + "/".join("{x}" if part in {"{}", "{+}"} else part for part in parts), regexes)


def pattern_parts(path: str, regexes: Sequence[str]) -> list[str]:
    """Return a path in Starlette's notation as a pattern for an automaton: its texts and its regular expressions."""
    texts = PARAMETER.split(path)[::3]  # the pattern has two groups
    return [part for text, regex in zip_longest(texts, map(Regex, regexes), fillvalue="") for part in (text, regex)]


def _segment(source: str, remaining: Iterator[str]) -> PathSegment:
    parameters = list(PARAMETER.finditer(source))
    regexes = tuple(next(remaining) for _ in parameters)
    pattern, end = "", 0
    for parameter, regex in zip(parameters, regexes, strict=True):
        pattern += re.escape(source[end : parameter.start()]) + f"(?:{regex})"
        end = parameter.end()
    return PathSegment(source, regexes, pattern + re.escape(source[end:]))


def mount_covers(mount: Sequence[PathSegment], path: Sequence[PathSegment]) -> bool:
    """Whether `mount` takes every request to `path` (Starlette's `Mount`: its path, a slash, any text)."""
    return len(path) > len(mount) and all(
        mount_segment.covers(segment) for mount_segment, segment in zip(mount, path, strict=False)
    )


def mount_overlaps(mount: Sequence[PathSegment], path: Sequence[PathSegment]) -> bool:
    """Whether `mount` might take some request to `path`."""
    overlap = _segments_overlap(mount, path)
    return overlap is None or (overlap and len(path) > len(mount))


def paths_overlap(path: Sequence[PathSegment], second: Sequence[PathSegment]) -> bool:
    """Whether both paths might match the same request."""
    for literal, pattern in ((path, second), (second, path)):
        if all(segment.is_literal for segment in literal):
            return re.fullmatch(_path_regex(pattern), "/".join(segment.source for segment in literal)) is not None
    overlap = _segments_overlap(path, second)
    return overlap is None or (overlap and len(path) == len(second))


def _segments_overlap(path: Sequence[PathSegment], second: Sequence[PathSegment]) -> bool | None:
    """Whether the segments side by side overlap; None where one may hold a slash, so that the paths may overlap."""
    for segment, second_segment in zip(path, second, strict=False):
        if segment.may_hold_slash or second_segment.may_hold_slash:
            return None
        if not segment.overlaps(second_segment):
            return False
    return True


def path_matches(path: Sequence[PathSegment], request_path: str) -> bool:
    """Whether a path matches a request's decoded path."""
    return re.fullmatch(_path_regex(path), request_path[1:]) is not None


def _path_regex(path: Sequence[PathSegment]) -> str:
    return "/".join(segment.pattern for segment in path)
