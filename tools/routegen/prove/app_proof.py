"""The proof of one app: a comparison of all paths without a request, and its confirmation by the app's own answers.

The patterns of both tables become one automaton (`routegen.gateway.automaton`). Paths of the same kind match the same
patterns on both sides, so one comparison for each kind of paths and each method that a table names covers all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from urllib.parse import unquote

from routegen.discover.routing_model import Outcome
from routegen.gateway import encode_path
from routegen.gateway.automaton import MOST_STATES, PathKind, TooManyStatesError
from routegen.prove.compare_requests import AppComparison, Disagreement
from routegen.prove.driven_request import DrivenRequest

_DIFFERENCES_SHOWN = 3


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

    kinds: int = 0
    disagreements: tuple[Disagreement, ...] = ()
    not_proven: tuple[str, ...] = ()
    requests: tuple[tuple[str, str], ...] = ()
    undecided_positions: frozenset[int] = frozenset()


@dataclass(frozen=True)
class AppProof:
    """The result of proving one app, with counts of its paths and of the requests that were sent to it.

    Attributes:
        routes: how many paths the app serves.
        disagreements: as in `PathsProof`, from the app's own answers.
        excused: as in `AppComparison`.
        not_proven: a sentence for each part that is not proven for all paths.
        served: how many requests reached a route.
        answered_by_middleware: how many requests middleware answered, so that the router was asked without it.
        middleware_paths: the paths that only middleware answers, each with its status.
        pages: the documents that the app gets, and answers as it answers an invented path, each with its status.
    """

    app: str
    routes: int
    kinds_of_paths: int
    requests: int
    disagreements: tuple[Disagreement, ...]
    excused: dict[str, str]
    not_proven: tuple[str, ...]
    served: int
    answered_by_middleware: int
    middleware_paths: dict[str, int]
    pages: dict[str, int]


def compare_all_paths(comparison: AppComparison, most_states: int = MOST_STATES) -> PathsProof:
    """Compare a manifest with an app for all paths.

    Args:
        comparison: the manifest and the app.
        most_states: the number of states of the automaton after which nothing is proven.
    """
    model = comparison.model
    try:
        kinds = comparison.automaton.walk(most_states)
    except TooManyStatesError:
        reason = f"the patterns of all paths together need more than {most_states} states"
        positions = range(len(comparison.served_paths))
        return PathsProof(not_proven=(*model.not_proven, reason), undecided_positions=frozenset(positions))
    requests: list[tuple[str, str]] = []
    answered: list[tuple[DrivenRequest, PathKind]] = []
    for kind, examples in kinds.items():
        path, *more_paths = map(encode_path, examples)
        methods = comparison.methods(kind)
        requests += [(method, path) for method in methods] + [(methods[0], extra) for extra in more_paths]
        if not model.is_undecided(kind):
            answered += [(DrivenRequest(method, path, *model.answer(kind, method)), kind) for method in methods]
    undecided = frozenset(model.undecided_positions)
    disagreements = comparison.disagreements(answered)
    return PathsProof(len(kinds), disagreements, tuple(model.not_proven), tuple(requests), undecided)


def confirm_proof(comparison: AppComparison, paths: PathsProof, driven: Sequence[DrivenRequest]) -> AppProof:
    """Compare the app's own answers with the manifest, and with the answers that its route table gives.

    Args:
        comparison: the manifest and the app.
        paths: the comparison of all paths.
        driven: requests to the app with their outcomes, those of `paths` among them.
    """
    kind_of = cache(lambda path: comparison.automaton.kind_of(unquote(path)))
    driven = sorted(driven, key=lambda request: request.path)
    answered = [(request, kind_of(request.path)) for request in driven]
    return AppProof(
        comparison.app.name,
        len(comparison.served_paths),
        paths.kinds,
        len(driven),
        comparison.disagreements(answered),
        dict(comparison.excused),
        (*paths.not_proven, *islice(_differences(comparison, answered), _DIFFERENCES_SHOWN)),
        sum(request.outcome == "served" for request in driven),
        sum(request.status is not None for request in driven),
        {request.path: request.status for request in driven if request.status and request.outcome == "not-found"},
        {request.path: request.status or 0 for request, kind in answered if comparison.gets_page(request, kind)},
    )


def _differences(comparison: AppComparison, answered: Iterable[tuple[DrivenRequest, PathKind]]) -> Iterator[str]:
    """Yield a sentence for each request to which the app gives another answer than its route table."""

    def described(outcome: Outcome, position: int) -> str:
        return f"`{outcome}`" + (f" at {comparison.served_paths[position].path}" if position >= 0 else "")

    for request, kind in answered:
        answer = request.outcome, request.position
        expected = comparison.model.answer(kind, request.method)
        if answer != expected and not comparison.model.is_undecided(kind):
            yield (
                f"the app's answer to {request.method} {request.path} is {described(*answer)}, and its route table "
                f"gives {described(*expected)}: middleware or a route class decides differently"
            )
