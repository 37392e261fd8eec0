"""Findings of every command that checks something, and the forms in which they are written.

`check`, `diff`, `prove`, `verify` and `audit` each build a `Report` of `Finding`s; `forms.write_report` writes it as
text, JSON, GitHub workflow commands, SARIF or JUnit. `rules` lists every rule once, with its id, level and title;
`pages/` has one page for each rule, which `--explain` prints.
"""

from routegen.report.finding import Finding, Level, Rule
from routegen.report.pages import page_of, rule_with_id
from routegen.report.report import FailOn, Report, Section, apply_policy, fails, has_failed

__all__ = [
    "FailOn",
    "Finding",
    "Level",
    "Report",
    "Rule",
    "Section",
    "apply_policy",
    "fails",
    "has_failed",
    "page_of",
    "rule_with_id",
]
