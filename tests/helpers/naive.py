"""A second implementation of route selection, written to be obvious and independent of the production code.

It uses a regular expression for each route key, and the documented ranks as a sort key.
"""

import re
from functools import cache
from urllib.parse import unquote

from routegen.gateway import RouteKey


def select_naively(keys: list[RouteKey], method: str, path: str) -> RouteKey | None:
    """Return the route key that matches a request; None where only `$default` does. The path is decoded."""
    matching = [key for key in keys if key.method in {method, "ANY"} and re.fullmatch(_pattern(key), path)]
    return min(matching, key=_rank, default=None)


def _segments(key: RouteKey) -> list[str]:
    return key.path[1:].split("/")


@cache
def _pattern(key: RouteKey) -> str:
    return "/" + "/".join(map(_segment_pattern, _segments(key)))


def _segment_pattern(segment: str) -> str:
    if segment.startswith("{"):
        return ".+" if segment.endswith("+}") else "[^/]+"
    literal = unquote(segment)
    return re.escape(literal) if "/" not in literal else "(?!)"


def _rank(key: RouteKey) -> tuple[object, ...]:
    """Greedy paths last; then a literal before a variable before a greedy variable, left to right; then ANY last."""
    kinds = [segment.startswith("{") + segment.endswith("+}") for segment in _segments(key)]
    return (2 in kinds, kinds, key.method == "ANY")
