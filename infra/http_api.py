"""The HTTP API with the routes of the manifest, and its stage."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_aws as aws
from routegen.manifest import Manifest
from routegen.pulumi import ManifestRoutes
from stack_settings import StackSettings

# Without the path, which contains the token of a confirmation or of a password reset.
_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
}


@dataclass(frozen=True)
class HttpApi:
    """The API, its stage, and its route keys."""

    api: aws.apigatewayv2.Api
    stage: aws.apigatewayv2.Stage
    route_keys: tuple[str, ...]


def build_http_api(settings: StackSettings, manifest: Manifest, functions: Mapping[str, aws.lambda_.Alias]) -> HttpApi:
    """Create the HTTP API with its routes, integrations, permissions and stage.

    Args:
        settings: the settings of the stack.
        manifest: the manifest that lists the routes.
        functions: the alias of the function of each app that the manifest names.
    """
    api = aws.apigatewayv2.Api(
        "api",
        name=settings.name,
        protocol_type="HTTP",
        description="Routes from generated/routes.json",
        ip_address_type="dualstack",
        disable_execute_api_endpoint=True,  # requests must come through the custom domain
    )
    routes = ManifestRoutes("route", api_id=api.id, integrations=functions, manifest=manifest)
    return HttpApi(api, _build_stage(settings, api), routes.route_keys)


def _build_stage(settings: StackSettings, api: aws.apigatewayv2.Api) -> aws.apigatewayv2.Stage:
    log_group = aws.cloudwatch.LogGroup(
        # AWS limits the size of the resource policy of CloudWatch Logs, in which each other name needs an entry
        # ("Enable logging from certain AWS services").
        "api",
        name=f"/aws/vendedlogs/{settings.name}",
        retention_in_days=settings.log_retention_days,
    )
    return aws.apigatewayv2.Stage(
        "default",
        api_id=api.id,
        name="$default",
        auto_deploy=True,
        access_log_settings={"destination_arn": log_group.arn, "format": json.dumps(_ACCESS_LOG)},
        default_route_settings={
            "throttling_rate_limit": settings.throttling_rate,
            "throttling_burst_limit": settings.throttling_burst,
        },
    )
