"""A report as JSON, for scripts."""

import json
from typing import Any

from routegen.report.finding import Finding
from routegen.report.printable import all_printable
from routegen.report.report import Report, has_failed


def as_json(report: Report) -> dict[str, Any]:
    """One object with `subject`, `failed`, `findings`, `ignored` and the report's details.

    Each finding has `rule`, `level`, `subject`, `message` and `fix`.
    """
    summary = {
        "subject": report.subject,
        "failed": has_failed(report),
        "findings": [_finding(finding) for finding in report.findings],
        "ignored": [_finding(finding) for finding in report.ignored],
    }
    document: dict[str, Any] = all_printable({**summary, **report.details})
    return document


def dump_json(document: dict[str, Any]) -> str:
    """The JSON text with a two-space indent, as every command writes it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "level": finding.rule.level,
        "subject": finding.subject,
        "message": finding.message,
        "fix": finding.fix,
    }
