"""A report as SARIF 2.1.0 (OASIS), for code scanning."""

from collections.abc import Iterable
from typing import Any

from routegen import __version__
from routegen.report.page import known_ids, page_of
from routegen.report.report import Report
from routegen.report.rule import Finding, Rule
from routegen.report.writers.printable import printable


def as_sarif(report: Report) -> dict[str, Any]:
    """A log with one run, its rules with their pages."""
    return log(report.rules, [_result(finding, report.file) for finding in report.findings])


def log(rules: Iterable[Rule], results: list[dict[str, Any]]) -> dict[str, Any]:
    """The frame around results: one run of routegen, with the rules that it knows."""
    explained = set(known_ids())
    driver = {"name": "routegen", "version": __version__, "rules": [_rule(rule, explained) for rule in rules]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def result(rule: Rule, subject: str, message: str) -> dict[str, Any]:
    """A result without its place.

    Args:
        rule: what it falls under.
        subject: what it is about: two runs over one thing agree on what is the same finding.
        message: what it says.
    """
    return {
        "ruleId": rule.id,
        "level": rule.level,
        "message": {"text": message},
        "partialFingerprints": {"routegen/v1": f"{rule.id} {subject}"},
    }


def place(file: str, line: int) -> dict[str, Any]:
    """Where in a file it stands."""
    return {"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": line}}}


def _rule(rule: Rule, explained: set[str]) -> dict[str, Any]:
    said = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "defaultConfiguration": {"level": rule.level},
    }
    page = page_of(rule.id) if rule.id in explained else ""
    return said | ({"help": {"text": page, "markdown": page}} if page else {})


def _result(finding: Finding, file: str) -> dict[str, Any]:
    subject = printable(finding.subject)
    message = f"{subject}: {printable(finding.happened)} {printable(finding.todo)}"
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": subject, "kind": "resource"}]}
    if file:
        location |= place(file, finding.line or 1)
    return result(finding.rule, subject, message) | {"locations": [location]}
