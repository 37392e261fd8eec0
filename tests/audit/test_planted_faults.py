"""The audit finds each planted fault, and reports nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from audit.conftest import Audit
from audit.faults import (
    COMBINED_FAULTS,
    FAULTS,
    change_response,
    intercept_requests,
    make_response,
    plant_fault,
)
from audit.moto_deployment import DOMAIN, MANIFEST, MotoDeployment
from helpers.moto_account import REGION
from routegen.audit.api_deployment import ApiDeployment, ApiMapping, CustomDomain, DeployedApi
from routegen.audit.entrances import check_domains
from routegen.manifest import dump_manifest, read_manifest
from routegen.report.rules import AUDIT_RULES, NO_PERMISSION, NOT_READ, ROUTE_EXTRA, ROUTE_NOT_DEPLOYED


def test_the_deployed_manifest_has_no_findings(deployment: MotoDeployment, audit: Audit) -> None:
    result = audit("--api-id", deployment.api_id, "--fail-on", "warning")
    assert (result.code, result.stderr) == (0, "")
    assert f"wikibot ({deployment.api_id}): nothing found" in result.stdout


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_nothing_else(
    name: str, deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = FAULTS[name]
    result = audit(*plant_fault(deployment, fault, monkeypatch), "--format", "json")
    findings = json.loads(result.stdout)["findings"]
    assert [finding["rule"] for finding in findings] == [fault.rule.id], findings
    assert result.code == (1 if fault.rule.level == "error" else 0)
    if fault.subject:
        assert findings[0]["subject"] == fault.subject


def test_a_missing_reserved_route_says_what_clients_get_instead(deployment: MotoDeployment, audit: Audit) -> None:
    key = "ANY /.well-known/openid-configuration"
    deployment.delete_route(key)
    (finding,) = json.loads(audit("--api-id", deployment.api_id, "--format", "json").stdout)["findings"]
    assert (finding["rule"], finding["subject"]) == (ROUTE_NOT_DEPLOYED.id, key)
    assert finding["message"] == (
        f"{key} is not deployed: the path is reserved for the 404 of mcp (MCP clients ask here about /mcp), and "
        "otterwiki gets its requests; clients read a page of otterwiki as the document (openid-configuration)."
    )


@pytest.fixture
def without_default(tmp_path: Path) -> Path:
    """The file of the manifest without its default app."""
    file = tmp_path / "routes.json"
    file.write_bytes(dump_manifest(read_manifest(MANIFEST).model_copy(update={"default": None})))
    return file


def test_without_a_default_app_a_default_route_is_an_additional_route(
    without_default: Path, deployment: MotoDeployment, audit: Audit
) -> None:
    result = audit("--api-id", deployment.api_id, "--manifest", str(without_default), "--format", "json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["rule"], finding["subject"]) == (ROUTE_EXTRA.id, "$default")


def test_without_a_default_app_a_missing_default_route_is_no_finding(without_default: Path, audit: Audit) -> None:
    deployment = MotoDeployment(read_manifest(without_default)).create()
    arguments = ("--api-id", deployment.api_id, "--manifest", str(without_default), "--format", "json")
    assert json.loads(audit(*arguments).stdout)["findings"] == []
    deployment.delete_route("ANY /mcp")
    (finding,) = json.loads(audit(*arguments).stdout)["findings"]
    assert finding["message"] == (
        "ANY /mcp is not deployed: API Gateway answers the requests of mcp (mcp-endpoint) with 404."
    )


@pytest.mark.parametrize("name", COMBINED_FAULTS)
def test_a_combined_fault_is_found(
    name: str, deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = COMBINED_FAULTS[name]
    findings = json.loads(audit(*plant_fault(deployment, fault, monkeypatch), "--format", "json").stdout)["findings"]
    assert fault.rule.id in {finding["rule"] for finding in findings}
    if fault.subject:
        assert [finding["subject"] for finding in findings if finding["rule"] == fault.rule.id] == [fault.subject]


def test_every_rule_has_a_planted_fault() -> None:
    planted_rules = {fault.rule for fault in (*FAULTS.values(), *COMBINED_FAULTS.values())}
    assert planted_rules == {*AUDIT_RULES} - {NOT_READ}  # test_aws_reader.py tests this rule


def test_a_domain_with_mutual_tls_beside_an_open_one_is_no_finding(
    deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.create_domain("internal.wikibot.io")

    def close(response: dict[str, Any]) -> None:
        for item in response["items"]:
            if item["domainName"] == "internal.wikibot.io":
                item["mutualTlsAuthentication"] = {"truststoreUri": "s3://b/ca.pem"}

    change_response(monkeypatch, "GetDomainNames", close)
    assert audit("--api-id", deployment.api_id).code == 0
    assert audit("--api-id", deployment.api_id, "--domain", DOMAIN).code == 0
    assert audit("--api-id", deployment.api_id, "--domain", "internal.wikibot.io").code == 1


@pytest.mark.parametrize("name", ["wikibot.example", "https://WikiBot.example/", "wikibot.example:443"])
def test_a_domain_can_be_written_as_a_url(name: str, deployment: MotoDeployment, audit: Audit) -> None:
    deployment.create_domain("wikibot.example")
    assert audit("--api-id", deployment.api_id, "--domain", name).code == 0


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("tools.wikibot.example", []),
        ("a.tools.wikibot.example", ["a.tools.wikibot.example is no custom domain of this account and region."]),
        ("other.wikibot.example", ["other.wikibot.example has no mapping."]),
    ],
)
def test_a_wildcard_domain_is_the_domain_of_every_name_with_one_more_label(name: str, messages: list[str]) -> None:
    """moto finds no wildcard domain by its name, so the data is made here."""
    api = DeployedApi(api_id="a1b2c3", name="wikibot", protocol_type="HTTP")
    domains = ("*.wikibot.example", "other.wikibot.example")
    found = ApiDeployment(
        arn="",
        api=api,
        domains=tuple(CustomDomain(domain_name=domain) for domain in domains),
        mappings=(ApiMapping(domain_name=domains[0], api_id="a1b2c3", stage="$default"),),
    )
    assert [finding.message for finding in check_domains(found, api, "$default", name)] == messages


def test_the_report_lists_the_domains_that_lead_to_the_stage(deployment: MotoDeployment, audit: Audit) -> None:
    deployment.create_domain("prod.wikibot.io", key="app")
    lines = audit("--api-id", deployment.api_id).stdout.splitlines()
    assert f"  https://{DOMAIN}/" in lines
    assert "  https://prod.wikibot.io/app" in lines


def test_the_region_is_that_of_the_aws_cli(
    deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert "in us-east-1" in audit("--api-id", deployment.api_id).stderr
    monkeypatch.setenv("AWS_REGION", "")
    assert "in us-east-1" in audit("--api-id", deployment.api_id).stderr
    monkeypatch.setenv("AWS_REGION", REGION)
    assert audit("--api-id", deployment.api_id).code == 0
    assert "in us-east-1" in audit("--api-id", deployment.api_id, "--region", "us-east-1").stderr


def test_a_permission_without_the_alias_is_named(
    deployment: MotoDeployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_alias(send: Any, event: str, request: Any) -> Any:  # moto has one policy for all aliases
        if event.endswith(".GetPolicy") and "Qualifier=live" in request.url:
            body = '{"__type": "ResourceNotFoundException"}'
            return make_response(request, 404, "application/json", body, "ResourceNotFoundException")
        return send(event, request)

    intercept_requests(monkeypatch, refuse_alias)
    deployment.functions.publish_version(FunctionName="wikibot-mcp")
    deployment.functions.create_alias(FunctionName="wikibot-mcp", Name="live", FunctionVersion="1")
    integration = deployment.create_integration(f"{deployment.arns['mcp']}:live")
    for key in deployment.routes:
        if key != "$default":
            deployment.set_target(key, integration)
    findings = json.loads(audit("--api-id", deployment.api_id, "--format", "json").stdout)["findings"]
    assert [(finding["rule"], finding["fix"]) for finding in findings] == [
        (NO_PERMISSION.id, "The function has the permission without the alias; add it with --qualifier live.")
    ]


def test_a_mapping_that_restores_the_challenge_is_no_finding(deployment: MotoDeployment, audit: Audit) -> None:
    mapping = {"401": {"overwrite:header.WWW-Authenticate": "Bearer"}}
    integration = deployment.create_integration(deployment.arns["mcp"], ResponseParameters=mapping)
    deployment.set_target("ANY /mcp", integration)
    assert audit("--api-id", deployment.api_id, "--fail-on", "warning").code == 0
