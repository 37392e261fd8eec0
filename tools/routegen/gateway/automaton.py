"""All paths at once: which patterns of several tables match the same paths.

The patterns become one non-deterministic automaton: a trie whose edges are characters and sets of characters, in which
equal prefixes share their nodes. `PathAutomaton.walk` visits each set of nodes that some path reaches (subset
construction), shortest paths first. There are infinitely many paths and finitely many such sets, so a statement about
each of them holds for every path.
"""

from collections.abc import Container, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from routegen.gateway.regex_tree import (
    NotRegularError,
    Ranges,
    Regex,
    characters,
    contains,
    is_endless,
    may_match_slash,
    parse_regex,
    split_sets,
)

MOST_STATES = 200_000
"""The number of states after which a walk gives up; patterns that cross slashes can need exponentially many."""
_EXAMPLES = 3
# The characters that examples prefer, in this order.
_READABLE = "x7a1bA-yz0/._~é:@!$&'()*+,;=% "

Nodes = frozenset[int]
Labels = frozenset[Hashable]


class TooManyStatesError(Exception):
    """A walk needs more than the number of states that it may visit."""


class PathKind(NamedTuple):
    """What paths can have in common: all paths of a kind match the same patterns.

    Attributes:
        labels: the labels of the patterns that match.
        other_slash_labels: the labels of the patterns that match the paths with another end: without their final
            slashes, or, where they have none, with one.
        ends_in_slash: whether the paths end in a slash.
    """

    labels: Labels
    other_slash_labels: Labels
    ends_in_slash: bool


@dataclass
class _AutomatonNode:
    """A place in the patterns: the edges that lead on, and the labels of the patterns that end here."""

    texts: dict[str, int] = field(default_factory=dict)
    sets: list[tuple[int, int]] = field(default_factory=list)  # the number of a set of characters, and the next node
    empty: list[int] = field(default_factory=list)  # the nodes that are reached without a character
    labels: list[Hashable] = field(default_factory=list)
    after_regexes: dict[str, int] = field(default_factory=dict)

    @property
    def is_useful(self) -> bool:
        return bool(self.texts or self.sets or self.labels)


class _State(NamedTuple):
    """The nodes that a path reaches, with the state and the character before it on a shortest such path."""

    nodes: Nodes
    slashless_labels: Labels | None  # of the path without its final slashes; None if it has none
    before: "_State | None"
    character: str

    @property
    def path(self) -> str:
        text = ""
        state: _State | None = self
        while state is not None:
            text = state.character + text
            state = state.before
        return text


class _Group(NamedTuple):
    """Characters that the same sets contain.

    Attributes:
        ranges: the characters.
        sets: the sets, as the patterns use them.
        readable: some of the characters for examples, the most readable one first.
    """

    ranges: Ranges
    sets: frozenset[Ranges]
    readable: str

    def example(self, excluded: Container[str]) -> str | None:
        """Return one of the characters that is not excluded; None if there is none."""
        everything = (chr(code) for first, last in self.ranges for code in range(first, last + 1))
        return next((text for text in chain(self.readable, everything) if text not in excluded), None)


@cache
def _group_characters(sets: frozenset[Ranges]) -> list[_Group]:
    """Split the characters that are in some set into groups."""
    groups: dict[frozenset[Ranges], list[tuple[int, int]]] = {}
    for part in split_sets(sets):
        if members := frozenset(ranges for ranges in sets if contains(ranges, part[0])):
            groups.setdefault(members, []).append(part)
    return [
        _Group(tuple(parts), members, "".join(text for text in _READABLE if contains(tuple(parts), ord(text))))
        for members, parts in groups.items()
    ]


def _wider(part: str) -> str:
    """Return a regular expression for every text that a part might match."""
    if not isinstance(part, Regex):
        return part
    return Regex(".*" if may_match_slash(part) else "[^/]*")


