"""Generated apps and generated requests: the gateway sends an app what it serves, and nothing else.

Starlette itself says who answers; the manifest and two matchers say who is asked.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from urllib.parse import quote, unquote

from helpers.naive import select_naively
from helpers.proving import Proof, prove_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routegen.diff import compare
from routegen.errors import ManifestError
from routegen.extract.unsupported import Notice
from routegen.gateway import RouteKey
from routegen.manifest import Manifest, dump_manifest, parse_manifest
from routegen.manifest import Route as ManifestRoute
from routegen.manifest.explain import Explainer
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


async def opaque(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no endpoint runs")


def path_of(parts: list[str], end: str) -> str:
    """A path whose variables have names of their own."""
    named = [part.replace("{x", f"{{x{number}").replace("{y", f"{{y{number}") for number, part in enumerate(parts)]
    return "/" + "/".join(named) + end


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


def mount(path: str, inside: Any) -> Mount:
    if isinstance(inside, list):
        return Mount(path.replace("{", "{m"), routes=inside)
    return Mount(path.replace("{", "{m"), app=inside)


def tables(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    routers = st.builds(
        lambda routes, slashes: Router(routes, redirect_slashes=slashes), st.lists(leaves, max_size=3), st.booleans()
    )
    others = st.sampled_from([opaque, StaticFiles(directory=".")])
    return st.builds(mount, MOUNT_PATHS, st.one_of(st.lists(leaves, max_size=3), routers, others))


ROUTES: st.SearchStrategy[list[BaseRoute]] = st.lists(
    st.recursive(LEAVES, tables, max_leaves=6), min_size=1, max_size=6
)
REQUEST_PATHS = st.lists(
    st.lists(st.sampled_from([*WORDS, "", "v1", "1.5", "q.json", "q-1", "%2F", "..", "z"]), max_size=6).map(
        lambda parts: "/" + "/".join(part if part == "%2F" else quote(part, safe=SAFE) for part in parts)
    ),
    max_size=12,
)


def excused(notices: list[Notice], path: str) -> bool:
    """Whether extraction has said of the route that was reached that the gateway can't carry this request."""
    kinds = {notice.kind for notice in notices}
    ends = unquote(path).endswith("/")
    return bool(kinds & {"everything", "path"}) or (ends and bool(kinds & {"trailing-slash", "empty-rest"}))


def check_both_sides(proof: Proof) -> None:
    """(a) What the app serves goes to it. (b) What it doesn't serve doesn't, but for what is called widened."""
    explainer = Explainer(proof.manifest)
    routes = {key: route for route in proof.manifest.routes for key in route.route_keys}
    keys = [RouteKey.parse(key) for key in routes]
    paths = {unquote(seen.path) for seen in proof.seen if seen.outcome in {"reached", "redirect"}}
    given_notice: dict[str, list[Notice]] = {}
    for notice in proof.notices:
        given_notice.setdefault(notice.path, []).append(notice)
    for seen in proof.seen:
        told = explainer.explain(seen.method, seen.path)
        slow = select_naively(keys, seen.method, unquote(seen.path))
        assert told.route_key == (str(slow) if slow else None), seen
        if seen.outcome == "reached" and told.app == "default":
            assert excused(given_notice.get(proof.served[seen.served].path, []), seen.path), (seen, "(a)")
        if seen.outcome in {"none", "method"} and told.app == "app":
            # A key for any method is for a path that the app serves with some method.
            served = seen.outcome == "method" or unquote(seen.path) in paths
            any_method = str(told.route_key).startswith("ANY ") and served
            assert routes[str(told.route_key)].widened or any_method, (seen, told, "(b)")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(ROUTES, REQUEST_PATHS, st.booleans(), st.booleans())
def test_an_app_gets_what_it_serves_and_nothing_else(
    decided: Callable[[int], None],
    routes: list[BaseRoute],
    paths: list[str],
    exact: bool,
    slashes: bool,
) -> None:
    app = Starlette(routes=routes)
    app.router.redirect_slashes = slashes
    more = [(method, path) for path in paths for method in (*METHODS, "HEAD", "PATCH")]
    proof = prove_app(app, more, methods="exact" if exact else "any")
    decided(len(proof.seen))
    check_both_sides(proof)
    assert proof.verdict.disagreements == ()


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
def test_writing_and_reading_is_the_identity(manifest: Manifest) -> None:
    data = dump_manifest(manifest)
    again = parse_manifest(data, "x")
    assert sorted(again.routes, key=repr) == sorted(manifest.routes, key=repr)
    assert dump_manifest(again) == data


def places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON document."""
    found = [at]
    if isinstance(document, dict):
        for key, value in document.items():
            found += places(value, (*at, key))
    elif isinstance(document, list):
        for position, value in enumerate(document):
            found += places(value, (*at, position))
    return found


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=4),
    st.sampled_from(["GET", "/z", "ANY /z", "other", [], {}]),
)


@settings(max_examples=400, deadline=None)
@given(MANIFESTS.filter(lambda manifest: bool(manifest.routes)), st.data())
def test_any_single_mutation_is_reported_or_rejected(manifest: Manifest, data: st.DataObject) -> None:
    document = json.loads(dump_manifest(manifest))
    mutated = deepcopy(document)
    place = data.draw(st.sampled_from(places(document)[1:]))
    holder = mutated
    for step in place[:-1]:
        holder = holder[step]
    action = data.draw(st.sampled_from(["replace", "delete", "double"]))
    if action == "replace":
        holder[place[-1]] = data.draw(VALUES)
    elif action == "delete":
        del holder[place[-1]]
    elif isinstance(holder, list):
        holder.append(holder[place[-1]])
    else:
        holder[f"{place[-1]}2"] = holder[place[-1]]
    try:
        read = parse_manifest(json.dumps(mutated).encode(), "mutated")
    except ManifestError:
        return
    if mutated == document or read == parse_manifest(dump_manifest(manifest), "x"):
        assert mutated == document or action == "replace"
        return
    assert compare(manifest, read) or compare(read, manifest), (place, action)
