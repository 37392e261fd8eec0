"""Generated apps and requests: the gateway sends an app exactly the requests that it serves.

Starlette decides which route answers. The manifest and two implementations of route selection decide which app gets
the request.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from urllib.parse import quote, unquote

from helpers.naive import select_naively
from helpers.proving import ProvenApp, prove_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routegen.diff import compare
from routegen.errors import ManifestError
from routegen.extract.unsupported import UnsupportedPath
from routegen.gateway import RouteKey
from routegen.manifest import Manifest, dump_manifest, parse_manifest
from routegen.manifest import Route as ManifestRoute
from routegen.manifest.explain import Explainer
from routegen.prove.driven_request import DrivenRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles

SAFE = "/~!$&'()*+,;=:@"
WORDS = ["a", "b", "A", "mcp", ".well-known", "a b", "é", "%41", "x.y", "7"]
CONVERTED = ["{x}", "{x:int}", "{x:float}", "{x:uuid}", "{x:str}", "v{x}", "{x}.json", "{x}-{y:int}"]
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]


async def answer(_request: Request) -> Response:
    raise AssertionError("no endpoint runs")


async def app_without_routes(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no endpoint runs")


def path_of(parts: list[str], end: str) -> str:
    """Return a path whose variables have different names."""
    renamed = [part.replace("{x", f"{{x{number}").replace("{y", f"{{y{number}") for number, part in enumerate(parts)]
    return "/" + "/".join(renamed) + end


PART = st.one_of(st.sampled_from(WORDS), st.sampled_from(CONVERTED))
LEAF_PATHS = st.builds(
    path_of, st.lists(PART, min_size=1, max_size=4), st.sampled_from(["", "", "", "/", "/{r:path}", "/{r:path}/z"])
)
MOUNT_PATHS = st.builds(path_of, st.lists(PART, min_size=1, max_size=2), st.just(""))
LEAVES = st.builds(
    lambda path, methods: Route(path, answer, methods=methods),
    LEAF_PATHS,
    st.one_of(st.none(), st.lists(st.sampled_from(METHODS), min_size=1, max_size=3, unique=True)),
)


def mount(path: str, content: Any) -> Mount:
    if isinstance(content, list):
        return Mount(path.replace("{", "{m"), routes=content)
    return Mount(path.replace("{", "{m"), app=content)


def tables(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    routers = st.builds(
        lambda routes, slashes: Router(routes, redirect_slashes=slashes), st.lists(leaves, max_size=3), st.booleans()
    )
    other_apps = st.sampled_from([app_without_routes, StaticFiles(directory=".")])
    return st.builds(mount, MOUNT_PATHS, st.one_of(st.lists(leaves, max_size=3), routers, other_apps))


ROUTES: st.SearchStrategy[list[BaseRoute]] = st.lists(
    st.recursive(LEAVES, tables, max_leaves=6), min_size=1, max_size=6
)
REQUEST_PATHS = st.lists(
    st.lists(st.sampled_from([*WORDS, "", "v1", "1.5", "q.json", "q-1", "%2F", "..", "z"]), max_size=6).map(
        lambda parts: "/" + "/".join(part if part == "%2F" else quote(part, safe=SAFE) for part in parts)
    ),
    max_size=12,
)


def is_excused(unsupported: list[UnsupportedPath], path: str) -> bool:
    """Whether the extraction reported the reached route's path as unsupported for this request."""
    kinds = {problem.kind for problem in unsupported}
    ends_in_slash = unquote(path).endswith("/")
    return bool(kinds & {"everything", "path"}) or (ends_in_slash and bool(kinds & {"trailing-slash", "empty-rest"}))


def check_both_sides(proven: ProvenApp) -> None:
    """(a) The app gets the requests that it serves. (b) It gets no others, except on routes with `widened`."""
    explainer = Explainer(proven.manifest)
    routes = {key: route for route in proven.manifest.routes for key in route.route_keys}
    keys = [RouteKey.parse(key) for key in routes]
    paths = {unquote(request.path) for request in proven.driven if request.outcome in {"served", "redirected"}}
    unsupported: dict[str, list[UnsupportedPath]] = {}
    for problem in proven.unsupported:
        unsupported.setdefault(problem.path, []).append(problem)
    for request in proven.driven:
        explanation = explainer.explain(request.method, request.path)
        naive_key = select_naively(keys, request.method, unquote(request.path))
        assert explanation.route_key == (str(naive_key) if naive_key else None), request
        if request.outcome == "served" and explanation.app == "default":
            reached = proven.served_paths[request.position].path
            assert is_excused(unsupported.get(reached, []), request.path), (request, "(a)")
        if request.outcome in {"not-found", "method-not-allowed"} and explanation.app == "app":
            key = str(explanation.route_key)
            assert routes[key].widened or is_apps_path(proven, request, key, paths), (request, explanation, "(b)")


