"""The proof of one app: the comparison of all paths, confirmed by the app's own answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from urllib.parse import unquote

from routegen.gateway.automaton import PathKind
from routegen.prove.all_paths import PathsProof
from routegen.prove.compare_requests import AppComparison, Disagreement, shortest_of_each
from routegen.prove.driven_request import DrivenRequest

_DIFFERENCES_SHOWN = 3


@dataclass(frozen=True)
class AppProof:
    """The result of proving one app.

    Attributes:
        app: the app's name.
        routes: how many paths the app serves.
        kinds_of_paths: how many kinds of paths were compared.
        requests: how many requests were sent to the app.
        disagreements: the shortest paths first, then by path and method.
        excused: as in `AppComparison`.
        not_proven: a sentence for each part that is not proven for all paths.
        served: how many requests reached a route.
        answered_by_middleware: how many requests middleware answered, so that the router was asked without it.
        middleware_paths: the paths that only middleware answers, each with its status.
        pages: the documents of its endpoints that the app gets, and answers as it answers an invented path, each with
            its status.
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


def confirm_proof(comparison: AppComparison, paths: PathsProof, driven: Sequence[DrivenRequest]) -> AppProof:
    """Compare the app's own answers with the manifest, and with the answers that its route table gives.

    Args:
        comparison: the manifest and the app.
        paths: the comparison of all paths.
        driven: requests to the app with their outcomes, those of `paths` among them.
    """
    kind_of = cache(lambda path: comparison.automaton.kind_of(unquote(path)))
    answered = [(request, kind_of(request.path)) for request in sorted(driven, key=lambda request: request.path)]
    compared = [(request, comparison.compare(request, kind)) for request, kind in answered]
    unserved = [request for request in driven if request.without_middleware and request.outcome == "not-found"]
    differences = islice(_differences(comparison, answered), _DIFFERENCES_SHOWN)
    return AppProof(
        comparison.app.name,
        comparison.served_count,
        paths.kinds,
        len(driven),
        shortest_of_each((request, disagreement) for request, disagreement in compared if disagreement),
        dict(comparison.excused),
        (*paths.not_proven, *differences),
        sum(request.outcome == "served" for request in driven),
        sum(request.without_middleware for request in driven),
        {request.path: request.status for request in sorted(unserved, key=lambda one: one.path) if request.status},
        {request.path: request.status for request, kind in answered if comparison.gets_page(request, kind)},
    )


def _differences(comparison: AppComparison, answered: Iterable[tuple[DrivenRequest, PathKind]]) -> Iterator[str]:
    """Yield a sentence for each request to which the app gives another answer than its route table."""
    for request, kind in answered:
        if comparison.model.is_undecided(kind):
            continue
        expected = comparison.model.answer(kind, request.method)
        if (expected.outcome, expected.position) != (request.outcome, request.position):
            yield (
                f"the app's answer to {request.method} {request.path} is `{request.outcome}`, and its route table "
                f"gives `{expected.outcome}`: middleware or a route class decides by rules of its own"
            )
