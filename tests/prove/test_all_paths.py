"""The proof for all paths, compared with every path of a small alphabet that is put to the app."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from helpers.small_apps import faulty_manifests, random_app
from helpers.support import Routegen
from routegen.config import AppConfig
from routegen.diff.moved_requests import find_moved_requests
from routegen.discover import ServedRoutes, discover_routes
from routegen.extract.build import build_manifest
from routegen.manifest import Manifest
from routegen.manifest import Route as ManifestRoute
from routegen.prove.app_proof import PathsProof, compare_all_paths, confirm_proof
from routegen.prove.compare_requests import AppComparison, Disagreement
from routegen.prove.driver import drive_app
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Host, Mount, Route

METHODS = ("GET", "POST", "DELETE")
NOTHING = PathsProof()


def extract_app(routes: ServedRoutes, **config: Any) -> tuple[AppConfig, Manifest]:
    app = AppConfig(name="app", target="app.py:app", root=Path(), **{"unsupported": "warn", **config})
    return app, build_manifest("site", [(app, routes.paths)]).manifest


def every_path(length: int) -> list[str]:
    return ["/" + "".join(text) for size in range(length) for text in product("/ab1", repeat=size)]


def shortest(disagreements: tuple[Disagreement, ...]) -> dict[tuple[str, str], int]:
    """Return the length of the shortest path for each kind of disagreement and route key.

    A route of another app counts once, also if it has a key for each method.
    """
    lengths: dict[tuple[str, str], int] = {}
    for disagreement in disagreements:
        key = disagreement.route_key or ""
        route = key.partition(" ")[2] if disagreement.kind == "under-routed" else key
        length = len(disagreement.path)
        lengths[disagreement.kind, route] = min(length, lengths.get((disagreement.kind, route), length))
    return lengths


def compare_with_every_path(app: Any, length: int, config: dict[str, Any]) -> tuple[int, int, int]:
    """Check the proofs of an app's manifest and of its faults; return the counts of requests, faults, and those found.

    Every disagreement of a request is in the proof, with a path of the same length, and the app itself confirms each
    counter-example of the proof.
    """
    discovered, routes = discover_routes(app)
    settings, manifest = extract_app(routes, **config)
    driven = drive_app(app, discovered, product_of(METHODS, every_path(length)))
    faults = list(faulty_manifests(manifest))
    found = 0
    for fault, candidate in [("none", manifest), *faults]:
        comparison = AppComparison(candidate, settings, routes)
        paths = compare_all_paths(comparison)
        assert not paths.not_proven
        sampled = confirm_proof(comparison, NOTHING, driven)
        assert not sampled.not_proven, "the app answers each request as its route table says"
        proven = shortest(paths.disagreements)
        for kind, path_length in shortest(sampled.disagreements).items():
            assert proven.get(kind) == path_length, (fault, kind, paths.disagreements, sampled.disagreements)
        confirmed = drive_app(app, discovered, [(one.method, one.path) for one in paths.disagreements])
        again = confirm_proof(comparison, NOTHING, confirmed).disagreements
        assert set(again) == set(paths.disagreements), fault
        found += bool(proven)
        if not proven and not comparison.excused:
            moved = [(request.method, request.path) for request in find_moved_requests(manifest, candidate).values()]
            outcomes = {request.outcome for request in drive_app(app, discovered, moved)}
            assert outcomes <= {"served", "redirected", "method-not-allowed"}, "a fault that is not found is none"
        assert fault != "none" or not proven, paths.disagreements
    return len(driven), len(faults), found


def product_of(methods: tuple[str, ...], paths: list[str]) -> list[tuple[str, str]]:
    return [(method, path) for path in paths for method in methods]


@pytest.mark.parametrize("seed", range(10))
def test_the_proof_finds_what_every_short_path_finds(seed: int, count_decisions: Callable[[int], None]) -> None:
    requests, _, _ = compare_with_every_path(random_app(seed), 4, {"methods": "exact" if seed % 2 else "any"})
    count_decisions(requests)


@pytest.mark.long
@pytest.mark.parametrize("first_seed", range(100, 240, 20))
def test_the_proof_finds_what_every_path_of_six_characters_finds(first_seed: int) -> None:
    counts = [
        compare_with_every_path(random_app(seed), 6, {"methods": "exact" if seed % 2 else "any"})
        for seed in range(first_seed, first_seed + 20)
    ]
    requests, faults, found = map(sum, zip(*counts, strict=True))
    assert (requests, faults > 300, found > 0.6 * faults) == (20 * 3 * 1365, True, True)


@pytest.mark.long
def test_proof_and_requests_agree_on_a_thousand_apps() -> None:
    for seed in range(1000, 2000):
        app = random_app(seed)
        discovered, routes = discover_routes(app)
        settings, manifest = extract_app(routes)
        comparison = AppComparison(manifest, settings, routes)
        paths = compare_all_paths(comparison)
        proof = confirm_proof(comparison, paths, drive_app(app, discovered, paths.requests))
        assert (paths.disagreements, proof.disagreements, proof.not_proven) == ((), (), ()), seed


async def answer(_request: Any) -> Any:
    raise AssertionError("no endpoint runs")


class NotNew(Convertor[str]):
    """A convertor whose regular expression has a look-around."""

    regex = "(?!new)[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("notnew", NotNew())


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        (Starlette(routes=[Route("/a/{x:notnew}", answer)]), "/a/{x:notnew} has a look-around in a regular expression"),
        (Starlette(routes=[Host("api.example.org", Starlette(routes=[Route("/a", answer)]))]), "under the host api.e"),
        (Starlette(routes=[Mount("/{x:path}/m", routes=[Route("/a", answer)])]), "/{x:path}/m can hold slashes"),
    ],
    ids=["a look-around", "a host", "a mount whose path can hold slashes"],
)
def test_a_part_that_cannot_be_decided_is_named_and_gives_no_disagreement(app: Starlette, reason: str) -> None:
    _, routes = discover_routes(app)
    settings, manifest = extract_app(routes)
    paths = compare_all_paths(AppComparison(manifest, settings, routes))
    assert reason in paths.not_proven[0]
    assert paths.disagreements == ()
    assert paths.undecided_positions == {0}


def test_after_too_many_states_nothing_counts_as_proven() -> None:
    routes = [Route(f"/z/{{p:path}}/a{number}/{{q:path}}/b{number}", answer) for number in range(6)]
    _, served = discover_routes(Starlette(routes=routes))
    settings, manifest = extract_app(served)
    paths = compare_all_paths(AppComparison(manifest, settings, served), most_states=500)
    assert paths.not_proven == ("the patterns of all paths together need more than 500 states",)
    assert (paths.kinds, paths.undecided_positions) == (0, frozenset(range(6)))


@pytest.mark.parametrize("path", ["/Home", "/static/{proxy+}", "/items/{id}/{any+}"])
def test_a_stale_route_is_over_routed(committed: Path, routegen: Routegen, path: str) -> None:
    document = json.loads(committed.read_text())
    document["routes"].append(
        {"path": path, "methods": ["GET"], "app": "mcp", "role": "other", "route_keys": [f"ANY {path}"]}
    )
    committed.write_text(json.dumps(document))
    done = routegen("prove")
    assert done.code == 1
    assert f"goes to mcp through ANY {path}, and mcp serves nothing there.\n" in done.stdout


def test_a_stale_route_of_an_app_without_routes_is_over_routed() -> None:
    _, routes = discover_routes(Starlette())
    stale = ManifestRoute(path="/stale", methods=("ANY",), app="app", role="other", route_keys=("ANY /stale",))
    settings, manifest = extract_app(routes)
    faulty = manifest.model_copy(update={"routes": (stale,)})
    (disagreement,) = compare_all_paths(AppComparison(faulty, settings, routes)).disagreements
    assert disagreement.text == "GET /stale goes to app through ANY /stale, and app serves nothing there"


TWO_APPS = """
from starlette.applications import Starlette
from starlette.routing import Route
def answer(request): ...
app = Starlette(routes=[Route("/items/{name}", answer)])
special = Starlette(routes=[Route("/items/special", answer)])
"""
CONFIGURATION = """
[tool.routegen]
default = "site"
manifest = "routes.json"
[tool.routegen.apps.items]
target = "server.py:app"
unsupported = "POLICY"
[tool.routegen.apps.special]
target = "server.py:special"
"""


@pytest.fixture
def two_apps(tmp_path: Path) -> Path:
    (tmp_path / "server.py").write_text(TWO_APPS)
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION.replace("POLICY", "refuse"))
    return tmp_path / "pyproject.toml"


def test_two_apps_that_serve_one_path_are_refused_until_one_of_them_claims_it(
    two_apps: Path, routegen: Routegen
) -> None:
    done = routegen("extract", "--write")
    assert (done.code, done.stdout) == (5, "")
    text = "GET /items/special is served by items at /items/{name} (GET HEAD), and goes to special through ANY /items/s"
    assert text in done.error
    assert 'routes = ["/items/special"] in [tool.routegen.apps.special] says that this is right' in done.error
    two_apps.write_text(two_apps.read_text() + 'routes = ["/items/special"]\n')
    assert [routegen(*words).code for words in (["extract", "--write"], ["check"], ["prove"])] == [0, 0, 0]


def test_with_the_policy_to_warn_check_and_prove_report_the_path_that_two_apps_serve(
    two_apps: Path, routegen: Routegen
) -> None:
    two_apps.write_text(CONFIGURATION.replace("POLICY", "warn"))
    done = routegen("extract", "--write")
    assert done.code == 0
    assert "warning: under-routed: items: GET /items/special is served by items" in done.stderr
    for command in ("check", "prove"):
        done = routegen(command)
        assert done.code == 1, command
        assert "error   RG300  GET /items/special\n" in done.stdout


EMPTY_TEXT = """
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route
class Language(Convertor):
    regex = "(?:en|de)?"
    def convert(self, value): return value
    def to_string(self, value): return value
