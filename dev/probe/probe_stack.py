"""The stack of the probe: one function, one HTTP API, no domain. run.sh creates, measures and removes it."""

import json

import pulumi
import pulumi_aws as aws
from probe_routes import OTHER_ROUTE_KEYS, ROUTE_KEYS

TRUST_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
name = f"routegen-probe-{pulumi.get_stack()}"

role = aws.iam.Role("probe", name=name, assume_role_policy=json.dumps(TRUST_POLICY))
function = aws.lambda_.Function(
    "probe",
    name=name,
    role=role.arn,
    runtime="python3.13",
    handler="echo_function.handler",
    code=pulumi.FileArchive("function"),
    timeout=10,
)
api = aws.apigatewayv2.Api("probe", name=name, protocol_type="HTTP")
aws.lambda_.Permission(
    "probe",
    action="lambda:InvokeFunction",
    function=function.name,
    principal="apigateway.amazonaws.com",
    source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
)
MAPPING = aws.apigatewayv2.IntegrationResponseParameterArgs(
    status_code="401", mappings={"overwrite:header.WWW-Authenticate": 'Bearer realm="mapped"'}
)


def build_integration(suffix: str, payload_format: str, *, with_mapping: bool = False) -> aws.apigatewayv2.Integration:
    """Create an integration that invokes the function.

    Args:
        suffix: the end of its name in the stack.
        payload_format: `1.0` or `2.0`.
        with_mapping: whether it overwrites `WWW-Authenticate` in a response with 401.
    """
    return aws.apigatewayv2.Integration(
        f"probe-{suffix}",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_method="POST",
        integration_uri=function.invoke_arn,
        payload_format_version=payload_format,
        response_parameters=[MAPPING] if with_mapping else None,
    )


newest = build_integration("2", "2.0")
integrations = dict.fromkeys((*ROUTE_KEYS, "$default"), newest)
older, mapped = OTHER_ROUTE_KEYS
integrations[older] = build_integration("1", "1.0")
integrations[mapped] = build_integration("mapped", "2.0", with_mapping=True)
for route_key, integration in integrations.items():
    aws.apigatewayv2.Route(
        f"probe {route_key}",
        api_id=api.id,
        route_key=route_key,
        target=pulumi.Output.concat("integrations/", integration.id),
    )
aws.apigatewayv2.Stage("probe", api_id=api.id, name="$default", auto_deploy=True)
pulumi.export("url", api.api_endpoint)
