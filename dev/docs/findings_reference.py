"""Writes docs/findings.md from the rules' pages; `make docs` runs it, a test checks that the file is current."""

import os
import re
from pathlib import Path

from routegen.report import known_ids, page_of

FILE = Path(__file__).parents[2] / "docs" / "findings.md"
_PAGES = Path(__file__).parents[2] / "tools" / "routegen" / "report" / "pages"
_HEAD = """\
# What verify and audit can find

<!-- Written by dev/docs/findings_reference.py from the pages of the rules: `make docs`. -->

Ids are stable. `routegen verify --explain RG030` shows a page without the network. `verify` has RG001 to RG099, `audit`
RG100 and above.

| id | level | what |
|---|---|---|
"""
_PAGE = re.compile(r"# \w+: (?P<title>.+)\n\nLevel: (?P<level>\w+)\.\n")


def reference() -> str:
    """The whole page, Markdown."""
    return _HEAD + "".join(map(_row, known_ids()))


def _row(rule_id: str) -> str:
    page = _PAGE.match(page_of(rule_id))
    if page is None:
        raise ValueError(f"{rule_id}.md doesn't begin with its title and level")
    link = os.path.relpath(_PAGES / f"{rule_id}.md", FILE.parent)
    return f"| [{rule_id}]({link}) | {page['level']} | {page['title']} |\n"


if __name__ == "__main__":
    FILE.write_text(reference())
