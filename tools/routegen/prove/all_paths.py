"""Compare a manifest with an app for every method and every path, without a request.

The patterns of both tables become one automaton (`routegen.gateway.automaton`). Paths of the same kind match the same
patterns on both sides, so one comparison for each kind of paths and each method that a table names covers all of them.
"""

from dataclasses import dataclass

from routegen.gateway import encode_path
from routegen.gateway.automaton import MOST_STATES, TooManyStatesError
from routegen.prove.compare_requests import AppComparison, Disagreement, shortest_of_each
from routegen.prove.driven_request import DrivenRequest


@dataclass(frozen=True)
class PathsProof:
    """The result of comparing all paths of an app.

    Attributes:
        kinds: how many kinds of paths were compared.
        disagreements: for each kind of disagreement, route key and served path, the one with the shortest path.
        not_proven: a sentence for each part that could not be decided.
        requests: methods and percent-encoded paths, with which the app itself can be asked: for each kind of paths all
            methods at a shortest path, and one method at two more.
        undecided_positions: the positions of the served paths in the parts that could not be decided.
    """

    kinds: int
    disagreements: tuple[Disagreement, ...]
    not_proven: tuple[str, ...]
    requests: tuple[tuple[str, str], ...]
    undecided_positions: frozenset[int]


def compare_all_paths(comparison: AppComparison, most_states: int = MOST_STATES) -> PathsProof:
    """Compare a manifest with an app for all paths.

    Args:
        comparison: the manifest and the app.
        most_states: the number of states of the automaton after which nothing is proven.
    """
    model = comparison.model
    not_proven, undecided_positions = list(model.not_proven), frozenset(model.undecided_positions)
    try:
        kinds = comparison.automaton.walk(most_states)
    except TooManyStatesError:
        not_proven.append(f"the patterns of all paths together need more than {most_states} states")
        kinds, undecided_positions = {}, frozenset(range(comparison.served_count))
    requests: list[tuple[str, str]] = []
    found: list[tuple[DrivenRequest, Disagreement]] = []
    for kind, examples in kinds.items():
        path, *more_paths = map(encode_path, examples)
        methods = comparison.methods(kind)
        requests += [(method, path) for method in methods] + [(methods[0], other) for other in more_paths]
        if model.is_undecided(kind):
            continue
        for method in methods:
            answer = model.answer(kind, method)
            request = DrivenRequest(method, path, answer.outcome, answer.position)
            if disagreement := comparison.compare(request, kind):
                found.append((request, disagreement))
    return PathsProof(len(kinds), shortest_of_each(found), tuple(not_proven), tuple(requests), undecided_positions)
