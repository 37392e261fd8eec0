"""One manifest, every gateway: Jinja2 templates that say the same routes in another tool's language.

In: a manifest, a target's name, and what the user has set. Out: one text, the same for the same input. Each target is
a package below `targets`: one module that prepares the data, and its templates. Nothing else knows a target, so one is
added without touching another. What it costs is Jinja2's import and one pass over the routes.
"""

from routegen.render.data import App, Gateway, Rule
from routegen.render.engine import Request, render, source_name
from routegen.render.target import Target, Variable, find_target, target_names

__all__ = [
    "App",
    "Gateway",
    "Request",
    "Rule",
    "Target",
    "Variable",
    "find_target",
    "render",
    "source_name",
    "target_names",
]
