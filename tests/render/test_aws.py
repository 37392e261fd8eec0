"""The targets for AWS: read by each tool's own parser and checker, and built where moto can."""

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
from cfnlint.api import ManualArgs, lint
from helpers.node import node, why_not
from moto import mock_aws
from openapi_spec_validator import validate
from render.manifests import BREAKING_OUT, COMMITTED, HOSTILE
from routegen.errors import ConfigError, UnsupportedRouteError
from routegen.manifest import Manifest
from routegen.render import Request, render
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

KEYS = {
    manifest: {key: route.app for route in manifest.routes for key in route.route_keys} | {"$default": manifest.default}
    for manifest in (COMMITTED, HOSTILE)
}
"""The app of each route key."""

both = pytest.mark.parametrize("manifest", [COMMITTED, HOSTILE], ids=["committed", "hostile"])


def unquoted(value: Any) -> Any:
    """What python-hcl2 has parsed, without the quotes that it leaves around strings."""
    if isinstance(value, dict):
        return {unquoted(name): unquoted(one) for name, one in value.items()}
    if isinstance(value, list):
        return [unquoted(one) for one in value]
    if isinstance(value, str) and value.startswith('"'):
        return json.loads(value).replace("$${", "${").replace("%%{", "%{")
    return value


@both
def test_terraform_has_each_route_and_nothing_breaks_out(manifest: Manifest) -> None:
    module = unquoted(hcl2.loads(render(Request("terraform", manifest))))
    (local,) = module["locals"]
    assert {route["key"]: route["app"] for route in local["routes"].values()} == KEYS[manifest]
    resources = sorted(kind for resource in module["resource"] for kind in resource)
    assert resources == ["aws_apigatewayv2_integration", "aws_apigatewayv2_route", "aws_lambda_permission"]


def test_terraform_s_arguments_are_the_provider_s() -> None:
    """Pulumi's provider is made from Terraform's, with its arguments' names."""
    known = {
        "aws_apigatewayv2_integration": aws.apigatewayv2.Integration,
        "aws_apigatewayv2_route": aws.apigatewayv2.Route,
        "aws_lambda_permission": aws.lambda_.Permission,
    }
    module = unquoted(hcl2.loads(render(Request("terraform", COMMITTED))))
    for resource in module["resource"]:
        for kind, named in resource.items():
            (arguments,) = named.values()
            documented = inspect.signature(getattr(known[kind], "_internal_init")).parameters  # noqa: B009 - untyped
            own = {name for name in arguments if not name.startswith("__")} - {"for_each"}
            names = {"function": "function_name"}
            assert own <= {names.get(name, name) for name in documented}, kind
            assert own


@both
def test_terraform_is_formatted_as_terraform_does(manifest: Manifest) -> None:
    if why := why_not():
        pytest.skip(why)
    program = "import {format} from '@cdktf/hcl-tools'; import {readFileSync} from 'node:fs';"
    program += "process.stdout.write(await format(readFileSync(0, 'utf8')));"
    text = render(Request("terraform", manifest))
    assert node("--input-type=module", "--eval", program, text=text) == text


class Tagged(yaml.SafeLoader):
    """CloudFormation's short functions, as their long forms."""


def _function(_loader: yaml.SafeLoader, name: str, node: yaml.ScalarNode) -> dict[str, str]:
    return {"Ref" if name == "Ref" else f"Fn::{name}": str(node.value)}


Tagged.add_multi_constructor("!", _function)


@both
@pytest.mark.parametrize("target", ["cloudformation", "sam"])
def test_cfn_lint_has_nothing_to_say(target: str, manifest: Manifest) -> None:
    text = render(Request(target, manifest))
    assert lint(text, config=ManualArgs(regions=["us-east-1", "eu-central-1"])) == []
    assert BREAKING_OUT[:10] not in text


