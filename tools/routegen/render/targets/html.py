"""One self-contained page: the route map, a search, and `explain` without a server."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from routegen.gateway import ANY
from routegen.manifest import explain
from routegen.render.data import Gateway
from routegen.render.quote import as_json
from routegen.render.target import Asked, Target, Variable


def prepare(gateway: Gateway, _asked: Asked) -> Mapping[str, Any]:
    """The model's table for the script, and what the page's policy must know of script and style."""
    style, script = _file("page.css"), _file("page.js")
    return {
        "style": Markup(style),  # noqa: S704 - a file of this package
        "script": Markup(script),  # noqa: S704 - likewise
        "style_hash": _hash(style),
        "script_hash": _hash(script),
        "model": Markup(as_json(_model(gateway))),  # noqa: S704 - as_json leaves no angle bracket
        "rules": sorted(gateway.rules, key=lambda rule: (rule.path, rule.method)),
    }


def _model(gateway: Gateway) -> dict[str, Any]:
    rules = [
        {
            "key": rule.key,
            "method": rule.method,
            "regex": rule.regex,
            "app": rule.app.name,
            "methods": rule.route.methods,
            "how": explain.how_it_matches(rule.parsed),
        }
        for rule in gateway.rules
    ]
    words = {
        "noKey": explain.NO_KEY,
        "otherSlash": explain.OTHER_SLASH,
        "otherMethod": explain.OTHER_METHOD,
        "refuses": explain.REFUSES,
    }
    return {"any": ANY, "default": gateway.default.name, "probed": explain.PROBED, "words": words, "rules": rules}


def _file(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline script or style (CSP 3, section 2.3.1)."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


TARGET = Target(
    about="one page for people: route map, search, and explain without a server",
    template="page.html.j2",
    quote=None,
    prepare=prepare,
    variables={"title": Variable("Routes", "the page's title")},
)
