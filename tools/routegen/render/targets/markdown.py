"""The route table for people, as Markdown: kept beside the manifest, so that a review shows which paths move."""

import re
from collections.abc import Mapping
from typing import Any

from routegen.render.data import Gateway
from routegen.render.target import Asked, Target


def quote(value: Any) -> str:
    """A text in a table's cell: what Markdown would read as its own is escaped (CommonMark, section 2.4)."""
    return re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", str(value))


def code(value: str) -> str:
    """A text as code in a table's cell: no backtick can end it, no bar the cell."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", value)), default=0))
    pad = " " if value.startswith("`") or value.endswith("`") else ""
    return fence + pad + value.replace("|", r"\|") + pad + fence


def prepare(gateway: Gateway, _asked: Asked) -> Mapping[str, Any]:
    """The rows, in the manifest's order."""
    rows = [
        {
            "path": code(route.path),
            "methods": " ".join(route.methods),
            "app": route.app,
            "what": route.role if route.spec is None else f"{route.role}, {route.spec}",
            "keys": ", ".join(code(key) for key in route.route_keys),
            "widened": route.widened,
        }
        for route in gateway.manifest.routes
    ]
    return {"rows": rows}


TARGET = Target(
    about="the route table for people",
    template="routes.md.j2",
    quote=quote,
    prepare=prepare,
)
