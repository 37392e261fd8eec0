"""Reading from AWS: all pages, only reading calls, and calls that AWS refuses."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from audit.conftest import Audit
from audit.faults import intercept_requests, make_response, refuse_call
from audit.moto_deployment import ACCOUNT, DOMAIN, MotoDeployment
from botocore.awsrequest import AWSPreparedRequest
from helpers.moto_account import REGION
from helpers.support import PROJECT

CALLS = {
    "sts": {"GetCallerIdentity"},
    "apigatewayv2": {"GetApi", "GetApis", "GetRoutes", "GetIntegrations", "GetStages", "GetDomainNames",
                     "GetApiMappings"},
    "lambda": {"GetFunctionConcurrency", "GetFunctionConfiguration", "GetPolicy"},
}  # fmt: skip


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """The service, the operation and the HTTP method of every request from now on."""
    recorded: list[tuple[str, str, str]] = []

    def record(send: Any, event: str, request: AWSPreparedRequest) -> Any:
        _, service, operation = event.split(".")
        recorded.append((service, operation, f"{request.method}"))
        return send(event, request)

    intercept_requests(monkeypatch, record)
    return recorded


def findings(result: Any) -> list[tuple[str, str]]:
    return [(finding["rule"], finding["subject"]) for finding in json.loads(result.stdout)["findings"]]


@pytest.mark.parametrize("selector", ["id", "name"])
def test_every_call_only_reads(
    selector: str, deployment: MotoDeployment, audit: Audit, calls: list[tuple[str, str, str]]
) -> None:
    calls.clear()
    arguments = ["--api-id", deployment.api_id] if selector == "id" else ["--api-name", "wikibot"]
    assert audit(*arguments).code == 0
    assert calls
    for service, operation, method in calls:
        assert operation in CALLS[service]
        assert method == "GET" or service == "sts"  # all calls of STS are POST requests


def test_only_the_functions_of_routes_are_read(
    deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.create_integration(deployment.arns["mcp"].replace("wikibot-mcp", "unused"))
    asked: list[str] = []

    def record(send: Any, event: str, request: AWSPreparedRequest) -> Any:
        asked.append(f"{request.url}")
        return send(event, request)

    intercept_requests(monkeypatch, record)
    assert audit("--api-id", deployment.api_id).code == 0
    assert [url for url in asked if "unused" in url] == []


def test_the_documented_policy_allows_exactly_the_calls(
    deployment: MotoDeployment, audit: Audit, calls: list[tuple[str, str, str]]
) -> None:
    """API Gateway's actions are HTTP methods on paths; GetCallerIdentity needs no permission."""
    block = re.search(r"```json\n(\{\n  \"Version\".+?)```", (PROJECT / "docs" / "audit.md").read_text(), re.DOTALL)
    assert block
    allowed = {
        action
        for statement in json.loads(block[1])["Statement"]
        for action in statement["Action"]
        if statement["Effect"] == "Allow"
    }
    calls.clear()
    audit("--api-name", "wikibot")
    audit("--api-id", deployment.api_id)
    needed = {
        "apigateway:GET" if service == "apigatewayv2" else f"{service}:{operation}"
        for service, operation, _ in calls
        if service != "sts"
    }
    assert allowed == needed


