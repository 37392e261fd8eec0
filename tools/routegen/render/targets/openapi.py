"""An OpenAPI document of the HTTP API, for `aws apigatewayv2 import-api`, in YAML."""

import re
from collections.abc import Mapping
from typing import Any

from routegen.render.openapi_paths import APPROXIMATIONS, build_openapi_paths
from routegen.render.quote import quote_as_json
from routegen.render.render_target import RenderSettings, RenderTarget, TargetLimits, TargetVariable
from routegen.render.template_data import TemplateGateway


def _check_function_arn(value: str) -> None:
    if not re.fullmatch(r"arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?", value):
        raise ValueError("must be a Lambda function's ARN")


def prepare(gateway: TemplateGateway, settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the paths, and the URI that invokes the function of each app."""
    arns = {app.name: settings.variables[f"function.{app.name}"] for app in gateway.apps}
    uris = {name: _invocation_uri(arn) for name, arn in arns.items()}
    return {"paths": build_openapi_paths(gateway, settings), "uris": uris}


def _invocation_uri(function_arn: str) -> str:
    _, partition, _, region, *_ = function_arn.split(":")
    return f"arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{function_arn}/invocations"


TARGET = RenderTarget(
    summary="OpenAPI document with API Gateway's extensions, to import as an HTTP API",
    template="openapi.yaml.j2",
    quote=quote_as_json,
    prepare=prepare,
    variables={
        "function.{app}": TargetVariable(
            "arn:aws:lambda:us-east-1:123456789012:function:name",
            "the ARN of the app's Lambda function",
            _check_function_arn,
        ),
        "title": TargetVariable("routegen", "the API's name"),
    },
    approximations=APPROXIMATIONS,
    limits=TargetLimits(name=1000, path=1024, source="a YAML key has at most 1,024 characters"),
)
