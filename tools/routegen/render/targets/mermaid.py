"""A Mermaid flowchart of the routes, which Git hosts draw in a Markdown file."""

import re
from typing import Any

from routegen.render.render_target import RenderTarget, TargetLimits


def quote(value: Any) -> str:
    """Write a label; special characters become entity codes (Mermaid, "Special characters")."""
    return '"' + re.sub(r"[^A-Za-z0-9 /._-]", lambda match: f"#{ord(match[0])};", str(value)) + '"'


TARGET = RenderTarget(
    summary="Mermaid: the routes as a flowchart",
    template="routes.mmd.j2",
    quote=quote,
    limits=TargetLimits(routes=249, output=50_000, source="Mermaid's settings maxEdges and maxTextSize"),
)
