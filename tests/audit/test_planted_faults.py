"""The audit finds each planted fault, and reports nothing else."""

import json
from pathlib import Path

import pytest
from audit.conftest import Audit
from audit.faults import COMBINED_FAULTS, FAULTS, plant_fault
from audit.moto_deployment import MANIFEST, MotoDeployment
from routegen.manifest import dump_manifest, read_manifest
from routegen.report.rules import AUDIT_RULES, NOT_READ, ROUTE_EXTRA, ROUTE_NOT_DEPLOYED


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


def test_every_rule_has_a_planted_fault() -> None:
    planted_rules = {fault.rule for fault in (*FAULTS.values(), *COMBINED_FAULTS.values())}
    assert planted_rules == {*AUDIT_RULES} - {NOT_READ}  # test_aws_reader.py tests this rule
