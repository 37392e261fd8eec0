"""A construct for the AWS CDK, in TypeScript: routes, integrations and permissions."""

from routegen.render.quote import quote_as_json
from routegen.render.render_target import RenderTarget, TargetLimits

TARGET = RenderTarget(
    summary="AWS CDK construct in TypeScript: routes, integrations and permissions of an HTTP API",
    template="routes.ts.j2",
    quote=quote_as_json,
    limits=TargetLimits(name=240, apps=100, source="CloudFormation quotas: logical id 255, 500 resources"),
)