register_url_convertor("lang", Language())
app = Starlette(routes=[Route("/docs/{lang:lang}/page", print)])
"""


def test_a_convertor_that_takes_the_empty_text_gives_a_notice(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "server.py").write_text(EMPTY_TEXT)
    arguments = ["server.py:app", "--name", "docs", "--default", "site"]
    done = routegen("extract", *arguments, "-o", "routes.json")
    assert done.code == 0
    assert "warning: empty-segment: docs: /docs/{lang:lang}/page also serves a path with an empty seg" in done.stderr
    done = routegen("prove", *arguments, "--manifest", "routes.json")
    assert done.code == 0
    assert "such as GET /docs//page" in done.stdout
    assert "excused: unsupported, `empty-segment`\n" in done.stdout


REWRITING = """
from starlette.applications import Starlette
from starlette.routing import Route

class WithoutVersion:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["path"].startswith("/b"):
            scope = {**scope, "path": scope["path"].replace("/b", "/a", 1)}
        await self.app(scope, receive, send)

app = WithoutVersion(Starlette(routes=[Route("/a", print), Route("/b/{x}/c", print), Route("/b", print)]))
"""


def test_middleware_that_decides_which_route_answers_is_seen_with_both_answers(
    tmp_path: Path, routegen: Routegen
) -> None:
    (tmp_path / "server.py").write_text(REWRITING)
    done = routegen("prove", "server.py:app", "--name", "docs", "--default", "site")
    assert "note    RG307  docs\n" in done.stdout
    assert "GET /b is `served` at /a, and its route table gives `served` at /b: middleware or" in done.stdout
    assert "GET /b/x/c is `not-found`, and its route table gives `served` at /b/{x}/c: middleware or" in done.stdout
    assert "no disagreement" not in done.stdout