def test_every_page_is_read(deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto returns all items at once, so the test divides its responses into pages with one item."""
    for number in range(3):
        deployment.gateway.create_api(Name=f"other{number}", ProtocolType="HTTP")
        deployment.gateway.create_domain_name(DomainName=f"other{number}.example")
    divide_into_pages(monkeypatch)
    result = audit("--api-name", "wikibot", "--format", "json")
    assert result.code == 0, result.stdout
    keys = [route["route_key"] for route in json.loads(result.stdout)["routes"]]
    assert keys == sorted(deployment.routes)


def divide_into_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    def send_one_page(send: Any, event: str, request: AWSPreparedRequest) -> Any:
        token = re.search(r"nextToken=(\d+)", f"{request.url}")
        response = send(event, request)
        if response is None or response.status_code != 200 or "apigatewayv2" not in event:
            return response
        content = json.loads(response.content)
        if "items" not in content:
            return response
        start = int(token[1]) if token else 0
        next_token = {"nextToken": f"{start + 1}"} if start + 1 < len(content["items"]) else {}
        response._content = json.dumps({**content, "items": content["items"][start : start + 1], **next_token}).encode()
        return response

    intercept_requests(monkeypatch, send_one_page)


@pytest.mark.parametrize(
    ("operation", "subject", "action"),
    [
        ("GetRoutes", "API", "apigateway:GET"),
        ("GetIntegrations", "API", "apigateway:GET"),
        ("GetStages", "API", "apigateway:GET"),
        ("GetDomainNames", "the custom domains", "apigateway:GET"),
        ("GetApiMappings", DOMAIN, "apigateway:GET"),
        ("GetApi", "API", "apigateway:GET"),
        ("GetFunctionConfiguration", "wikibot-mcp", "lambda:GetFunctionConfiguration"),
        ("GetPolicy", "wikibot-mcp", "lambda:GetPolicy"),
    ],
)
def test_a_missing_permission_is_named_and_the_other_calls_go_on(
    operation: str, subject: str, action: str, deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.create_route("GET /planted", "mcp")
    refuse_call(monkeypatch, operation, "AccessDeniedException", 403, "User: x is not authorized\nto perform it")
    result = audit("--api-id", deployment.api_id, "--format", "json")
    rules_and_subjects = findings(result)
    assert result.code == 1
    assert {rule for rule, _ in rules_and_subjects} <= {"RG100", "RG111"}
    assert rules_and_subjects[0] == ("RG100", deployment.api_id if subject == "API" else subject)
    assert f"Allow {action} " in json.loads(result.stdout)["findings"][0]["fix"]
    assert (("RG111", "GET /planted") in rules_and_subjects) is (operation not in {"GetApi", "GetRoutes"})


def test_throttled_calls_are_repeated_and_then_reported(
    deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    monkeypatch.setattr("time.sleep", lambda _: None)
    attempts = refuse_call(monkeypatch, "GetStages", "TooManyRequestsException", 429, "Too Many Requests")
    result = audit("--api-id", deployment.api_id)
    assert len(attempts) == 3
    assert result.code == 1
    assert "apigatewayv2:GetStages is throttled: Too Many Requests" in result.stdout


def test_a_server_error_is_reported(deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_call(monkeypatch, "GetRoutes", "InternalFailure", 500, "oops")
    result = audit("--api-id", deployment.api_id)
    assert (result.code, result.stderr) == (1, "")
    assert "apigatewayv2:GetRoutes fails with InternalFailure: oops" in result.stdout


def test_an_unreachable_aws_is_reported(
    deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import EndpointConnectionError

    def fail_to_connect(_send: Any, event: str, request: AWSPreparedRequest) -> Any:
        raise EndpointConnectionError(endpoint_url=request.url)

    intercept_requests(monkeypatch, fail_to_connect)
    result = audit("--api-id", deployment.api_id)
    assert (result.code, result.stderr) == (1, "")
    assert "Could not connect to the endpoint URL" in result.stdout


def test_a_web_page_instead_of_a_response_is_reported(
    deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer_with_page(_send: Any, _event: str, request: AWSPreparedRequest) -> Any:
        return make_response(request, 200, "text/html", "<p>Please sign in")

    intercept_requests(monkeypatch, answer_with_page)
    result = audit("--api-id", deployment.api_id)
    assert (result.code, result.stderr) == (1, "")
    assert "RG100" in result.stdout


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"])
@pytest.mark.parametrize("operation", ["GetCallerIdentity", "GetApi"])
def test_credentials_that_aws_refuses(
    operation: str, code: str, deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_call(monkeypatch, operation, code, 403)
    result = audit("--api-id", deployment.api_id)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr == f"routegen: error: AWS credentials: AWS refuses them ({code}); run `aws sso login`\n"


def _remove_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


@pytest.mark.parametrize(
    ("prepare", "arguments", "message"),
    [
        (lambda _: None, [], "--api-id: give either --api-id ID or --api-name NAME"),
        (lambda _: None, ["--api-id", "a", "--api-name", "b"], "--api-id: give either --api-id ID or --api-name NAME"),
        (lambda _: None, ["--api-id", "nope"], "there is no HTTP API 'nope' in eu-central-1"),
        (lambda _: None, ["--api-name", "wikibt"], "no HTTP API in eu-central-1 is called 'wikibt'; the nearest are w"),
        (lambda _: None, ["--api-name", "wikibot", "--region", "eu-west-1"], "in eu-west-1 is called"),
        (lambda _: None, ["--api-name", "wikibot", "--profile", "nope"], "there is no AWS profile 'nope'"),
        (lambda _: None, ["--api-name", "wikibot", "--function", "mcp"], "--function: 'mcp' is not APP=NAME"),
        (lambda _: None, ["--api-name", "wikibot", "--function", "x=y"], "the manifest has no app 'x', only mcp, "),
        (lambda _: None, ["--api-name", "wikibot", "--region", "no such"], "AWS: "),
        (_remove_credentials, ["--api-name", "wikibot"], "AWS credentials: none are usable"),
        (lambda patch: patch.delenv("AWS_DEFAULT_REGION"), ["--api-name", "wikibot"], "--region: no AWS region"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(
    prepare: Callable[[pytest.MonkeyPatch], None],
    arguments: list[str],
    message: str,
    deployment: MotoDeployment,
    audit: Audit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare(monkeypatch)
    result = audit(*arguments)
    assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr


def test_two_apis_with_the_same_name(deployment: MotoDeployment, audit: Audit) -> None:
    other = deployment.gateway.create_api(Name="wikibot", ProtocolType="HTTP")["ApiId"]
    result = audit("--api-name", "wikibot")
    assert result.code == 2
    assert all(api in result.stderr for api in (other, deployment.api_id))
    assert audit("--api-id", deployment.api_id).code == 0


def test_a_missing_manifest_is_an_error(audit: Audit, tmp_path: Path) -> None:
    result = audit("--manifest", str(tmp_path / "no.json"), "--api-id", "x")
    assert (result.code, result.stdout, result.stderr.count("\n")) == (4, "", 1)


def test_a_stage_variable_can_name_the_function(deployment: MotoDeployment, audit: Audit) -> None:
    deployment.create_stage("v", StageVariables={"which": "wikibot-mcp"})
    uri = deployment.arns["mcp"].replace("wikibot-mcp", "${stageVariables.which}")
    deployment.integrations["mcp"] = deployment.create_integration(uri)
    for key in deployment.routes:
        if key != "$default":
            deployment.set_target(key, deployment.integrations["mcp"])
    deployment.create_domain("v.example", "v")
    rules_and_subjects = findings(audit("--api-id", deployment.api_id, "--stage", "v", "--format", "json"))
    assert rules_and_subjects == [("RG143", "v")]
    # Another stage does not have the variable, so the routes lead to no function.
    rules_and_subjects = findings(audit("--api-id", deployment.api_id, "--format", "json"))
    assert {rule for rule, _ in rules_and_subjects} == {"RG120"}


def test_an_alias_has_its_own_policy(deployment: MotoDeployment, audit: Audit) -> None:
    deployment.functions.publish_version(FunctionName="wikibot-mcp")
    for key in [key for key in deployment.routes if key != "$default"]:
        deployment.set_target(key, deployment.create_integration(f"{deployment.arns['mcp']}:1"))
    arguments = ["--api-id", deployment.api_id, "--format", "json", "--function", "mcp=wikibot-mcp:1"]
    deployment.remove_permissions("mcp")
    assert findings(audit(*arguments)) == [("RG131", "wikibot-mcp:1")]
    deployment.add_permission("mcp", f"{deployment.source}/*/*", Qualifier="1")
    assert findings(audit(*arguments)) == []
    assert findings(audit(*arguments[:-1], "mcp=wikibot-mcp")) != []


def test_the_names_of_path_variables_do_not_matter(deployment: MotoDeployment, audit: Audit) -> None:
    deployment.delete_route("ANY /mcp/{proxy+}")
    deployment.create_route("ANY /mcp/{rest+}", "mcp")
    assert audit("--api-id", deployment.api_id, "--fail-on", "warning").code == 0


def test_the_suggested_permission_has_the_account_and_the_region(deployment: MotoDeployment, audit: Audit) -> None:
    deployment.remove_permissions("mcp")
    result = audit("--api-id", deployment.api_id)
    assert f"source arn:aws:execute-api:{REGION}:{ACCOUNT}:{deployment.api_id}/*/*" in result.stdout


@pytest.mark.parametrize("format_", ["json", "github", "sarif", "junit", "text"])
def test_every_format_shows_the_finding(format_: str, deployment: MotoDeployment, audit: Audit) -> None:
    deployment.delete_route("ANY /mcp")
    result = audit("--api-name", "wikibot", "--format", format_)
    assert (result.code, result.stderr) == (1, "")
    assert "RG110" in result.stdout
    assert audit("--api-name", "wikibot", "--format", format_).stdout == result.stdout
