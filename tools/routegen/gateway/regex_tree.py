"""Regular expressions as trees of sets of characters, read by Python's own parser.

A set of characters is `Ranges`. A newline and surrogates are in no set: Python's `$` treats a final newline specially,
and no client sends either of them in a path.
"""

import importlib
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

Ranges = tuple[tuple[int, int], ...]
"""A set of characters: the first and the last code point of each range, sorted and apart."""

MOST_REPEATS = 1000
"""The largest finite number of repeats in a regular expression that a tree can have, nested repeats multiplied."""

_EVERY_CHARACTER: Ranges = ((0, 9), (11, 0xD7FF), (0xE000, sys.maxunicode))
_NOT_REGULAR = {
    "AT": "an anchor or a word boundary",
    "ASSERT": "a look-around",
    "ASSERT_NOT": "a look-around",
    "GROUPREF": "a back-reference",
    "GROUPREF_EXISTS": "a condition",
    "POSSESSIVE_REPEAT": "a possessive repeat",
    "ATOMIC_GROUP": "an atomic group",
}
# The nodes that contain other nodes, each with a function that takes these from its argument.
_CHILD_TREES: dict[str, Any] = {
    "SUBPATTERN": lambda argument: [argument[3]],
    "BRANCH": lambda argument: argument[1],
    "MAX_REPEAT": lambda argument: [argument[2]],
    "MIN_REPEAT": lambda argument: [argument[2]],
    "POSSESSIVE_REPEAT": lambda argument: [argument[2]],
    "ATOMIC_GROUP": lambda argument: [argument],
}
_NODES_WITHOUT_TEXT = {"AT", "ASSERT", "ASSERT_NOT", "FAILURE"}


class Regex(str):
    """A part of a pattern that is a regular expression; a part that is a plain text matches itself."""

    __slots__ = ()


class NotRegularError(ValueError):
    """A regular expression has a part that is not regular, or is too large; `str()` names the part."""


@cache
def parse_regex(regex: str) -> Any:
    """Parse a regular expression, and check that only the parts are in it that `routegen.gateway.automaton` knows.

    Returns:
        Pairs of a kind (`SUBPATTERN`, `BRANCH`, `MAX_REPEAT`, `MIN_REPEAT`, or a kind for `characters`) and its
        argument, as in Python's parser.

    Raises:
        NotRegularError: another part is in it.
    """
    tree = _parse(regex)
    if tree.state.flags & ~re.UNICODE:
        raise NotRegularError("a flag")
    _check(tree, 1)
    return tree


def _parse(regex: str) -> Any:
    # There is no public parser.
    return importlib.import_module("re._parser").parse(regex)


def _check(tree: Any, repeats: int) -> None:
    for node, argument in tree:
        kind = str(node)
        if kind in _NOT_REGULAR:
            raise NotRegularError(_NOT_REGULAR[kind])
        if kind == "SUBPATTERN" and (argument[1] or argument[2]):
            raise NotRegularError("a flag")
        inner = repeats
        if kind in {"MAX_REPEAT", "MIN_REPEAT"}:
            inner *= max(1, argument[0] if is_endless(argument[1]) else argument[1])
        if inner > MOST_REPEATS:
            raise NotRegularError(f"more than {MOST_REPEATS} repeats")
        for child in _CHILD_TREES.get(kind, lambda _: ())(argument):
            _check(child, inner)


def is_endless(repeats: int) -> bool:
    """Whether the largest number of repeats means that there is none."""
    return bool(repeats == importlib.import_module("re._constants").MAXREPEAT)


@cache
def may_match_slash(regex: str) -> bool:
    """Whether a regular expression might match a text with a slash in it; True where that cannot be decided."""
    return _tree_matches_slash(_parse(regex))


def _tree_matches_slash(tree: Any) -> bool:
    return any(_node_matches_slash(str(node), argument) for node, argument in tree)


def _node_matches_slash(kind: str, argument: Any) -> bool:
    if kind in _CHILD_TREES:
        return any(map(_tree_matches_slash, _CHILD_TREES[kind](argument)))
    if kind in _NODES_WITHOUT_TEXT:
        return False
    return kind.startswith("GROUPREF") or contains(characters(kind, argument), ord("/"))


def characters(kind: str, argument: Any) -> Ranges:
    """Return the characters that a node without children matches."""
    match kind:
        case "ANY":
            return _EVERY_CHARACTER
        case "LITERAL" | "NOT_LITERAL":
            ranges: Iterable[tuple[int, int]] = [(argument, argument)]
        case "RANGE":
            ranges = [argument]
        case "CATEGORY":
            return _category(str(argument))
        case "IN":
            return _class_characters(argument)
        case _:
            raise NotRegularError(kind)
    return _complement(ranges) if kind == "NOT_LITERAL" else _without_excluded(ranges)


def _class_characters(items: Any) -> Ranges:
    """The characters of `[...]`."""
    is_negated = str(items[0][0]) == "NEGATE"
    parts = [characters(str(kind), value) for kind, value in items[is_negated:]]
    ranges = [item for part in parts for item in part]
    return _complement(ranges) if is_negated else _without_excluded(ranges)


_CATEGORIES = {"DIGIT": r"\d+", "SPACE": r"\s+", "WORD": r"\w+"}


@cache
def _category(name: str) -> Ranges:
    r"""The characters of `\d`, `\s`, `\w` and their opposites, as Python's `re` takes them."""
    *_, negation, category = f"_{name}".rsplit("_", 2)
    if category not in _CATEGORIES or negation not in {"CATEGORY", "NOT"}:
        raise NotRegularError(name)
    every_character = "".join(map(chr, range(0xD800)))
    every_character += "".join(map(chr, range(0xE000, sys.maxunicode + 1)))
    ranges = [
        (ord(found[0]), ord(found[-1]))
        for match in re.finditer(_CATEGORIES[category], every_character)
        for found in [match[0]]
    ]
    return _complement(ranges) if negation == "NOT" else _without_excluded(ranges)


def _without_excluded(ranges: Iterable[tuple[int, int]]) -> Ranges:
    return _complement(_complement(ranges))


def _complement(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The characters that are in none of the ranges."""
    result = []
    for first, last in _EVERY_CHARACTER:
        start = first
        for excluded_first, excluded_last in sorted(ranges):
            if start < excluded_first:
                result.append((start, min(last, excluded_first - 1)))
            start = max(start, excluded_last + 1)
            if start > last:
                break
        if start <= last:
            result.append((start, last))
    return tuple(result)


def contains(ranges: Ranges, code_point: int) -> bool:
    """Whether a character is in a set."""
    position = bisect_right(ranges, (code_point, sys.maxunicode))
    return position > 0 and ranges[position - 1][1] >= code_point


def split_sets(sets: Iterable[Ranges]) -> Iterator[tuple[int, int]]:
    """Yield ranges such that each set contains all of a range or nothing of it."""
    bounds = sorted({bound for ranges in sets for first, last in ranges for bound in (first, last + 1)})
    yield from ((first, end - 1) for first, end in pairwise(bounds))
