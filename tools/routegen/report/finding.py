"""A rule and a finding under it: data only."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]
"""SARIF's words (2.1.0, section 3.27.10)."""


@dataclass(frozen=True)
class Rule:
    """A kind of thing that can be wrong.

    Attributes:
        id: stable; `pages/ID.md` explains it where it is one of `verify`'s or `audit`'s.
        level: how much it matters.
        title: what it is, in one sentence.
    """

    id: str
    level: Level
    title: str


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        rule: what kind of thing.
        subject: what it is about: a URL, a route key, a function's name.
        happened: one sentence, with the facts.
        todo: one sentence: what to do, as exact as is known.
        line: where it stands in the report's file, from 1; None where it stands nowhere.
    """

    rule: Rule
    subject: str
    happened: str
    todo: str
    line: int | None = None
