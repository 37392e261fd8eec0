"""A module for a Pulumi program in Python that does not depend on routegen."""

from routegen.render.quote import quote_as_json
from routegen.render.render_target import RenderTarget

TARGET = RenderTarget(
    summary="Pulumi module in Python: the routes of an HTTP API, for a program that does not import routegen.pulumi",
    template="routes.py.j2",
    quote=quote_as_json,
)
