"""The result of one run of a command: what it checked and what it found."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from routegen.report.finding import Finding, Level, Rule

FailOn = Literal["error", "warning", "never"]
"""The lowest level at which a finding fails the run."""

_SEVEREST_FIRST: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Section:
    """A table in the text form of a report.

    Attributes:
        title: the heading of the table.
        rows: the cells of each row; the columns are as wide as their longest cell.
    """

    title: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """What a run has checked and found.

    Attributes:
        command: the command, such as `routegen verify`.
        subject: the URL, file or API that was checked.
        rules: every rule that the command checks, in the order of the ids.
        findings: the findings, in the order in which a person should read them.
        success: what the text form says when there is no finding.
        sections: tables for people.
        details: further data for programs, of JSON's types only.
        file: the file that the findings' lines are in, relative to the repository; empty where there is none.
        fail_on: the lowest level at which a finding fails the run.
        ignored: findings that the user has asked to ignore; they never fail the run.
    """

    command: str
    subject: str
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    success: str = "nothing found"
    sections: tuple[Section, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    fail_on: FailOn = "error"
    ignored: tuple[Finding, ...] = ()


def apply_policy(report: Report, fail_on: FailOn, ignored_rules: Collection[str]) -> Report:
    """The same report with the user's `--fail-on` and `--ignore`.

    Args:
        report: a report without ignored findings.
        fail_on: the lowest level at which a finding fails the run.
        ignored_rules: ids of rules whose findings are set apart as ignored.
    """
    return replace(
        report,
        fail_on=fail_on,
        findings=tuple(finding for finding in report.findings if finding.rule.id not in ignored_rules),
        ignored=tuple(finding for finding in report.findings if finding.rule.id in ignored_rules),
    )


def fails(level: Level, fail_on: FailOn) -> bool:
    """Whether a finding of this level fails the run."""
    return fail_on != "never" and _SEVEREST_FIRST.index(level) <= _SEVEREST_FIRST.index(fail_on)


def has_failed(report: Report) -> bool:
    """Whether any finding is at or above the level at which the run fails."""
    return any(fails(finding.rule.level, report.fail_on) for finding in report.findings)
