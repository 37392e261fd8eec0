"""A report as SARIF 2.1.0 (OASIS), for code scanning."""

from typing import Any
from urllib.parse import quote

from routegen import __version__
from routegen.report.finding import Finding, Rule
from routegen.report.pages import page_of
from routegen.report.printable import printable
from routegen.report.report import Report


def as_sarif(report: Report) -> dict[str, Any]:
    """A SARIF log with one run: each rule with its page, each finding as a result.

    An ignored finding is a result with a suppression (SARIF 2.1.0, section 3.35).
    """
    results = [_result(finding, report.file) for finding in report.findings]
    suppressions = [{"kind": "external", "justification": "--ignore"}]
    results += [_result(finding, report.file) | {"suppressions": suppressions} for finding in report.ignored]
    driver = {"name": "routegen", "version": __version__, "rules": [_rule(rule) for rule in report.rules]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    page = page_of(rule)
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "defaultConfiguration": {"level": rule.level},
        "help": {"text": page, "markdown": page},
    }


def _result(finding: Finding, file: str) -> dict[str, Any]:
    subject = printable(finding.subject)
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": subject, "kind": "resource"}]}
    if file:
        region = {"startLine": finding.line or 1}
        artifact = {"uri": quote(file, errors="surrogateescape")}
        if not file.startswith("/"):
            artifact["uriBaseId"] = "%SRCROOT%"
        location["physicalLocation"] = {"artifactLocation": artifact, "region": region}
    return {
        "ruleId": finding.rule.id,
        "level": finding.rule.level,
        "message": {"text": f"{subject}: {printable(finding.message)} {printable(finding.fix)}"},
        # Two runs agree by this on which findings are the same.
        "partialFingerprints": {"routegen/v1": f"{finding.rule.id} {subject}"},
        "locations": [location],
    }