def aws_functions(names: list[str]) -> dict[str, str]:
    """A Lambda function for each name, in moto; their ARNs."""
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
def test_cloudformation_s_permissions_are_created(cloud: None) -> None:
    """Of the template's resources moto's CloudFormation knows the permissions alone."""
    functions = aws_functions(["mcp", "otterwiki"])
    parameters = {"ApiId": "abc", "McpFunctionArn": functions["mcp"], "OtterwikiFunctionArn": functions["otterwiki"]}
    boto3.client("cloudformation").create_stack(
        StackName="routes",
        TemplateBody=render(Request("cloudformation", COMMITTED)),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    for name in functions:
        policy = json.loads(boto3.client("lambda").get_policy(FunctionName=name)["Policy"])
        (statement,) = policy["Statement"]
        assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
        source = statement["Condition"]["ArnLike"]["AWS:SourceArn"]
        assert source == "arn:aws:execute-api:eu-central-1:123456789012:abc/*/*"


@both
def test_cloudformation_s_routes_make_the_manifest_s_api(manifest: Manifest, cloud: None) -> None:
    """What moto's CloudFormation doesn't know, its API Gateway does; botocore checks each parameter."""
    client = boto3.client("apigatewayv2")
    api = client.create_api(Name="x", ProtocolType="HTTP")["ApiId"]
    resources = yaml.load(render(Request("cloudformation", manifest)), Tagged)["Resources"]
    for resource in resources.values():
        wanted = {**resource["Properties"], "ApiId": api}
        if resource["Type"].endswith("Integration"):
            wanted["TimeoutInMillis"] = int(wanted["TimeoutInMillis"])
            wanted["IntegrationUri"] = wanted["IntegrationUri"]["Fn::Sub"]
            client.create_integration(**wanted)
        elif resource["Type"].endswith("Route"):
            wanted["Target"] = wanted["Target"]["Fn::Sub"]
            client.create_route(**wanted)
    apps = {one["IntegrationId"] for one in client.get_integrations(ApiId=api)["Items"]}
    assert len(apps) == len(set(KEYS[manifest].values()))
    routes = {one["RouteKey"]: one["Target"] for one in client.get_routes(ApiId=api)["Items"]}
    assert set(routes) == set(KEYS[manifest])
    by_app = {(KEYS[manifest][key], target) for key, target in routes.items()}
    assert len(by_app) == len(apps), "each app has one integration, and no two share one"


@both
def test_sam_becomes_one_api_with_each_route(manifest: Manifest, cloud: None) -> None:
    template = yaml.load(render(Request("sam", manifest)), Tagged)
    parameters = {name: f"arn:aws:lambda:eu-central-1:123456789012:function:{name}" for name in template["Parameters"]}
    transformed = transform(template, parameters, ManagedPolicyLoader(None))
    kinds = sorted(resource["Type"] for resource in transformed["Resources"].values())
    apps = len(set(KEYS[manifest].values()))
    assert kinds == ["AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", *["AWS::Lambda::Permission"] * apps]
    body = next(r for r in transformed["Resources"].values() if r["Type"] == "AWS::ApiGatewayV2::Api")["Properties"][
        "Body"
    ]
    assert route_keys(body) == KEYS[manifest]


def route_keys(document: Any) -> dict[str, str]:
    """The route keys of an OpenAPI document as API Gateway imports it, and the integration behind each."""
    found: dict[str, str] = {}
    for path, item in document["paths"].items():
        for field, operation in item.items():
            if field == "parameters":
                continue
            method = "ANY" if field == "x-amazon-apigateway-any-method" else field.upper()
            key = "$default" if operation.get("isDefaultRoute") else f"{method} {path}"
            found[key] = operation["x-amazon-apigateway-integration"]["$ref"].rpartition("/")[2]
    return found


@both
def test_openapi_is_valid_and_has_each_route(manifest: Manifest) -> None:
    text = render(Request("openapi", manifest))
    document = yaml.safe_load(text)
    validate(document)
    assert route_keys(document) == KEYS[manifest]
    assert set(document["components"]["x-amazon-apigateway-integrations"]) == set(KEYS[manifest].values())


def test_openapi_takes_each_function_s_arn() -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:mcp:live"
    document = yaml.safe_load(render(Request("openapi", COMMITTED, variables={"function.mcp": arn})))
    uri = document["components"]["x-amazon-apigateway-integrations"]["mcp"]["uri"]
    assert uri == f"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    with pytest.raises(ConfigError, match=r"--set: function\.mcp must be a Lambda function's ARN, is 'mcp'"):
        render(Request("openapi", COMMITTED, variables={"function.mcp": "mcp"}))


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
def test_two_names_for_one_variable_are_refused_or_allowed(target: str) -> None:
    with pytest.raises(UnsupportedRouteError, match=r"POST /x/\{b\}: OpenAPI takes .* --allow one-name"):
        render(Request(target, TWO_NAMES))
    text = render(Request(target, TWO_NAMES, allowed=frozenset({"one-name"})))
    assert "/x/{a}" in text
    assert "/x/{b}" not in text
