"""The HTTP API: one route for each route key of the manifest, and `$default` for the wiki."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from routegen.gateway import RouteKey
from routegen.manifest import Manifest
from stack_settings import StackSettings

_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
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


def build_http_api(
    settings: StackSettings, manifest: Manifest, functions: Mapping[str, aws.lambda_.Function]
) -> HttpApi:
    """Create the HTTP API with its routes, integrations, permissions and stage.

    Args:
        settings: the settings of the stack.
        manifest: the manifest that lists the routes.
        functions: the function of each app that the manifest names.
    """
    api = aws.apigatewayv2.Api(
        "api",
        name=settings.name,
        protocol_type="HTTP",
        description="Routes from generated/routes.json",
        ip_address_type="dualstack",
        disable_execute_api_endpoint=True,  # requests must come through the custom domain
    )
    integrations = {app: _build_integration(api, app, function) for app, function in functions.items()}
    apps = {RouteKey.parse(key): route.app for route in manifest.routes for key in route.route_keys}
    # Without the names of variables in its name, a route with a renamed variable is updated in place.
    routes = {f"route {key.without_variable_names}": (str(key), app) for key, app in apps.items()}
    if manifest.default is not None:
        routes["route $default"] = ("$default", manifest.default)
    for name, (route_key, app) in routes.items():
        aws.apigatewayv2.Route(
            name,
            api_id=api.id,
            route_key=route_key,
            target=pulumi.Output.concat("integrations/", integrations[app].id),
        )
    return HttpApi(api, _build_stage(settings, api), tuple(route_key for route_key, _ in routes.values()))


def _build_integration(
    api: aws.apigatewayv2.Api, app: str, function: aws.lambda_.Function
) -> aws.apigatewayv2.Integration:
    """Create one integration and one permission for a function, for all its routes.

    About 30 permissions, one for each route, would exceed the 20,480 bytes of the function's resource policy.
    """
    aws.lambda_.Permission(
        app,
        action="lambda:InvokeFunction",
        function=function.name,
        principal="apigateway.amazonaws.com",
        source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),  # every stage and every route of this API
    )
    return aws.apigatewayv2.Integration(
        app,
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_method="POST",
        integration_uri=function.invoke_arn,
        payload_format_version="2.0",
        timeout_milliseconds=30000,
    )


def _build_stage(settings: StackSettings, api: aws.apigatewayv2.Api) -> aws.apigatewayv2.Stage:
    log_group = aws.cloudwatch.LogGroup(
        "api", name=f"/aws/apigateway/{settings.name}", retention_in_days=settings.log_retention_days
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
