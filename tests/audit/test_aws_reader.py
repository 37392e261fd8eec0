"""Reading AWS: all pages, nothing but reading, and what AWS refuses."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from audit.conftest import Audit
from audit.deployment import ACCOUNT, DOMAIN, REGION, Deployment
from audit.faults import on_the_wire, refuse, wire_answer
from botocore.awsrequest import AWSPreparedRequest
from helpers.support import PROJECT

CALLS = {
    "sts": {"GetCallerIdentity"},
    "apigatewayv2": {"GetApi", "GetApis", "GetRoutes", "GetIntegrations", "GetStages", "GetDomainNames",
                     "GetApiMappings"},
    "lambda": {"GetFunctionConfiguration", "GetPolicy"},
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Service, operation and HTTP method of every request from now on."""
    found: list[tuple[str, str, str]] = []

    def note(send: Any, event: str, request: AWSPreparedRequest) -> Any:
        _, service, operation = event.split(".")
        found.append((service, operation, f"{request.method}"))
        return send(event, request)

    on_the_wire(monkeypatch, note)
    return found


def findings(done: Any) -> list[tuple[str, str]]:
    return [(one["rule"], one["subject"]) for one in json.loads(done.stdout)["findings"]]


@pytest.mark.parametrize("by", ["id", "name"])
def test_it_only_reads(by: str, deployment: Deployment, audit: Audit, asked: list[tuple[str, str, str]]) -> None:
    asked.clear()
    arguments = ["--api-id", deployment.api_id] if by == "id" else ["--api-name", "wikibot"]
    assert audit(*arguments).code == 0
    assert asked
    for service, operation, method in asked:
        assert operation in CALLS[service]
        assert method == "GET" or service == "sts"  # whose calls are all POST


def test_the_policy_in_the_docs_allows_what_is_asked_and_no_more(
    deployment: Deployment, audit: Audit, asked: list[tuple[str, str, str]]
) -> None:
    """API Gateway's actions are HTTP methods on paths; GetCallerIdentity needs no right at all."""
    block = re.search(r"```json\n(\{\n  \"Version\".+?)```", (PROJECT / "docs" / "audit.md").read_text(), re.DOTALL)
    assert block
    allowed = {
        action
        for statement in json.loads(block[1])["Statement"]
        for action in statement["Action"]
        if statement["Effect"] == "Allow"
    }
    asked.clear()
    audit("--api-name", "wikibot")
    audit("--api-id", deployment.api_id)
    needed = {
        "apigateway:GET" if service == "apigatewayv2" else f"{service}:{operation}"
        for service, operation, _ in asked
        if service != "sts"
    }
    assert allowed == needed


