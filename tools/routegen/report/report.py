"""All that a run has found, ready to be written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from routegen.report.rule import Finding, Level, Rule

FailOn = Literal["error", "warning", "never"]
"""The lowest level with which a run fails."""

_ORDER: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Section:
    """A table of the text report.

    Attributes:
        title: what stands above it.
        rows: its cells; the columns are as wide as they need to be.
    """

    title: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """What a run has looked at and what it has found.

    Attributes:
        command: what made it, e.g. `routegen verify`.
        subject: what it has looked at: a URL, an API's id.
        rules: every rule that it has looked for, in the order of their ids.
        findings: what it has found, in the order in which it is to be read.
        fail_on: from which level on a finding fails the run.
        sections: what else a person wants to see.
        details: what else a program wants to see: JSON's types only.
        file: the file that the findings' lines are in, relative to the repository; empty for none.
    """

    command: str
    subject: str
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    fail_on: FailOn = "error"
    sections: tuple[Section, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""


def fails(level: Level, fail_on: FailOn) -> bool:
    """Whether a finding of this level fails a run."""
    return fail_on != "never" and _ORDER.index(level) <= _ORDER.index(fail_on)


def failed(report: Report) -> bool:
    """Whether the run has failed: some finding is of the level that it fails on, or above it."""
    return any(fails(finding.rule.level, report.fail_on) for finding in report.findings)
