"""The routes as a Mermaid flowchart, which Git hosts draw in a Markdown file."""

import re
from collections.abc import Mapping
from typing import Any

from routegen.render.data import Gateway
from routegen.render.target import Asked, Target


def quote(value: Any) -> str:
    """A label; what Mermaid or HTML might read as its own is an entity code (Mermaid, "Special characters")."""
    return '"' + re.sub(r"[^A-Za-z0-9 /._-]", lambda found: f"#{ord(found[0])};", str(value)) + '"'


def prepare(gateway: Gateway, _asked: Asked) -> Mapping[str, Any]:
    """A node for each route key in the manifest's order, with the app that it leads to."""
    rules = sorted(gateway.rules, key=lambda rule: (rule.path, rule.method))
    return {"routes": [(rule.key, rule.route.role, rule.app.identifier) for rule in rules]}


TARGET = Target(about="the routes as a Mermaid flowchart", template="routes.mmd.j2", quote=quote, prepare=prepare)
