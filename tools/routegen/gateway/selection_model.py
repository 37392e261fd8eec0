"""Route selection as in `routegen.gateway.selection`, for all paths of a kind at once."""

from collections.abc import Iterable
from itertools import groupby

from routegen.gateway.automaton import PathAutomaton, PathKind
from routegen.gateway.match_order import path_parts, sort_route_keys
from routegen.gateway.route_key import ANY, RouteKey

EVERY_METHOD = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PROPFIND")
"""The methods in the order in which examples name them; the last one has no route anywhere."""


def distinct_methods(named: set[str]) -> list[str]:
    """Return methods that are named somewhere, and one more at the end, which stands for all others."""
    known = [method for method in EVERY_METHOD if method in named]
    return [*known, *sorted(named - set(known)), next(method for method in EVERY_METHOD if method not in named)]


class SelectionModel:
    """The route keys of one API, ready for selection."""

    def __init__(self, keys: Iterable[RouteKey], automaton: PathAutomaton, name: str = "gateway") -> None:
        """Add the paths of route keys to an automaton.

        Args:
            keys: the route keys.
            automaton: an automaton that has no other table of this name.
            name: the name of the table.
        """
        self._name = name
        by_path = groupby(sort_route_keys(keys), key=lambda key: key.shape)
        self._keys_by_rank = [{key.method: key for key in group} for _, group in by_path]
        for rank, keys_by_method in enumerate(self._keys_by_rank):
            path = next(iter(keys_by_method.values())).path
            automaton.add(path_parts(path), (name, rank))

    def select(self, kind: PathKind, method: str) -> RouteKey | None:
        """Return the route key that takes a request; None where only `$default` does."""
        candidates = (keys.get(method) or keys.get(ANY) for keys in self._matching(kind))
        return next(filter(None, candidates), None)

    def methods(self, kind: PathKind) -> set[str]:
        """Return the methods that the matching keys name; all other methods have the same answer."""
        return {method for keys in self._matching(kind) for method in keys if method != ANY}

    def _matching(self, kind: PathKind) -> list[dict[str, RouteKey]]:
        """The matching keys by their methods, the most specific path first."""
        labels = (label for label in kind.labels if isinstance(label, tuple))
        return [self._keys_by_rank[rank] for rank in sorted(number for name, number in labels if name == self._name)]
