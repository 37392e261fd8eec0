"""A report as GitHub's workflow commands, which annotate a run and, where there is a file, its lines."""

from routegen.report.report import Report
from routegen.report.rule import Level
from routegen.report.writers.printable import printable

_COMMANDS: dict[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(report: Report) -> str:
    """One workflow command a finding."""
    lines = []
    for finding in report.findings:
        line = finding.line or 1
        message = printable(f"{finding.subject}: {finding.happened} {finding.todo}")
        title = f"{finding.rule.id}: {finding.rule.title}"
        lines.append(command(finding.rule.level, title, message, report.file, line))
    return "".join(lines)


def command(level: Level, title: str, message: str, file: str = "", line: int = 1) -> str:
    """One workflow command (GitHub, "Workflow commands for GitHub Actions"), a line.

    Args:
        level: how much it matters.
        title: what stands above the message.
        message: the message.
        file: the file to annotate, relative to the repository; empty for the run itself.
        line: of the file, from 1.
    """
    where = f"file={_property(file)},line={line}," if file else ""
    return f"::{_COMMANDS[level]} {where}title={_property(title)}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
