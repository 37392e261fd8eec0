"""A report for scripts."""

import json
from typing import Any

from routegen.report.report import Report, failed
from routegen.report.rule import Finding
from routegen.report.writers.printable import all_printable


def as_json(report: Report) -> dict[str, Any]:
    """`subject`, `failed`, `findings` (`rule`, `level`, `subject`, `happened`, `todo`), and the report's details."""
    own = {
        "subject": report.subject,
        "failed": failed(report),
        "findings": [_finding(finding) for finding in report.findings],
    }
    document: dict[str, Any] = all_printable({**own, **report.details})
    return document


def dump(document: dict[str, Any]) -> str:
    """The JSON text, two-space indent, as the commands write it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "level": finding.rule.level,
        "subject": finding.subject,
        "happened": finding.happened,
        "todo": finding.todo,
    }
