"""The audit finds each planted fault, and reports nothing else."""

import json

import pytest
from audit.conftest import Audit
from audit.faults import COMBINED_FAULTS, FAULTS, plant_fault
from audit.moto_deployment import MotoDeployment
from routegen.report.rules import AUDIT_RULES, NOT_READ


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
