"""A rule, and a finding that falls under it. Both are data only."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]
"""How severe a finding is, in the words of SARIF (2.1.0, section 3.27.10)."""


@dataclass(frozen=True)
class Rule:
    """A kind of problem that a command looks for.

    Attributes:
        id: a stable id, such as `RG001`; `pages/ID.md` explains the rule.
        level: how severe the problem is.
        title: the problem in one sentence.
    """

    id: str
    level: Level
    title: str


@dataclass(frozen=True)
class Finding:
    """One problem that a command has found.

    Attributes:
        rule: the rule that the problem falls under.
        subject: the URL, route key, path or function that has the problem.
        message: what happened, in one or two sentences with the facts.
        fix: what to do, as exactly as is known.
        line: the line in the report's file, from 1; None where the finding has no line.
    """

    rule: Rule
    subject: str
    message: str
    fix: str
    line: int | None = None
