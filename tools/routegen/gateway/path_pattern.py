"""Paths in Starlette's notation as patterns of texts and regular expressions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, zip_longest

from routegen.gateway.regex_tree import Regex, may_match_slash

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
    """

    source: str
    regexes: tuple[str, ...]

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
        return not self.is_literal and compile_path(self.source, self.regexes).fullmatch("") is not None


def split_path(path: str, regexes: Sequence[str]) -> tuple[PathSegment, ...]:
    """Split a path in Starlette's notation into segments.

    Args:
        path: from its first slash; the empty path has no segments.
        regexes: the regular expression of each variable, in the path's order.
    """
    remaining = iter(regexes)
    sources = path[1:].split("/") if path else []
    return tuple(PathSegment(source, tuple(islice(remaining, len(PARAMETER.findall(source))))) for source in sources)


def pattern_parts(path: str, regexes: Sequence[str]) -> list[str]:
    """Return a path in Starlette's notation as a pattern for an automaton: its texts and its regular expressions."""
    texts = PARAMETER.split(path)[::3]  # the pattern has two groups
    return [part for text, regex in zip_longest(texts, map(Regex, regexes), fillvalue="") for part in (text, regex)]


@lru_cache(maxsize=4096)
def compile_path(path: str, regexes: tuple[str, ...]) -> re.Pattern[str]:
    """Return a path in Starlette's notation as a regular expression for decoded paths."""
    parts = pattern_parts(path, regexes)
    return re.compile("".join(f"(?:{part})" if isinstance(part, Regex) else re.escape(part) for part in parts))