def is_apps_path(proven: ProvenApp, request: DrivenRequest, key: str, paths: set[str]) -> bool:
    """Whether a key for any method sends the app a request that it refuses, to a path that it serves."""
    is_served = request.outcome == "method-not-allowed" or unquote(request.path) in paths
    return key.startswith("ANY ") and (is_served or proven.serves(request.path))


@settings(max_examples=75, deadline=None, suppress_health_check=list(HealthCheck))
@given(ROUTES, REQUEST_PATHS, st.booleans(), st.booleans())
def test_an_app_gets_exactly_the_requests_that_it_serves(
    count_decisions: Callable[[int], None],
    routes: list[BaseRoute],
    paths: list[str],
    exact: bool,
    slashes: bool,
) -> None:
    app = Starlette(routes=routes)
    app.router.redirect_slashes = slashes
    more_requests = [(method, path) for path in paths for method in (*METHODS, "HEAD", "PATCH")]
    proven = prove_app(app, more_requests, methods="exact" if exact else "any")
    count_decisions(len(proven.driven))
    check_both_sides(proven)
    assert proven.proof.disagreements == ()


ROLES = st.sampled_from(["other", "owned", "mcp-endpoint"])
ENTRIES = st.builds(
    lambda path, methods, app, role, widened: ManifestRoute(
        path=path, methods=methods, app=app, role=role, route_keys=(f"ANY {path}",), widened=widened
    ),
    st.lists(st.sampled_from(["a", "b", "c", "{x}"]), min_size=1, max_size=3, unique=True).map(
        lambda p: "/" + "/".join(p)
    ),
    st.lists(st.sampled_from(sorted(METHODS)), min_size=1, unique=True).map(lambda methods: tuple(sorted(methods))),
    st.sampled_from(["app", "api"]),
    ROLES,
    st.one_of(st.none(), st.text("wide é", min_size=1)),
)
MANIFESTS = st.lists(ENTRIES, max_size=8, unique_by=lambda route: RouteKey.parse(route.route_keys[0]).shape).map(
    lambda routes: Manifest(version=1, default="wiki", routes=tuple(routes))
)


@settings(max_examples=200, deadline=None)
@given(MANIFESTS)
def test_a_manifest_is_read_as_it_was_written(manifest: Manifest) -> None:
    data = dump_manifest(manifest)
    parsed = parse_manifest(data, "x")
    assert sorted(parsed.routes, key=repr) == sorted(manifest.routes, key=repr)
    assert dump_manifest(parsed) == data


def locations(document: Any, location: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the location of every value in a JSON document."""
    result = [location]
    if isinstance(document, dict):
        for key, value in document.items():
            result += locations(value, (*location, key))
    elif isinstance(document, list):
        for position, value in enumerate(document):
            result += locations(value, (*location, position))
    return result


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=4),
    st.sampled_from(["GET", "/z", "ANY /z", "other", [], {}]),
)


@settings(max_examples=400, deadline=None)
@given(MANIFESTS.filter(lambda manifest: bool(manifest.routes)), st.data())
def test_any_single_mutation_of_a_manifest_is_reported_or_refused(manifest: Manifest, data: st.DataObject) -> None:
    document = json.loads(dump_manifest(manifest))
    mutated = deepcopy(document)
    location = data.draw(st.sampled_from(locations(document)[1:]))
    container = mutated
    for step in location[:-1]:
        container = container[step]
    action = data.draw(st.sampled_from(["replace", "delete", "double"]))
    if action == "replace":
        container[location[-1]] = data.draw(VALUES)
    elif action == "delete":
        del container[location[-1]]
    elif isinstance(container, list):
        container.append(container[location[-1]])
    else:
        container[f"{location[-1]}2"] = container[location[-1]]
    try:
        read = parse_manifest(json.dumps(mutated).encode(), "mutated")
    except ManifestError:
        return
    if mutated == document or read == parse_manifest(dump_manifest(manifest), "x"):
        assert mutated == document or action == "replace"
        return
    assert compare(manifest, read) or compare(read, manifest), (location, action)
