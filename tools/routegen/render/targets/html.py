"""A self-contained HTML page: the route table, a search, and `routegen explain` without a server."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from routegen.gateway import ANY
from routegen.manifest import explain
from routegen.render.quote import quote_as_json
from routegen.render.render_target import RenderSettings, RenderTarget, TargetVariable
from routegen.render.template_data import TemplateGateway


def prepare(gateway: TemplateGateway, _settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the script, its data, the style, and their hashes for the page's Content-Security-Policy."""
    style, script = _read_file("page.css"), _read_file("page.js")
    return {
        "style": Markup(style),  # noqa: S704 - a file of this package
        "script": Markup(script),  # noqa: S704 - likewise
        "style_hash": _policy_hash(style),
        "script_hash": _policy_hash(script),
        "model": Markup(quote_as_json(_explain_data(gateway))),  # noqa: S704 - quote_as_json escapes angle brackets
    }


def _explain_data(gateway: TemplateGateway) -> dict[str, Any]:
    rules = [
        {
            "key": route.key,
            "method": route.method,
            "regex": route.regex,
            "app": route.app.name,
            "methods": route.entry.methods,
            "reserved": route.entry.reserved,
            "how": explain.how_it_matches(route.route_key),
        }
        for route in gateway.routes
    ]
    words = {
        "noKey": explain.NO_KEY,
        "noApp": explain.NO_APP,
        "noDefault": explain.NO_DEFAULT,
        "otherSlash": explain.OTHER_SLASH,
        "otherMethod": explain.OTHER_METHOD,
        "refuses": explain.REFUSES,
        "reserved": explain.RESERVED,
    }
    return {
        "any": ANY,
        "default": gateway.manifest.default,
        "probed": explain.PROBED_METHODS,
        "words": words,
        "rules": rules,
    }


def _read_file(name: str) -> str:
    return files("routegen.render").joinpath("templates", "html", name).read_text("utf-8")


def _policy_hash(text: str) -> str:
    """The hash of an inline script or style in a Content-Security-Policy (CSP 3, section 2.3.1)."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


TARGET = RenderTarget(
    summary="HTML page: the route table, a search, and `routegen explain` without a server",
    template="page.html.j2",
    quote=None,
    prepare=prepare,
    variables={"title": TargetVariable("Routes", "the page's title")},
)
