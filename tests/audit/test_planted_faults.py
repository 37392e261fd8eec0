"""Each rule is found where it is planted, and nothing else is."""

import json

import pytest
from audit.conftest import Audit
from audit.deployment import Deployment
from audit.faults import FAULTS, TOGETHER, planted
from routegen.report.rules import AUDIT_RULES, NOT_READ


def test_what_the_manifest_says_has_nothing_wrong(deployment: Deployment, audit: Audit) -> None:
    done = audit("--api-id", deployment.api_id, "--fail-on", "warning")
    assert (done.code, done.stderr) == (0, "")
    assert f"wikibot ({deployment.api_id}): nothing found" in done.stdout


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_nothing_else(
    name: str, deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = FAULTS[name]
    done = audit(*planted(deployment, fault, monkeypatch), "--format", "json")
    found = json.loads(done.stdout)["findings"]
    assert [one["rule"] for one in found] == [fault.rule.id], found
    assert done.code == (1 if fault.rule.level == "error" else 0)
    if fault.subject:
        assert found[0]["subject"] == fault.subject


@pytest.mark.parametrize("name", TOGETHER)
def test_a_fault_with_others(name: str, deployment: Deployment, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = TOGETHER[name]
    found = json.loads(audit(*planted(deployment, fault, monkeypatch), "--format", "json").stdout)["findings"]
    assert fault.rule.id in {one["rule"] for one in found}


def test_every_rule_has_its_fault() -> None:
    planted_ = {fault.rule for fault in (*FAULTS.values(), *TOGETHER.values())}
    assert planted_ == {*AUDIT_RULES} - {NOT_READ}  # that one is test_reading's
