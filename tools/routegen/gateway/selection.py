"""Route selection: which route key of an HTTP API matches a request.

Every part of routegen asks this model. AWS (http-api-develop-routes) selects a full match of path and method first,
then a path with a greedy variable, then `$default`. Of several greedy paths the one with the longest literal prefix
wins (observed). A path that has a route only for another method does not match, so the gateway does not answer 405
(observed). `routegen.gateway.assumptions` lists the answers to the questions that AWS leaves open.

The route keys are kept in a trie of path segments, so a selection costs time linear in the length of the path.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from routegen.gateway.route_key import ANY, RouteKey, escape_literal


class _Node:
    """One position in the trie: the nodes that follow it, and the keys that end here, by method."""

    __slots__ = ("greedy", "keys", "literals", "variable")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.keys: dict[str, RouteKey] = {}
        self.greedy: dict[str, RouteKey] = {}


class RouteTable:
    """The route keys of one API, ready for selection."""

    def __init__(self, keys: Iterable[RouteKey]) -> None:
        """Build the trie.

        Args:
            keys: the route keys; of two keys with the same method and shape the later one counts.
        """
        self._root = _Node()
        for key in keys:
            self._insert(key)

    def select(self, method: str, path: str) -> RouteKey | None:
        """Return the route key that matches a request; None where only `$default` does.

        Args:
            method: the request's method, in capitals.
            path: the path as in the request line: percent-encoded, without stage and query.
        """
        segments = _split_request_path(path)
        for greedy in (False, True):
            for keys in _matches(self._root, segments, 0, greedy=greedy):
                if key := keys.get(method) or keys.get(ANY):
                    return key
        return None

    def _insert(self, key: RouteKey) -> None:
        node = self._root
        for segment in () if key.path == "/" else key.shape:
            if segment == "{+}":
                node.greedy[key.method] = key
                return
            if segment == "{}":
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.literals.setdefault(segment, _Node())
        node.keys[key.method] = key


def _split_request_path(path: str) -> list[str]:
    segments = escape_literal(unquote(path).removeprefix("/")).split("/")
    return [] if segments == [""] else segments


def _matches(node: _Node, segments: list[str], position: int, *, greedy: bool) -> Iterator[dict[str, RouteKey]]:
    """Yield the keys of each matching path: a literal before a variable, left to right.

    Of greedy paths, one with a longer prefix comes before one with a shorter prefix.
    """
    if position < len(segments):
        segment = segments[position]
        if segment in node.literals:
            yield from _matches(node.literals[segment], segments, position + 1, greedy=greedy)
        if node.variable is not None and segment:
            yield from _matches(node.variable, segments, position + 1, greedy=greedy)
    elif node.keys and not greedy:
        yield node.keys
    # A greedy variable takes one segment or more (observed), and never the empty text (GREEDY_MATCHES_EMPTY).
    if greedy and node.greedy and segments[position:] not in ([], [""]):
        yield node.greedy
