"""How an app answers a path, decided from its route table and for all paths of a kind at once.

The rules are those of starlette.routing.Router.app, which FastAPI and FastMCP use: the first route that matches path
and method answers; a mount takes every request below its path; else a route that matches only the path answers 405;
else the router redirects if only the path with another end is served; else 404.
"""

from collections.abc import Hashable, Iterable
from typing import Literal, NamedTuple

from routegen.discover.route_tree import RouteTree, ServedRoutes
from routegen.gateway.automaton import Labels, PathAutomaton, PathKind
from routegen.gateway.path_pattern import ANY_PATH, pattern_parts
from routegen.gateway.regex_tree import Regex, may_match_slash

Outcome = Literal["served", "method-not-allowed", "redirected", "not-found"]
"""The result of a request.

- `served`: it reached a route.
- `method-not-allowed`: a route matches its path, but not its method.
- `redirected`: the app redirects to the path with or without the trailing slash.
- `not-found`: the app answers 404.
"""

_UNDECIDED = "undecided"  # the label of the patterns of paths whose answer cannot be decided


class _TableEntry(NamedTuple):
    """A route in the order in which the app tries its routes.

    Attributes:
        rank: its place in that order.
        router: the number of the router that tries it.
        position: the position of its served path; -1 for a mount.
        mounted_router: the number of the router inside a mount; -1 for a path.
    """

    rank: int
    router: int
    position: int = -1
    mounted_router: int = -1


class RoutingModel:
    """An app's route table, ready to answer.

    Attributes:
        not_proven: a sentence for each part of the table that cannot be decided for all paths.
        undecided_positions: the positions of the served paths in these parts.
    """

    def __init__(self, routes: ServedRoutes, automaton: PathAutomaton) -> None:
        """Add the patterns of an app to an automaton; the time is linear in the number of routes."""
        self.not_proven: list[str] = []
        self.undecided_positions: set[int] = set()
        self._served_paths = routes.paths
        self._automaton = automaton
        self._routers: list[RouteTree] = []
        self._entries: dict[Hashable, _TableEntry] = {}
        self._add_router(routes.tree)

    def is_undecided(self, kind: PathKind) -> bool:
        """Whether the answer to a kind of paths cannot be decided."""
        return _UNDECIDED in kind.labels or _UNDECIDED in kind.other_slash_labels

    def positions(self, kind: PathKind) -> list[int]:
        """Return the positions of the served paths that match a kind of paths, in their order."""
        return sorted(label for label in kind.labels if isinstance(label, int))

    def methods(self, kind: PathKind) -> set[str]:
        """Return the methods that the matching paths name; all other methods have the same answer."""
        return {method for position in self.positions(kind) for method in self._served_paths[position].methods or ()}

    def answer(self, kind: PathKind, method: str) -> tuple[Outcome, int]:
        """Return the outcome of a request of a path that is of this kind, and the position of its route, or -1."""
        router, refuses = 0, False
        for entry in self._matching_entries(kind.labels):
            if entry.router != router:
                continue
            if entry.mounted_router >= 0:
                router, refuses = entry.mounted_router, False
            elif self._takes(entry.position, method):
                return "served", entry.position
            else:
                refuses = True
        if refuses:
            return "method-not-allowed", -1
        table = self._routers[router]
        redirects = table.redirects_slashes and not (table.kind == "werkzeug" and kind.ends_in_slash)
        others = self._matching_entries(kind.other_slash_labels)
        if redirects and any(entry.router == router for entry in others):
            return "redirected", -1
        for position in table.fallbacks:
            if position in kind.labels:
                return ("served", position) if self._takes(position, method) else ("method-not-allowed", -1)
        return "not-found", -1

    def _matching_entries(self, labels: Labels) -> list[_TableEntry]:
        return sorted(self._entries[label] for label in labels if label in self._entries)

    def _takes(self, position: int, method: str) -> bool:
        methods = self._served_paths[position].methods
        return methods is None or method in methods

    def _add_router(self, tree: RouteTree) -> int:
        number = len(self._routers)
        self._routers.append(tree)
        prefix = pattern_parts(tree.path, tree.regexes)
        if tree.kind == "werkzeug":
            self._automaton.add_or_widen([*prefix, Regex(".*//.*")], _UNDECIDED, _UNDECIDED)
            self._leave_undecided(f"below {tree.path or '/'}, werkzeug merges repeated slashes", tree.positions)
        elif tree.kind == "opaque":
            self._automaton.add([Regex(ANY_PATH)], _UNDECIDED)
            self._leave_undecided("the app has no route table that tells which paths it serves", tree.positions)
        for route in tree.routes:
            if isinstance(route, RouteTree):
                self._add_mount(route, number)
            elif self._served_paths[route].protocol == "http":
                self._add_path(route, _TableEntry(len(self._entries), number, route))
        for position in tree.fallbacks:
            self._add_path(position, None)
        return number

    def _add_path(self, position: int, entry: _TableEntry | None) -> None:
        served = self._served_paths[position]
        if served.host is not None:
            self._leave_undecided(f"{served.path} answers only under the host {served.host}", [position])
            return
        if entry is not None:
            self._entries[position] = entry
        self._add_pattern(pattern_parts(served.path, served.regexes), position, served.path, [position])

    def _add_mount(self, mount: RouteTree, router: int) -> None:
        number = len(self._routers)
        rest = ["/", Regex(ANY_PATH)] if mount.kind != "root-path" else [Regex("(?:/.*)?")]
        parts = [*pattern_parts(mount.path, mount.regexes), *rest]
        if mount.host is None:
            self._entries["mount", number] = _TableEntry(len(self._entries), router, mounted_router=number)
            self._add_pattern(parts, ("mount", number), mount.path, mount.positions)
        if any(map(may_match_slash, mount.regexes)):
            self._automaton.add_or_widen(parts, _UNDECIDED, _UNDECIDED)
            self._leave_undecided(f"the path of the mount {mount.path} can hold slashes", mount.positions)
        self._add_router(mount)

    def _add_pattern(self, parts: list[str], label: Hashable, path: str, positions: Iterable[int]) -> None:
        if reason := self._automaton.add_or_widen(parts, label, _UNDECIDED):
            self._leave_undecided(f"{path} has {reason} in a regular expression", positions)

    def _leave_undecided(self, reason: str, positions: Iterable[int]) -> None:
        self.not_proven.append(reason)
        self.undecided_positions.update(positions)
