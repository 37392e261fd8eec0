"""What `verify` and `audit` report: rules with stable ids, findings that name the facts, and their written forms.

In: a `Report`, which is data. Out: text, JSON, GitHub's workflow commands, SARIF or JUnit, from `writers.write`. Every
rule has a page in `pages`, which `--explain` prints. Imports nothing of routegen's but its errors and its version.
"""

from routegen.report.page import known_ids, page_of
from routegen.report.report import FailOn, Report, Section, failed, fails
from routegen.report.rule import Finding, Level, Rule

__all__ = [
    "FailOn",
    "Finding",
    "Level",
    "Report",
    "Rule",
    "Section",
    "failed",
    "fails",
    "known_ids",
    "page_of",
]
