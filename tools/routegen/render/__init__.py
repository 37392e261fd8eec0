"""Write a manifest's routes in the language of another tool, with Jinja2 templates.

Each target (nginx, Terraform, HTML and so on) is one module in `targets`, which prepares the data, and one folder of
templates in `templates`. The output depends only on the manifest, the target and the user's settings, so the same input
always gives the same bytes. No other module knows a target: a new target is added without changing any other file.
"""

from routegen.render.render_target import RenderTarget, TargetVariable, find_target, target_names
from routegen.render.template_data import TemplateApp, TemplateGateway, TemplateRoute
from routegen.render.template_engine import RenderRequest, render, source_name

__all__ = [
    "RenderRequest",
    "RenderTarget",
    "TargetVariable",
    "TemplateApp",
    "TemplateGateway",
    "TemplateRoute",
    "find_target",
    "render",
    "source_name",
    "target_names",
]
