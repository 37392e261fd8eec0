"""A report for people."""

from collections import Counter

from routegen.report.report import Report, Section
from routegen.report.rule import Finding
from routegen.report.writers import Paint
from routegen.report.writers.printable import printable


def as_text(report: Report, paint: Paint) -> str:
    """The sections, the findings with three lines each, and how many there are."""
    parts = [_section(section, paint) for section in report.sections if section.rows]
    parts += [_finding(finding, paint) for finding in report.findings]
    return "\n".join([*parts, f"{printable(report.subject)}: {summary(report)}\n"])


def summary(report: Report) -> str:
    """How many findings of each level, e.g. `1 error, 2 notes`."""
    counts = Counter(finding.rule.level for finding in report.findings)
    said = [
        f"{counts[level]} {level}{'s' * (counts[level] > 1)}" for level in ("error", "warning", "note") if counts[level]
    ]
    return ", ".join(said) or "nothing found"


def _finding(finding: Finding, paint: Paint) -> str:
    rule = finding.rule
    head = f"{paint(rule.level, f'{rule.level:<7}')} {rule.id}  {printable(finding.subject)}"
    return f"{head}\n        {printable(finding.happened)}\n        {printable(finding.todo)}\n"


def _section(section: Section, paint: Paint) -> str:
    rows = [[printable(cell) for cell in row] for row in section.rows]
    columns = max(map(len, rows))
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(columns)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    return "".join(f"{line}\n" for line in [paint("title", section.title), *(f"  {line}" for line in lines)])
