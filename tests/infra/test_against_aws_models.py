"""What the program registers, put to AWS's own API model: boto3 validates each call, and moto reads it back."""

import json
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape
from helpers.stack import Checkout, Stack
from moto import mock_aws

REGION = "eu-central-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, aws_models: None) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


class Api:
    """A service's calls, with parameters as Pulumi has them.

    Pulumi writes `payloadFormatVersion` where the API has `PayloadFormatVersion`, and the singular of a block where the
    API has a structure. The service's own model says which parameters a call has; one that it hasn't is refused.
    """

    def __init__(self, service: str) -> None:
        self._client: Any = boto3.client(service)  # type: ignore[call-overload]  # any service, by its name
        self._model = botocore.session.get_session().get_service_model(service)

    def call(self, operation: str, inputs: dict[str, Any], **renamed: str) -> Any:
        shape = self._model.operation_model(operation).input_shape
        assert isinstance(shape, StructureShape)
        parameters = {renamed.get(name, name): value for name, value in inputs.items() if renamed.get(name, name)}
        return getattr(self._client, xform_name(operation))(**shaped(parameters, shape))

    def pages(self, operation: str, key: str, **parameters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in self._client.get_paginator(operation).paginate(**parameters):
            found += page[key]
        return found


def shaped(value: Any, shape: Shape) -> Any:
    """A value of Pulumi's in the form that botocore's model gives it."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = {name.lower(): (name, member) for name, member in shape.members.items()}
        known = {name: members[name.lower()] for name in value if name.lower() in members}
        # What the call doesn't have stays as it is, for botocore to refuse.
        return {known[name][0] if name in known else name: shaped(one, known[name][1]) if name in known else one
                for name, one in value.items()}  # fmt: skip
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: shaped(one, shape.value) for name, one in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [shaped(one, shape.member) for one in value]
    return int(value) if shape.type_name in {"integer", "long"} and isinstance(value, float) else value


def api_of(stack: Stack) -> tuple[Api, str, dict[str, str]]:
    """Create the API and its integrations; what Pulumi knows them by stays known: `integrations/mcp-id`."""
    gateway = Api("apigatewayv2")
    made = gateway.call("CreateApi", stack.of("Api")["api"])
    ids = {}
    for name, inputs in stack.of("Integration").items():
        created = gateway.call(
            "CreateIntegration", {**inputs, "apiId": made["ApiId"]}, timeoutMilliseconds="timeoutInMillis"
        )
        ids[f"integrations/{name}-id"] = f"integrations/{created['IntegrationId']}"
    return gateway, made["ApiId"], ids


@pytest.mark.usefixtures("aws")
def test_the_routes_come_back_as_the_manifest_has_them(checkout: Checkout) -> None:
    stack = checkout.up()
    gateway, api_id, ids = api_of(stack)
    for inputs in stack.of("Route").values():
        gateway.call("CreateRoute", {**inputs, "apiId": api_id, "target": ids[inputs["target"]]})
    manifest = json.loads(checkout.manifest.read_text())
    wanted = {
        key: ids[f"integrations/{route['app']}-id"] for route in manifest["routes"] for key in route["route_keys"]
    }
    wanted["$default"] = ids["integrations/otterwiki-id"]
    routes = gateway.pages("get_routes", "Items", ApiId=api_id)
    assert {route["RouteKey"]: route["Target"] for route in routes} == wanted
    assert len(routes) == len(wanted)
    integrations = gateway.pages("get_integrations", "Items", ApiId=api_id)
    assert {one["PayloadFormatVersion"] for one in integrations} == {"2.0"}
    assert {one["TimeoutInMillis"] for one in integrations} == {30000}


@pytest.mark.usefixtures("aws")
def test_a_gateway_as_large_as_the_quota(checkout: Checkout) -> None:
    """299 routes and $default, read back page by page."""
    routes = [
        {"path": f"/p{n}", "methods": ["ANY"], "app": "mcp", "role": "other", "route_keys": [f"ANY /p{n}"]}
        for n in range(299)
    ]
    checkout.write({"version": 1, "default": "otterwiki", "routes": routes})
    stack = checkout.up()
    gateway, api_id, ids = api_of(stack)
    for inputs in stack.of("Route").values():
        gateway.call("CreateRoute", {**inputs, "apiId": api_id, "target": ids[inputs["target"]]})
    assert len({route["RouteKey"] for route in gateway.pages("get_routes", "Items", ApiId=api_id)}) == 300


@pytest.mark.usefixtures("aws")
def test_the_stage_and_the_domain(checkout: Checkout) -> None:
    stack = checkout.up()
    gateway, api_id, _ = api_of(stack)
    stage = stack.of("Stage")["default"]
    gateway.call("CreateStage", {**stage, "apiId": api_id}, name="stageName")
    (domain,) = stack.of("DomainName").values()
    configurations = [domain["domainNameConfiguration"]]
    gateway.call("CreateDomainName", {"domainName": domain["domainName"], "domainNameConfigurations": configurations})
    (mapping,) = stack.of("ApiMapping").values()
    made = gateway.call("CreateApiMapping", {**mapping, "apiId": api_id})
    assert (made["ApiId"], made["Stage"]) == (api_id, "$default")


@pytest.mark.usefixtures("aws")
def test_the_functions_their_roles_permissions_and_logs(checkout: Checkout) -> None:
    stack = checkout.up()
    iam, logs, functions = Api("iam"), Api("logs"), Api("lambda")
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
    permission = stack.of("Permission")["mcp"]
    said = functions.call("AddPermission", {**permission, "statementId": "gateway"}, function="functionName")
    assert json.loads(said["Statement"])["Principal"] == {"Service": "apigateway.amazonaws.com"}


@pytest.mark.usefixtures("aws")
def test_the_network_and_the_storage(checkout: Checkout) -> None:
    stack = checkout.up()
    ec2, efs = Api("ec2"), Api("efs")
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
