"""A report as text, for people."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby

from routegen.report.finding import Finding
from routegen.report.printable import printable
from routegen.report.report import Report, Section

Paint = Callable[[str, str], str]
"""Colours a word (its second argument) by its kind (the first), or leaves the word as it is."""

_INDENT = " " * 8


def as_text(report: Report, paint: Paint) -> str:
    """The sections, the findings, and a last line with the number of findings."""
    parts = [_section(section, paint) for section in report.sections if section.rows]
    parts += _findings(report, paint)
    if report.ignored:
        parts.append(
            "".join(f"ignored {finding.rule.id}  {printable(finding.subject)}\n" for finding in report.ignored)
        )
    return "\n".join([*parts, f"{printable(report.subject)}: {summary(report)}\n"])


def summary(report: Report) -> str:
    """The number of findings of each level, such as `1 error, 2 notes, 1 ignored`."""
    counts = Counter(finding.rule.level for finding in report.findings)
    parts = [
        f"{counts[level]} {level}{'s' * (counts[level] > 1)}" for level in ("error", "warning", "note") if counts[level]
    ]
    ignored = [f"{len(report.ignored)} ignored"] if report.ignored else []
    return ", ".join([*(parts or [report.success]), *ignored])


def _findings(report: Report, paint: Paint) -> Iterator[str]:
    """Each finding with its message; consecutive findings with one fix share the line that says it."""
    for fix, findings in groupby(report.findings, key=lambda finding: finding.fix):
        blocks = [_finding(finding, paint) for finding in findings]
        yield "".join(blocks) + (f"{_INDENT}{printable(fix)}\n" if fix else "")


def _finding(finding: Finding, paint: Paint) -> str:
    rule = finding.rule
    heading = f"{paint(rule.level, f'{rule.level:<7}')} {rule.id}  {printable(finding.subject)}"
    return f"{heading}\n{_INDENT}{printable(finding.message)}\n"


def _section(section: Section, paint: Paint) -> str:
    rows = [[printable(cell) for cell in row] for row in section.rows]
    columns = max(map(len, rows))
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(columns)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    return "".join(f"{line}\n" for line in [paint("title", section.title), *(f"  {line}" for line in lines)])
