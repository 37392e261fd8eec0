"""Small random apps, and faults in their manifests."""

import random
from collections.abc import Iterator
from typing import Any

from routegen.gateway import RouteKey, RouteKeyError
from routegen.manifest import Manifest
from routegen.manifest import Route as ManifestRoute
from routegen.manifest.validation import find_problems
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route, Router

_SEGMENTS = ["a", "b", "ab", "1", "{x}", "{x:int}", "a{x}", "{x}.1"]
_ENDS = ["", "", "", "/", "/{rest:path}", "/{rest:path}/b"]


async def _answer(_request: Any) -> Any:
    raise AssertionError("no endpoint runs")


def random_app(seed: int) -> Starlette:
    """Return an app with up to five routes, mounts among them; the same seed gives the same app."""
    chance = random.Random(seed)
    app = Starlette(routes=_routes(chance, depth=2))
    app.router.redirect_slashes = chance.random() < 0.8
    return app


def _routes(chance: random.Random, depth: int) -> list[BaseRoute]:
    return [_route(chance, depth) for _ in range(chance.randint(1, 4))]


def _route(chance: random.Random, depth: int) -> BaseRoute:
    segments = chance.choices(_SEGMENTS, k=chance.randint(1, 2))
    names = [segment.replace("{x", f"{{{'xyz'[number]}{depth}") for number, segment in enumerate(segments)]
    path = "/" + "/".join(names)
    if depth and chance.random() < 0.3:
        router = Router(_routes(chance, depth - 1), redirect_slashes=chance.random() < 0.7)
        return Mount(path, app=router)
    methods = chance.choice([None, ["GET"], ["POST"], ["GET", "PUT"]])
    return Route(path + chance.choice(_ENDS), _answer, methods=methods)


def faulty_manifests(manifest: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Yield a description and a valid manifest for each fault that a person or an old release can leave in one."""
    for position, route in enumerate(manifest.routes):
        before, after = manifest.routes[:position], manifest.routes[position + 1 :]
        for fault, changed in _faulty_routes(route):
            faulty = manifest.model_copy(update={"routes": (*before, *changed, *after)})
            if not list(find_problems(faulty)):
                yield f"{fault}: {route.path}", faulty
    for path in ("/stale", "/stale/{proxy+}", "/{any}"):
        stale = ManifestRoute(path=path, methods=("ANY",), app="app", role="other", route_keys=(f"ANY {path}",))
        faulty = manifest.model_copy(update={"routes": (*manifest.routes, stale)})
        if not list(find_problems(faulty)):
            yield f"stale: {path}", faulty


def _faulty_routes(route: ManifestRoute) -> Iterator[tuple[str, tuple[ManifestRoute, ...]]]:
    yield "removed", ()
    yield "another app", (route.model_copy(update={"app": "other"}),)
    first, _, last = route.path.rpartition("/")
    for fault, path in (
        ("renamed", f"{route.path}x"),
        ("a variable for a text", f"{first}/{{any}}"),
        ("greedy", f"{first}/{{any+}}"),
        ("below", f"{route.path}/{{any+}}"),
    ):
        keys = tuple(f"{key.partition(' ')[0]} {path}" for key in route.route_keys)
        if last and all(map(_is_route_key, keys)):
            yield fault, (route.model_copy(update={"path": path, "route_keys": keys}),)
            yield (
                f"{fault}, and called wider",
                (route.model_copy(update={"path": path, "route_keys": keys, "widened": "somebody says so"}),),
            )


def _is_route_key(text: str) -> bool:
    try:
        RouteKey.parse(text)
    except RouteKeyError:
        return False
    return True
