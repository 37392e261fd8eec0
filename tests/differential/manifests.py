"""Random manifests in which each route has its own app, so that a response shows which route was selected."""

import json
import random
from typing import Any

from routegen.gateway import ANY, METHODS, RouteKey
from routegen.manifest import Manifest

LITERALS = [
    *("a", "b", "mcp", "A", "a.b", ".well-known", "x-y_z", "~u", "a+b", "a%20b", "caf%C3%A9", "%F0%9F%A6%A6", "100%25"),
    *("(x)+", "$v", "!&'*,;=:@", "%22%60%5C", "%7Bx%7D", "%0A", "%3F%23", "%2541", "a%2Fb", "..", ".", "%5B%5D"),
]  # fmt: skip
RARE = ["%00", "%E2%80%A8", "%7F"]
MAX_APPS = 13
"""The largest number of apps in a manifest, with the default app."""


def random_manifest(random: random.Random) -> Manifest:
    """Make a manifest that depends only on the state of `random`."""
    entries: dict[tuple[str, ...], dict[str, Any]] = {}
    while len(entries) < random.randint(4, MAX_APPS - 1):
        path = "/" + "/".join(_segments(random))
        key = RouteKey.parse(f"ANY {path}")
        if not key.takes_every_path and key.shape not in entries:
            entries[key.shape] = _route(random, path, f"app-{len(entries)}")
    routes = sorted(entries.values(), key=lambda route: str(route["path"]))
    return Manifest.model_validate_json(json.dumps({"version": 1, "default": "default", "routes": routes}))


def _segments(random: random.Random) -> list[str]:
    if random.random() < 0.03:
        return [""]
    literals = LITERALS[:4] if random.random() < 0.6 else LITERALS
    segments = [random.choice(literals) for _ in range(random.randint(1, 3))]
    if random.random() < 0.02:
        segments[0] = random.choice(RARE)
    for position in range(len(segments)):
        if random.random() < 0.25:
            segments[position] = f"{{v{position}}}"
    return [*segments, "{rest+}"] if random.random() < 0.25 else segments


def _route(random: random.Random, path: str, app: str) -> dict[str, Any]:
    methods = [ANY] if random.random() < 0.5 else sorted(random.sample(sorted(METHODS), random.randint(1, 3)))
    keys = [f"{method} {path}" for method in methods]
    return {"path": path, "methods": methods, "app": app, "role": "other", "route_keys": keys}
