"""A CloudFormation template in YAML: routes, integrations and permissions."""

from routegen.render.quote import quote_as_json
from routegen.render.render_target import RenderTarget

TARGET = RenderTarget(
    summary="CloudFormation template: routes, integrations and permissions of an HTTP API",
    template="stack.yaml.j2",
    quote=quote_as_json,
)
