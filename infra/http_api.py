"""The HTTP API: a route for each route key of the manifest and none by hand, `$default` to the wiki."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from routegen.gateway import RouteKey
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
    """The API, its stage, and the route keys that it has."""

    api: aws.apigatewayv2.Api
    stage: aws.apigatewayv2.Stage
    route_keys: tuple[str, ...]


def build_http_api(settings: StackSettings, functions: Mapping[str, aws.lambda_.Function]) -> HttpApi:
    """The API with everything that belongs to it.

    Args:
        settings: the stack's.
        functions: the function of each app that the manifest names.
    """
    api = aws.apigatewayv2.Api(
        "api",
        name=settings.name,
        protocol_type="HTTP",
        description="Routes from generated/routes.json",
        ip_address_type="dualstack",
        disable_execute_api_endpoint=True,  # the domain is the only way in
    )
    integrations = {app: _integration(api, app, function) for app, function in functions.items()}
    keys = {RouteKey.parse(key): route.app for route in settings.manifest.routes for key in route.route_keys}
    names = {f"route {key.without_variable_names}": (str(key), app) for key, app in keys.items()}
    names["route $default"] = ("$default", settings.manifest.default)
    for name, (key, app) in names.items():
        aws.apigatewayv2.Route(
            name,
            api_id=api.id,
            route_key=key,
            target=pulumi.Output.concat("integrations/", integrations[app].id),
        )
    return HttpApi(api, _stage(settings, api), tuple(key for key, _ in names.values()))


def _integration(api: aws.apigatewayv2.Api, app: str, function: aws.lambda_.Function) -> aws.apigatewayv2.Integration:
    """One integration and one permission a function, whatever the number of its routes.

    A permission for each route would overflow the function's resource policy, which has 20,480 bytes, at about 30.
    """
    aws.lambda_.Permission(
        app,
        action="lambda:InvokeFunction",
        function=function.name,
        principal="apigateway.amazonaws.com",
        source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),  # any stage, any route of this API
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


def _stage(settings: StackSettings, api: aws.apigatewayv2.Api) -> aws.apigatewayv2.Stage:
    logs = aws.cloudwatch.LogGroup(
        "api", name=f"/aws/apigateway/{settings.name}", retention_in_days=settings.log_retention_days
    )
    return aws.apigatewayv2.Stage(
        "default",
        api_id=api.id,
        name="$default",
        auto_deploy=True,
        access_log_settings={"destination_arn": logs.arn, "format": json.dumps(_ACCESS_LOG)},
        default_route_settings={
            "throttling_rate_limit": settings.throttling_rate,
            "throttling_burst_limit": settings.throttling_burst,
        },
    )
