"""A SAM template in YAML: the HTTP API and its permissions."""

from collections.abc import Mapping
from typing import Any

from routegen.render.openapi_paths import APPROXIMATIONS, build_openapi_paths
from routegen.render.quote import quote_as_json
from routegen.render.render_target import RenderSettings, RenderTarget, TargetLimits
from routegen.render.template_data import TemplateGateway


def prepare(gateway: TemplateGateway, settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the paths of the API's definition."""
    return {"paths": build_openapi_paths(gateway, settings)}


TARGET = RenderTarget(
    summary="SAM template: the HTTP API with its routes and permissions",
    template="template.yaml.j2",
    quote=quote_as_json,
    prepare=prepare,
    approximations=APPROXIMATIONS,
    limits=TargetLimits(
        name=240,
        path=1024,
        apps=200,
        output=1_000_000,
        source="CloudFormation quotas: logical id 255, 200 parameters, 1 MB; YAML keys 1,024",
    ),
)
