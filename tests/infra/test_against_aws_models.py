"""The registered resources are valid in AWS's API models: boto3 validates each call, and moto stores the result."""

import json
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape
from helpers.pulumi_program import Checkout, RecordedStack
from helpers.support import PROJECT
from moto import mock_aws

REGION = "eu-central-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, aws_models: None) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


class AwsService:
    """Calls to an AWS service with parameters in Pulumi's notation.

    Pulumi writes `payloadFormatVersion` for the API's `PayloadFormatVersion`. The service's model lists the parameters
    of each call, and botocore refuses any other parameter.
    """

    def __init__(self, service: str) -> None:
        self._client: Any = boto3.client(service)  # type: ignore[call-overload]  # the stubs know each service only by a literal name
        self._model = botocore.session.get_session().get_service_model(service)

    def call(self, operation: str, inputs: dict[str, Any], **renamed: str) -> Any:
        shape = self._model.operation_model(operation).input_shape
        assert isinstance(shape, StructureShape)
        parameters = {renamed.get(name, name): value for name, value in inputs.items() if renamed.get(name, name)}
        return getattr(self._client, xform_name(operation))(**to_shape(parameters, shape))

    def pages(self, operation: str, key: str, **parameters: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for page in self._client.get_paginator(operation).paginate(**parameters):
            items += page[key]
        return items


def to_shape(value: Any, shape: Shape) -> Any:
    """Convert a value in Pulumi's notation to a shape of botocore's model."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = {name.lower(): (name, member) for name, member in shape.members.items()}
        # An unknown parameter stays as it is, so that botocore refuses it.
        converted = {}
        for name, parameter in value.items():
            member_name, member = members.get(name.lower(), (name, None))
            converted[member_name] = to_shape(parameter, member) if member else parameter
        return converted
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: to_shape(item, shape.value) for name, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_shape(item, shape.member) for item in value]
    return int(value) if shape.type_name in {"integer", "long"} and isinstance(value, float) else value


def create_api(stack: RecordedStack) -> tuple[AwsService, str, dict[str, str]]:
    """Create the API and its integrations in moto.

    Returns:
        The service, the API's id, and for each target in Pulumi's mocks (`integrations/route mcp-id`) the real target.
    """
    gateway = AwsService("apigatewayv2")
    api = gateway.call("CreateApi", stack.of("Api")["api"])
    targets = {}
    for name, inputs in stack.of("Integration").items():
        created = gateway.call(
            "CreateIntegration", {**inputs, "apiId": api["ApiId"]}, timeoutMilliseconds="timeoutInMillis"
        )
        targets[f"integrations/{name}-id"] = f"integrations/{created['IntegrationId']}"
    return gateway, api["ApiId"], targets


@pytest.mark.usefixtures("aws")
def test_the_created_routes_are_those_of_the_manifest(stack: RecordedStack) -> None:
    gateway, api_id, targets = create_api(stack)
    for inputs in stack.of("Route").values():
        gateway.call("CreateRoute", {**inputs, "apiId": api_id, "target": targets[inputs["target"]]})
    manifest = json.loads((PROJECT / "generated" / "routes.json").read_text())
    expected = {
        key: targets[f"integrations/route {route['app']}-id"]
        for route in manifest["routes"]
        for key in route["route_keys"]
    }
    expected["$default"] = targets["integrations/route otterwiki-id"]
    routes = gateway.pages("get_routes", "Items", ApiId=api_id)
    assert {route["RouteKey"]: route["Target"] for route in routes} == expected
    assert len(routes) == len(expected)
    integrations = gateway.pages("get_integrations", "Items", ApiId=api_id)
    assert {integration["PayloadFormatVersion"] for integration in integrations} == {"2.0"}
    assert {integration["TimeoutInMillis"] for integration in integrations} == {30000}


@pytest.mark.usefixtures("aws")
def test_an_api_with_as_many_routes_as_the_quota_allows(checkout: Checkout) -> None:
    """The API has 299 routes and $default, and get_routes returns them in several pages."""
    routes = [
        {"path": f"/p{n}", "methods": ["ANY"], "app": "mcp", "role": "other", "route_keys": [f"ANY /p{n}"]}
        for n in range(299)
    ]
    checkout.write({"version": 1, "default": "otterwiki", "routes": routes})
    stack = checkout.up()
    gateway, api_id, targets = create_api(stack)
    for inputs in stack.of("Route").values():
        gateway.call("CreateRoute", {**inputs, "apiId": api_id, "target": targets[inputs["target"]]})
    assert len({route["RouteKey"] for route in gateway.pages("get_routes", "Items", ApiId=api_id)}) == 300


@pytest.mark.usefixtures("aws")
def test_the_stage_and_the_domain_are_valid(stack: RecordedStack) -> None:
    gateway, api_id, _ = create_api(stack)
    stage = stack.of("Stage")["default"]
    gateway.call("CreateStage", {**stage, "apiId": api_id}, name="stageName")
    (domain,) = stack.of("DomainName").values()
    configurations = [domain["domainNameConfiguration"]]
    gateway.call("CreateDomainName", {"domainName": domain["domainName"], "domainNameConfigurations": configurations})
    (mapping,) = stack.of("ApiMapping").values()
    created = gateway.call("CreateApiMapping", {**mapping, "apiId": api_id})
    assert (created["ApiId"], created["Stage"]) == (api_id, "$default")


@pytest.mark.usefixtures("aws")
def test_the_functions_roles_permissions_and_log_groups_are_valid(stack: RecordedStack) -> None:
    iam, logs, functions = AwsService("iam"), AwsService("logs"), AwsService("lambda")
    arns = {}
    for name, role in stack.of("Role").items():
        inputs = {"roleName": role["name"], "assumeRolePolicyDocument": role["assumeRolePolicy"]}
        arns[name] = iam.call("CreateRole", inputs)["Role"]["Arn"]
        policy = stack.of("RolePolicy")[name]["policy"]
        iam.call("PutRolePolicy", {"roleName": role["name"], "policyName": name, "policyDocument": policy})
    for group in stack.of("LogGroup").values():
        logs.call("CreateLogGroup", {"logGroupName": group["name"]})
        logs.call("PutRetentionPolicy", {"logGroupName": group["name"], "retentionInDays": group["retentionInDays"]})
    mcp = stack.of("Function")["mcp"]
    functions.call(
        "CreateFunction",
        {**mcp, "role": arns["mcp"], "code": {"zipFile": b"PK\x05\x06" + b"\0" * 18}},
        name="functionName",
    )
    alias = {**stack.of("Alias")["mcp"], "functionVersion": "1"}  # moto counts from 1
    functions.call("CreateAlias", alias)
    permission = stack.of("Permission")["route mcp"]
    response = functions.call("AddPermission", {**permission, "statementId": "gateway"}, function="functionName")
    assert json.loads(response["Statement"])["Principal"] == {"Service": "apigateway.amazonaws.com"}


@pytest.mark.usefixtures("aws")
def test_the_network_and_the_storage_are_valid(stack: RecordedStack) -> None:
    ec2, efs = AwsService("ec2"), AwsService("efs")
    vpc = ec2.call("CreateVpc", {"cidrBlock": stack.of("Vpc")["wiki"]["cidrBlock"]})["Vpc"]["VpcId"]
    subnets = []
    for subnet in stack.of("Subnet").values():
        inputs = {"vpcId": vpc, "cidrBlock": subnet["cidrBlock"], "availabilityZone": subnet["availabilityZone"]}
        subnets.append(ec2.call("CreateSubnet", inputs)["Subnet"]["SubnetId"])
    assert len(set(subnets)) == 2
    system = efs.call(
        "CreateFileSystem", {"creationToken": "x", "encrypted": stack.of("FileSystem")["wiki"]["encrypted"]}
    )
    point = stack.of("AccessPoint")["wiki"]
    inputs = {**point, "fileSystemId": system["FileSystemId"], "clientToken": "x"}
    assert efs.call("CreateAccessPoint", inputs, tags="")["PosixUser"] == {"Uid": 1000, "Gid": 1000}