class PathAutomaton:
    """An automaton for patterns of paths."""

    def __init__(self) -> None:
        """Build an automaton without patterns."""
        self._nodes = [_AutomatonNode()]
        self._sets: dict[Ranges, int] = {}
        self._closures: dict[int, Nodes] = {}
        self._labels: dict[Nodes, Labels] = {}
        self._groups: dict[frozenset[tuple[int, int]], list[tuple[_Group, Nodes]]] = {}
        self._following: dict[tuple[Nodes, str], Nodes] = {}

    def add(self, pattern: Iterable[str], label: Hashable) -> None:
        """Add a pattern; patterns must be added before the first walk.

        Args:
            pattern: texts and instances of `Regex`, in the path's order.
            label: what a match is reported as; several patterns can have the same label.

        Raises:
            NotRegularError: an automaton cannot express one of the regular expressions; then nothing is added.
        """
        parts = [(part, parse_regex(part) if isinstance(part, Regex) else None) for part in pattern]
        node = 0
        for part, tree in parts:
            if tree is None:
                for character in part:
                    texts = self._nodes[node].texts
                    node = texts[character] if character in texts else texts.setdefault(character, self._new_node())
            else:
                ends = self._nodes[node].after_regexes
                node = ends[part] if part in ends else ends.setdefault(part, self._add_tree(node, tree))
        self._nodes[node].labels.append(label)

    def add_or_widen(self, pattern: Sequence[str], label: Hashable, wider_label: Hashable) -> str | None:
        """Add a pattern, or a wider one under another label if an automaton cannot express it.

        Returns:
            The part of a regular expression that is the reason; None if the pattern itself is added.
        """
        try:
            self.add(pattern, label)
        except NotRegularError as error:
            self.add(map(_wider, pattern), wider_label)
            return str(error)
        return None

    def walk(self, most_states: int = MOST_STATES) -> dict[PathKind, tuple[str, ...]]:
        """Return each kind of paths with up to three examples: decoded paths, a shortest one first.

        Every path begins with a slash. Paths of which no pattern matches a beginning are left out.

        Kinds with a shorter example come first. The time is linear in the number of states; patterns with literal
        beginnings of their own need about one state for each of their characters.

        Raises:
            TooManyStatesError: it would visit more than `most_states` states.
        """
        waiting = [_State(self._reach("/"), frozenset(), None, "/")]
        seen: set[tuple[Nodes, Labels | None]] = {waiting[0][:2]}
        kinds: dict[PathKind, list[_State]] = {}
        for state in waiting:
            labels = self._labels_of(state.nodes)
            ends_in_slash = state.slashless_labels is not None
            other_labels: Labels = state.slashless_labels or frozenset()
            for character, nodes in self._steps(state.nodes):
                slashless_labels = None
                if character == "/":
                    slashless_labels = other_labels if ends_in_slash else labels
                    other_labels = other_labels if ends_in_slash else self._labels_of(nodes)
                if (nodes, slashless_labels) not in seen:
                    seen.add((nodes, slashless_labels))
                    waiting.append(_State(nodes, slashless_labels, state, character))
            if len(waiting) > most_states:
                raise TooManyStatesError
            examples = kinds.setdefault(PathKind(labels, other_labels, ends_in_slash), [])
            if len(examples) < _EXAMPLES:
                examples.append(state)
        return {kind: tuple(state.path for state in examples) for kind, examples in kinds.items()}

    def kind_of(self, path: str) -> PathKind:
        """Return the kind of a decoded path."""
        ends_in_slash = path.endswith("/")
        other = path.rstrip("/") if ends_in_slash else f"{path}/"
        return PathKind(self._labels_of(self._reach(path)), self._labels_of(self._reach(other)), ends_in_slash)

    def _reach(self, path: str) -> Nodes:
        nodes = self._closure(0)
        for character in path:
            step = nodes, character
            if step not in self._following:
                self._following[step] = self._follow(nodes, character)
            nodes = self._following[step]
        return nodes

    def _follow(self, nodes: Nodes, character: str) -> Nodes:
        current = [self._nodes[number] for number in nodes]
        reached = [self._closure(node.texts[character]) for node in current if character in node.texts]
        groups = self._groups_behind(frozenset(edge for node in current for edge in node.sets))
        reached += [following for group, following in groups if contains(group.ranges, ord(character))]
        return frozenset[int]().union(*reached)

    def _new_node(self) -> int:
        self._nodes.append(_AutomatonNode())
        return len(self._nodes) - 1

    def _node_after(self, node: int) -> int:
        """Add a node that is reached from another one without a character.

        The nodes of texts are shared by patterns, so no edge of a regular expression may start at them.
        """
        following = self._new_node()
        self._nodes[node].empty.append(following)
        return following

    def _add_tree(self, node: int, tree: Any) -> int:
        """Add a parsed regular expression behind a node, and return the node after it."""
        for kind, argument in tree:
            node = self._add_item(node, str(kind), argument)
        return node

    def _add_item(self, node: int, kind: str, argument: Any) -> int:
        match kind:
            case "SUBPATTERN":
                return self._add_tree(node, argument[3])
            case "BRANCH":
                end = self._new_node()
                for alternative in argument[1]:
                    last = self._add_tree(self._node_after(node), alternative)
                    self._nodes[last].empty.append(end)
                return end
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._add_repeat(node, *argument)
        end = self._new_node()
        number = self._sets.setdefault(characters(kind, argument), len(self._sets))
        self._nodes[self._node_after(node)].sets.append((number, end))
        return end

    def _add_repeat(self, node: int, least: int, most: int, tree: Any) -> int:
        for _ in range(least):
            node = self._add_tree(node, tree)
        end = self._new_node()
        if is_endless(most):
            node = self._node_after(node)
            self._nodes[self._add_tree(node, tree)].empty.append(node)
        else:
            for _ in range(most - least):
                self._nodes[node].empty.append(end)
                node = self._add_tree(node, tree)
        self._nodes[node].empty.append(end)
        return end

    def _closure(self, node: int) -> Nodes:
        """Return the nodes that are reached from a node without a character, without those that only lead to them."""
        if node not in self._closures:
            reached, waiting = {node}, [node]
            while waiting:
                new = set(self._nodes[waiting.pop()].empty) - reached
                reached |= new
                waiting += new
            self._closures[node] = frozenset(number for number in reached if self._nodes[number].is_useful)
        return self._closures[node]

    def _labels_of(self, nodes: Nodes) -> Labels:
        if nodes not in self._labels:
            self._labels[nodes] = frozenset(label for number in nodes for label in self._nodes[number].labels)
        return self._labels[nodes]

    def _steps(self, nodes: Nodes) -> Iterator[tuple[str, Nodes]]:
        """Yield the nodes that follow, each with a character that leads to them, for every group of characters."""
        texts: dict[str, list[int]] = {"/": []}  # a slash is never in a group, because a kind of paths depends on it
        edges: list[tuple[int, int]] = []
        for number in nodes:
            node = self._nodes[number]
            for character, target in node.texts.items():
                texts.setdefault(character, []).append(target)
            edges += node.sets
        groups = self._groups_behind(frozenset(edges))
        for group, reached in groups:
            if (example := group.example(texts)) is not None:
                yield example, reached
        for character, targets in reversed(texts.items()):  # the slash last, because examples with others are clearer
            code_point = ord(character)
            others = [reached for group, reached in groups if contains(group.ranges, code_point)]
            if others or targets:
                yield character, frozenset[int]().union(*others, *map(self._closure, targets))

    def _groups_behind(self, edges: frozenset[tuple[int, int]]) -> list[tuple[_Group, Nodes]]:
        """Return the groups of characters that edges tell apart, each with the nodes that it leads to."""
        if edges not in self._groups:
            sets = list(self._sets)
            self._groups[edges] = [
                (
                    group,
                    frozenset[int]().union(
                        *(self._closure(end) for number, end in edges if sets[number] in group.sets)
                    ),
                )
                for group in _group_characters(frozenset(sets[number] for number, _ in edges))
            ]
        return self._groups[edges]
