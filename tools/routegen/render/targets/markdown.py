"""The route table in Markdown, for people; kept beside the manifest, it shows in a review which paths change."""

import re
from collections.abc import Mapping
from typing import Any

from routegen.render.render_target import RenderSettings, RenderTarget
from routegen.render.template_data import TemplateGateway


def quote(value: Any) -> str:
    """Escape the characters of a table cell that have a meaning in Markdown (CommonMark, section 2.4)."""
    return re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", str(value))


def quote_code(value: str) -> str:
    """Write a text as code in a table cell, so that no backtick ends the code and no bar ends the cell."""
    fence = "`" * (1 + max((len(backticks) for backticks in re.findall("`+", value)), default=0))
    padding = " " if value.startswith("`") or value.endswith("`") else ""
    return fence + padding + value.replace("|", r"\|") + padding + fence


def prepare(gateway: TemplateGateway, _settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the table's rows, in the manifest's order."""
    rows = [
        {
            "path": quote_code(entry.path),
            "methods": " ".join(entry.methods) or "reserved",
            "app": entry.app,
            "role": entry.role if entry.spec is None else f"{entry.role}, {entry.spec}",
            "route_keys": ", ".join(quote_code(key) for key in entry.route_keys),
            "widened": entry.widened,
            "reserved": entry.reserved,
        }
        for entry in gateway.manifest.routes
    ]
    return {"rows": rows}


TARGET = RenderTarget(
    summary="Markdown: the route table for people",
    template="routes.md.j2",
    quote=quote,
    prepare=prepare,
)
