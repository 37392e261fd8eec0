"""Write docs/findings.md from the rules. `make docs` runs this file, and a test checks that the page is current."""

import os
from pathlib import Path

from routegen.report.pages import FOLDER
from routegen.report.rules import AUDIT_RULES, COMPARISON_RULES, PROOF_RULES, VERIFY_RULES

FILE = Path(__file__).parents[2] / "docs" / "findings.md"
_INTRODUCTION = """\
# Findings

<!-- Written by dev/docs/findings_reference.py: `make docs`. -->

Each finding of a command falls under a rule with a stable id. `routegen verify --explain RG030` shows the page of a
rule without the network; the other commands have the same option. With `--ignore RG027`, findings of that rule are
listed as ignored and do not fail the command.
"""
_GROUPS = (
    ("`check` and `diff`", COMPARISON_RULES),
    ("`prove`", PROOF_RULES),
    ("`verify`", VERIFY_RULES),
    ("`audit`", AUDIT_RULES),
)


def reference() -> str:
    """The whole page in Markdown."""
    text = _INTRODUCTION
    for title, rules in _GROUPS:
        text += f"\n## {title}\n\n| id | level | finding |\n|---|---|---|\n"
        for rule in rules:
            link = os.path.relpath(FOLDER / f"{rule.id}.md", FILE.parent)
            text += f"| [{rule.id}]({link}) | {rule.level} | {rule.title} |\n"
    return text


if __name__ == "__main__":
    FILE.write_text(reference())
