"""A report as GitHub workflow commands, which annotate a run and, where the report has a file, its lines.

Source: GitHub, "Workflow commands for GitHub Actions".
"""

from routegen.report.finding import Finding, Level
from routegen.report.printable import printable
from routegen.report.report import Report

_COMMANDS: dict[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(report: Report) -> str:
    """One workflow command for each finding, one for each ignored finding."""
    lines = [_command(report, finding, _COMMANDS[finding.rule.level]) for finding in report.findings]
    lines += [_command(report, finding, "notice", "ignored: ") for finding in report.ignored]
    return "".join(lines)


def _command(report: Report, finding: Finding, command: str, prefix: str = "") -> str:
    location = f"file={_property(report.file)},line={finding.line or 1}," if report.file else ""
    title = _property(f"{prefix}{finding.rule.id}: {finding.rule.title}")
    message = _data(printable(f"{finding.subject}: {finding.message} {finding.fix}"))
    return f"::{command} {location}title={title}::{message}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
