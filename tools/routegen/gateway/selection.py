"""Which route key takes a request: the one matcher that everything in routegen asks.

AWS (http-api-develop-routes): a full match of path and method first, then a path with a greedy variable, then
`$default`. Of several greedy ones the longest literal prefix wins (observed). A known path with another
method is no 405: it is not matched (observed).

The table is a trie of segments, so a look-up costs the length of the path and not the number of routes.
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from routegen.gateway.assumptions import DEFAULT, Decisions
from routegen.gateway.route_key import ANY, RouteKey, as_literal, shape


class _Node:
    """One position in the trie: what follows it, and the keys that end here, by method."""

    __slots__ = ("greedy", "keys", "literals", "variable")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.keys: dict[str, RouteKey] = {}
        self.greedy: dict[str, RouteKey] = {}


class RouteTable:
    """The route keys of one API, ready to be asked."""

    def __init__(self, keys: Iterable[RouteKey], decisions: Decisions = DEFAULT) -> None:
        """Build the trie.

        Args:
            keys: each method and shape once; of doubles the last one counts.
            decisions: how to read what AWS leaves unclear.
        """
        self._decisions = decisions
        self._root = _Node()
        for key in keys:
            self._insert(key)

    def select(self, method: str, path: str) -> RouteKey | None:
        """The key that takes a request, or None: `$default` does, else the gateway answers 404.

        Args:
            method: the request's method, in capitals.
            path: the path as it stands in the request line: percent-encoded, without stage and query.
        """
        segments = self._segments(path)
        found = self._pick(_full(self._root, segments, 0), method)
        return found or self._pick(_greedy(self._root, segments, 0, self._decisions.greedy_takes_empty), method)

    def _insert(self, key: RouteKey) -> None:
        node = self._root
        for segment in () if key.path == "/" else self._shape(key.path):
            if segment == "{+}":
                node.greedy[key.method] = key
                return
            if segment == "{}":
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.literals.setdefault(segment, _Node())
        node.keys[key.method] = key

    def _shape(self, path: str) -> tuple[str, ...]:
        return shape(path) if self._decisions.decodes_path else shape(path.replace("%", "%25"))

    def _segments(self, path: str) -> list[str]:
        decide = self._decisions
        if decide.decodes_path:
            path = unquote(path)
        if decide.merges_slashes:
            path = re.sub("/{2,}", "/", path)
        segments = as_literal(path.removeprefix("/")).split("/")
        if decide.removes_dot_segments:
            segments = _without_dots(segments)
        if decide.trailing_slash_matches and segments[-1] == "":
            segments.pop()
        return [] if segments == [""] else segments

    def _pick(self, candidates: Iterator[dict[str, RouteKey]], method: str) -> RouteKey | None:
        """The first candidate, most specific path first, that has the method or ANY."""
        by_any: RouteKey | None = None
        for keys in candidates:
            exact = keys.get(method)
            if exact is None and method == "HEAD" and self._decisions.get_answers_head:
                exact = keys.get("GET")
            if exact:
                return exact
            by_any = by_any or keys.get(ANY)
            if by_any and self._decisions.path_outranks_method:
                return by_any
        return by_any


def _without_dots(segments: list[str]) -> list[str]:
    """RFC 3986, section 5.2.4, on segments."""
    result: list[str] = []
    for segment in segments:
        if segment == "..":
            del result[-1:]
        elif segment != ".":
            result.append(segment)
    return result if segments[-1] not in {".", ".."} else [*result, ""]


def _full(node: _Node, segments: list[str], position: int) -> Iterator[dict[str, RouteKey]]:
    """The keys of every path without greedy variable that matches: a literal before a variable, left to right."""
    if position == len(segments):
        if node.keys:
            yield node.keys
        return
    segment = segments[position]
    if segment in node.literals:
        yield from _full(node.literals[segment], segments, position + 1)
    if node.variable is not None and segment:
        yield from _full(node.variable, segments, position + 1)


def _greedy(node: _Node, segments: list[str], position: int, empty: bool) -> Iterator[dict[str, RouteKey]]:
    """The keys of every greedy path that matches: a literal before a variable, a longer prefix before a shorter."""
    if position < len(segments):
        segment = segments[position]
        if segment in node.literals:
            yield from _greedy(node.literals[segment], segments, position + 1, empty)
        if node.variable is not None and segment:
            yield from _greedy(node.variable, segments, position + 1, empty)
    rest = segments[position:]
    # One segment or more (observed); a path that ends right after the slash is the one that is decided.
    nothing = not rest if position == 0 else rest == [""]
    if node.greedy and (empty if nothing else rest):
        yield node.greedy
