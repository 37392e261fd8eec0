"""The targets for AWS: read by the parser and the checker of each tool, and created in moto as far as moto can."""

import inspect
import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import boto3
import hcl2
import pulumi_aws as aws
import pytest
import yaml
from helpers.node import reason_not_to_run, run_node
from moto import mock_aws
from openapi_spec_validator import validate
from render.manifests import BREAKING_OUT, COMMITTED, MANIFESTS, apps_by_key
from routegen.errors import ConfigError, UnsupportedRouteError
from routegen.manifest import Manifest
from routegen.render import RenderRequest, render

in_one_process = pytest.mark.xdist_group("test_aws")
"""For tests that import cfn-lint or the SAM translator, because their imports take three seconds."""
each_manifest = pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)


def unquoted(value: Any) -> Any:
    """A value that python-hcl2 parsed, without the quotes that it leaves around strings."""
    if isinstance(value, dict):
        return {unquoted(name): unquoted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unquoted(item) for item in value]
    if isinstance(value, str) and value.startswith('"'):
        return json.loads(value).replace("$${", "${").replace("%%{", "%{")
    return value


@each_manifest
def test_terraform_has_each_route_and_no_text_ends_its_string(manifest: Manifest) -> None:
    module = unquoted(hcl2.loads(render(RenderRequest("terraform", manifest))))
    (local,) = module["locals"]
    assert {route["key"]: route["app"] for route in local["routes"].values()} == apps_by_key(manifest)
    resources = sorted(kind for resource in module["resource"] for kind in resource)
    assert resources == ["aws_apigatewayv2_integration", "aws_apigatewayv2_route", "aws_lambda_permission"]


def test_the_terraform_provider_has_each_argument() -> None:
    """Pulumi's AWS provider is generated from Terraform's provider and has the same argument names."""
    classes = {
        "aws_apigatewayv2_integration": aws.apigatewayv2.Integration,
        "aws_apigatewayv2_route": aws.apigatewayv2.Route,
        "aws_lambda_permission": aws.lambda_.Permission,
    }
    module = unquoted(hcl2.loads(render(RenderRequest("terraform", COMMITTED))))
    for resource in module["resource"]:
        for kind, resource_by_name in resource.items():
            (arguments,) = resource_by_name.values()
            documented = inspect.signature(getattr(classes[kind], "_internal_init")).parameters  # noqa: B009 - untyped
            rendered = {name for name in arguments if not name.startswith("__")} - {"for_each"}
            terraform_names = {"function": "function_name"}
            assert rendered <= {terraform_names.get(name, name) for name in documented}, kind
            assert rendered


@each_manifest
def test_the_terraform_formatter_changes_nothing(manifest: Manifest) -> None:
    if reason := reason_not_to_run():
        pytest.skip(reason)
    program = "import {format} from '@cdktf/hcl-tools'; import {readFileSync} from 'node:fs';"
    program += "process.stdout.write(await format(readFileSync(0, 'utf8')));"
    text = render(RenderRequest("terraform", manifest))
    assert run_node("--input-type=module", "--eval", program, text=text) == text


class CloudFormationLoader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as their long forms."""


def _construct_function(_loader: yaml.SafeLoader, name: str, node: yaml.ScalarNode) -> dict[str, str]:
    return {"Ref" if name == "Ref" else f"Fn::{name}": str(node.value)}


CloudFormationLoader.add_multi_constructor("!", _construct_function)


@in_one_process
@each_manifest
@pytest.mark.parametrize("target", ["cloudformation", "sam"])
def test_cfn_lint_reports_nothing(target: str, manifest: Manifest) -> None:
    from cfnlint.api import ManualArgs, lint

    text = render(RenderRequest(target, manifest))
    assert lint(text, config=ManualArgs(regions=["us-east-1", "eu-central-1"])) == []
    assert BREAKING_OUT[:10] not in text


def create_functions(names: list[str]) -> dict[str, str]:
    """Create a Lambda function for each name in moto, and return the ARNs by name."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", "")
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = boto3.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    client = boto3.client("lambda")
    return {
        name: client.create_function(
            FunctionName=name, Runtime="python3.13", Role=role, Handler="index.x", Code={"ZipFile": archive.getvalue()}
        )["FunctionArn"]
        for name in names
    }


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, aws_models: None) -> Iterator[None]:
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        yield


