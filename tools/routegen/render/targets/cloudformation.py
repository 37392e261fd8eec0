"""A CloudFormation template in YAML: routes, integrations and permissions."""

from routegen.render.quote import quote_as_json
from routegen.render.render_target import RenderTarget, TargetLimits

TARGET = RenderTarget(
    summary="CloudFormation template: routes, integrations and permissions of an HTTP API",
    template="stack.yaml.j2",
    quote=quote_as_json,
    limits=TargetLimits(
        name=240, apps=100, output=1_000_000, source="CloudFormation quotas: logical id 255, 500 resources, 1 MB"
    ),
)