def test_every_page_is_read(deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto gives all at once, so its answers are cut into pages of one here."""
    for number in range(3):
        deployment.gateway.create_api(Name=f"other{number}", ProtocolType="HTTP")
        deployment.gateway.create_domain_name(DomainName=f"other{number}.example")
    one_by_one(monkeypatch)
    done = audit("--api-name", "wikibot", "--format", "json")
    assert done.code == 0, done.stdout
    keys = [route["route_key"] for route in json.loads(done.stdout)["routes"]]
    assert keys == sorted(deployment.routes)


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def paged(send: Any, event: str, request: AWSPreparedRequest) -> Any:
        found = re.search(r"nextToken=(\d+)", f"{request.url}")
        answer = send(event, request)
        if answer is None or answer.status_code != 200 or "apigatewayv2" not in event:
            return answer
        said = json.loads(answer.content)
        if "items" not in said:
            return answer
        start = int(found[1]) if found else 0
        more = {"nextToken": f"{start + 1}"} if start + 1 < len(said["items"]) else {}
        answer._content = json.dumps({**said, "items": said["items"][start : start + 1], **more}).encode()
        return answer

    on_the_wire(monkeypatch, paged)


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
def test_a_missing_right_is_named_and_the_rest_goes_on(
    operation: str, subject: str, action: str, deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.route("GET /planted", "mcp")
    refuse(monkeypatch, operation, "AccessDeniedException", 403, "User: x is not authorized\nto perform it")
    done = audit("--api-id", deployment.api_id, "--format", "json")
    found = findings(done)
    assert done.code == 1
    assert {rule for rule, _ in found} <= {"RG100", "RG111"}
    assert found[0] == ("RG100", deployment.api_id if subject == "API" else subject)
    assert f"Allow {action} " in json.loads(done.stdout)["findings"][0]["fix"]
    assert (("RG111", "GET /planted") in found) is (operation not in {"GetApi", "GetRoutes"})


def test_throttling_is_waited_out_and_then_said(
    deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    monkeypatch.setattr("time.sleep", lambda _: None)
    tries = refuse(monkeypatch, "GetStages", "TooManyRequestsException", 429, "Too Many Requests")
    done = audit("--api-id", deployment.api_id)
    assert len(tries) == 3
    assert done.code == 1
    assert "apigatewayv2:GetStages is throttled: Too Many Requests" in done.stdout


def test_a_server_error_is_said(deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "GetRoutes", "InternalFailure", 500, "oops")
    done = audit("--api-id", deployment.api_id)
    assert (done.code, done.stderr) == (1, "")
    assert "apigatewayv2:GetRoutes fails with InternalFailure: oops" in done.stdout


def test_aws_out_of_reach(deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    def nobody(_send: Any, event: str, request: AWSPreparedRequest) -> Any:
        raise EndpointConnectionError(endpoint_url=request.url)

    on_the_wire(monkeypatch, nobody)
    done = audit("--api-id", deployment.api_id)
    assert (done.code, done.stderr) == (1, "")
    assert "Could not connect to the endpoint URL" in done.stdout


def test_a_page_in_place_of_an_answer(deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    def proxy(_send: Any, _event: str, request: AWSPreparedRequest) -> Any:
        return wire_answer(request, 200, "text/html", "<p>Please sign in")

    on_the_wire(monkeypatch, proxy)
    done = audit("--api-id", deployment.api_id)
    assert (done.code, done.stderr) == (1, "")
    assert "RG100" in done.stdout


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"])
@pytest.mark.parametrize("operation", ["GetCallerIdentity", "GetApi"])
def test_credentials_that_aws_does_not_take(
    operation: str, code: str, deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, operation, code, 403)
    done = audit("--api-id", deployment.api_id)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == f"routegen: error: AWS doesn't take the credentials ({code}): sign in again\n"


def _nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


@pytest.mark.parametrize(
    ("prepare", "arguments", "said"),
    [
        (lambda _: None, [], "give --api-id or --api-name, one of them"),
        (lambda _: None, ["--api-id", "a", "--api-name", "b"], "give --api-id or --api-name, one of them"),
        (lambda _: None, ["--api-id", "nope"], "there is no HTTP API 'nope' in eu-central-1"),
        (lambda _: None, ["--api-name", "wikibt"], "no HTTP API in eu-central-1 is called 'wikibt'; the nearest are w"),
        (lambda _: None, ["--api-name", "wikibot", "--region", "eu-west-1"], "in eu-west-1 is called"),
        (lambda _: None, ["--api-name", "wikibot", "--profile", "nope"], "there is no AWS profile 'nope'"),
        (lambda _: None, ["--api-name", "wikibot", "--function", "mcp"], "--function: 'mcp' is not APP=NAME"),
        (lambda _: None, ["--api-name", "wikibot", "--function", "x=y"], "the manifest has no app 'x', only mcp, "),
        (lambda _: None, ["--api-name", "wikibot", "--region", "no such"], "AWS: "),
        (_nothing, ["--api-name", "wikibot"], "no usable AWS credentials"),
        (lambda patch: patch.delenv("AWS_DEFAULT_REGION"), ["--api-name", "wikibot"], "no AWS region: give --region"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(
    prepare: Callable[[pytest.MonkeyPatch], None],
    arguments: list[str],
    said: str,
    deployment: Deployment,
    audit: Audit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare(monkeypatch)
    done = audit(*arguments)
    assert (done.code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_two_apis_of_one_name(deployment: Deployment, audit: Audit) -> None:
    other = deployment.gateway.create_api(Name="wikibot", ProtocolType="HTTP")["ApiId"]
    done = audit("--api-name", "wikibot")
    assert done.code == 2
    assert all(api in done.stderr for api in (other, deployment.api_id))
    assert audit("--api-id", deployment.api_id).code == 0


def test_a_manifest_that_is_not_there(audit: Audit, tmp_path: Path) -> None:
    done = audit("--manifest", str(tmp_path / "no.json"), "--api-id", "x")
    assert (done.code, done.stdout, done.stderr.count("\n")) == (4, "", 1)


def test_a_stage_s_variable_names_the_function(deployment: Deployment, audit: Audit) -> None:
    deployment.stage("v", StageVariables={"which": "wikibot-mcp"})
    named = deployment.arns["mcp"].replace("wikibot-mcp", "${stageVariables.which}")
    deployment.integrations["mcp"] = deployment.integration(named)
    for key in deployment.routes:
        if key != "$default":
            deployment.lead(key, deployment.integrations["mcp"])
    deployment.domain("v.example", "v")
    found = findings(audit("--api-id", deployment.api_id, "--stage", "v", "--format", "json"))
    assert found == [("RG143", "v")]
    # On another stage the variable is empty, and the routes lead to no function.
    found = findings(audit("--api-id", deployment.api_id, "--format", "json"))
    assert {rule for rule, _ in found} == {"RG120"}


def test_an_alias_has_a_policy_of_its_own(deployment: Deployment, audit: Audit) -> None:
    deployment.functions.publish_version(FunctionName="wikibot-mcp")
    for key in [key for key in deployment.routes if key != "$default"]:
        deployment.lead(key, deployment.integration(f"{deployment.arns['mcp']}:1"))
    chosen = ["--api-id", deployment.api_id, "--format", "json", "--function", "mcp=wikibot-mcp:1"]
    deployment.forbid("mcp")
    assert findings(audit(*chosen)) == [("RG131", "wikibot-mcp:1")]
    deployment.permit("mcp", f"{deployment.source}/*/*", Qualifier="1")
    assert findings(audit(*chosen)) == []
    assert findings(audit(*chosen[:-1], "mcp=wikibot-mcp")) != []


def test_names_of_variables_do_not_matter(deployment: Deployment, audit: Audit) -> None:
    deployment.remove("ANY /mcp/{proxy+}")
    deployment.route("ANY /mcp/{rest+}", "mcp")
    assert audit("--api-id", deployment.api_id, "--fail-on", "warning").code == 0


def test_the_account_and_region_are_the_deployment_s(deployment: Deployment, audit: Audit) -> None:
    deployment.forbid("mcp")
    done = audit("--api-id", deployment.api_id)
    assert f"source arn:aws:execute-api:{REGION}:{ACCOUNT}:{deployment.api_id}/*/*" in done.stdout


@pytest.mark.parametrize("format_", ["json", "github", "sarif", "junit", "text"])
def test_every_form(format_: str, deployment: Deployment, audit: Audit) -> None:
    deployment.remove("ANY /mcp")
    done = audit("--api-name", "wikibot", "--format", format_)
    assert (done.code, done.stderr) == (1, "")
    assert "RG110" in done.stdout
    assert audit("--api-name", "wikibot", "--format", format_).stdout == done.stdout