@pytest.mark.filterwarnings("ignore:Tried to parse AWS..ApiGatewayV2:UserWarning")
def test_cloudformation_creates_the_permissions(cloud: None) -> None:
    """moto's CloudFormation knows only the permissions among the template's resources."""
    functions = create_functions(["mcp", "otterwiki"])
    parameters = {"ApiId": "abc", "McpFunctionArn": functions["mcp"], "OtterwikiFunctionArn": functions["otterwiki"]}
    boto3.client("cloudformation").create_stack(
        StackName="routes",
        TemplateBody=render(RenderRequest("cloudformation", COMMITTED)),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    for name in functions:
        policy = json.loads(boto3.client("lambda").get_policy(FunctionName=name)["Policy"])
        (statement,) = policy["Statement"]
        assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
        source = statement["Condition"]["ArnLike"]["AWS:SourceArn"]
        assert source == "arn:aws:execute-api:eu-central-1:123456789012:abc/*/*"


@each_manifest
def test_the_cloudformation_resources_create_each_route(manifest: Manifest, cloud: None) -> None:
    """moto's CloudFormation does not know these resources, so API Gateway's calls create them, checked by botocore."""
    client = boto3.client("apigatewayv2")
    api = client.create_api(Name="x", ProtocolType="HTTP")["ApiId"]
    resources = yaml.load(render(RenderRequest("cloudformation", manifest)), CloudFormationLoader)["Resources"]
    for resource in resources.values():
        properties = {**resource["Properties"], "ApiId": api}
        if resource["Type"].endswith("Integration"):
            properties["TimeoutInMillis"] = int(properties["TimeoutInMillis"])
            properties["IntegrationUri"] = properties["IntegrationUri"]["Fn::Sub"]
            client.create_integration(**properties)
        elif resource["Type"].endswith("Route"):
            properties["Target"] = properties["Target"]["Fn::Sub"]
            client.create_route(**properties)
    integrations = {item["IntegrationId"] for item in client.get_integrations(ApiId=api)["Items"]}
    assert len(integrations) == len(set(apps_by_key(manifest).values()))
    routes = {item["RouteKey"]: item["Target"] for item in client.get_routes(ApiId=api)["Items"]}
    assert set(routes) == set(apps_by_key(manifest))
    targets = {(apps_by_key(manifest)[key], target) for key, target in routes.items()}
    assert len(targets) == len(integrations), "each app has one integration, and no two apps share one"


@in_one_process
@each_manifest
def test_sam_creates_one_api_with_each_route(manifest: Manifest, cloud: None) -> None:
    from samtranslator.public.translator import ManagedPolicyLoader
    from samtranslator.translator.transform import transform

    template = yaml.load(render(RenderRequest("sam", manifest)), CloudFormationLoader)
    parameters = {name: f"arn:aws:lambda:eu-central-1:123456789012:function:{name}" for name in template["Parameters"]}
    transformed = transform(template, parameters, ManagedPolicyLoader(None))
    kinds = sorted(resource["Type"] for resource in transformed["Resources"].values())
    app_count = len(set(apps_by_key(manifest).values()))
    assert kinds == ["AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", *["AWS::Lambda::Permission"] * app_count]
    (api,) = (
        resource for resource in transformed["Resources"].values() if resource["Type"] == "AWS::ApiGatewayV2::Api"
    )
    assert route_keys(api["Properties"]["Body"]) == apps_by_key(manifest)


def route_keys(document: Any) -> dict[str, str]:
    """The app of each route key in an OpenAPI document, read as API Gateway imports it."""
    apps: dict[str, str] = {}
    for path, item in document["paths"].items():
        for field, operation in item.items():
            if field == "parameters":
                continue
            method = "ANY" if field == "x-amazon-apigateway-any-method" else field.upper()
            key = "$default" if operation.get("isDefaultRoute") else f"{method} {path}"
            apps[key] = operation["x-amazon-apigateway-integration"]["$ref"].rpartition("/")[2]
    return apps


@each_manifest
def test_openapi_is_valid_and_has_each_route(manifest: Manifest) -> None:
    text = render(RenderRequest("openapi", manifest))
    document = yaml.safe_load(text)
    validate(document)
    assert route_keys(document) == apps_by_key(manifest)
    assert set(document["components"]["x-amazon-apigateway-integrations"]) == set(apps_by_key(manifest).values())


def test_openapi_has_the_arn_of_each_function() -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:mcp:live"
    document = yaml.safe_load(render(RenderRequest("openapi", COMMITTED, variables={"function.mcp": arn})))
    uri = document["components"]["x-amazon-apigateway-integrations"]["mcp"]["uri"]
    assert uri == f"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    with pytest.raises(ConfigError, match=r"--set: function\.mcp must be a Lambda function's ARN, is 'mcp'"):
        render(RenderRequest("openapi", COMMITTED, variables={"function.mcp": "mcp"}))


TWO_NAMES = Manifest.model_validate_json(
    json.dumps(
        {
            "version": 1,
            "default": "wiki",
            "routes": [
                {"path": path, "methods": [method], "app": "a", "role": "other", "route_keys": [f"{method} {path}"]}
                for path, method in [("/x/{a}", "GET"), ("/x/{b}", "POST")]
            ],
        }
    )
)


@pytest.mark.parametrize("target", ["openapi", "sam"])
def test_two_names_of_a_variable_are_refused_unless_allowed(target: str) -> None:
    with pytest.raises(
        UnsupportedRouteError, match=r"POST /x/\{b\}: OpenAPI treats .* as the same path; .* --allow one-name"
    ):
        render(RenderRequest(target, TWO_NAMES))
    text = render(RenderRequest(target, TWO_NAMES, allowed=frozenset({"one-name"})))
    assert "/x/{a}" in text
    assert "/x/{b}" not in text
