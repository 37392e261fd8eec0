"""Manifests to render: this repository's manifest, and two whose texts try to end the strings of every language."""

import json
from typing import Any

from helpers.support import PROJECT
from routegen.manifest import Manifest, read_manifest

COMMITTED = read_manifest(PROJECT / "generated" / "routes.json")

BREAKING_OUT = (
    """" } ; drop ' ` \\ ${self} %{if} $upstream {{ evil }} {% evil %} #{evil} <!-- --> </script><img src=x> */ // """
    """]]> | [x](javascript:1) \u2028 \u202e \U0001f9a6 !Ref %(x)s $(id) `id` --- : - & * ? !!python end"""
)
"""One printable line, as a manifest allows it in `spec`, `widened` and `reserved`."""


RESERVED_WORDS = [
    *("007", "1e5", "A-B", "Api", "DefaultRoute", "constructor", "default", "if", "inf", "null", "t", "true"),
]
"""Names that one of the languages reads as a word of its own, as a number, or as the same as another name."""


def _route(path: str, app: str, **fields: Any) -> dict[str, Any]:
    return {"path": path, "methods": ["ANY"], "app": app, "role": "other", "route_keys": [f"ANY {path}"], **fields}


HOSTILE_DOCUMENT: dict[str, Any] = {
    "version": 1,
    "default": "default-app",
    "routes": sorted(
        [
            _route("/!$&'()*+,;=:@~", "a-b", spec=BREAKING_OUT, widened=BREAKING_OUT),
            _route("/$%7Bevil%7D/$(id)/'x'", "a_b", widened=BREAKING_OUT),
            _route("/%22%20%7D%20server%20%7B%20%23%60%5C%0A%00%3Cimg%3E", "a-b"),
            _route("/caf%C3%A9/%F0%9F%A6%A6/%E2%80%A8", "9lives"),
            _route("/regex/.*/(a+)+/x", "a_b"),
            _route("/reserved/{name}", "a-b", methods=[], reserved=BREAKING_OUT),
            *(_route(f"/word/{name}", name) for name in RESERVED_WORDS),
            _route("/{name}/{rest+}", "end", methods=["GET"], route_keys=["GET /{name}/{rest+}"]),
        ],
        key=lambda route: str(route["path"]),
    ),
}
HOSTILE = Manifest.model_validate_json(json.dumps(HOSTILE_DOCUMENT))
WITHOUT_DEFAULT = HOSTILE.model_copy(update={"default": None})
MANIFESTS = {"committed": COMMITTED, "hostile": HOSTILE, "without-default": WITHOUT_DEFAULT}


def apps_by_key(manifest: Manifest) -> dict[str, str]:
    """The app of each route key, with `$default` if the manifest has a default app."""
    keys = {key: route.app for route in manifest.routes for key in route.route_keys}
    return keys | ({"$default": manifest.default} if manifest.default else {})
