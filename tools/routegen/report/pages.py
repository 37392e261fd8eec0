"""The page that explains a rule. Pages are files of the package, so reading one needs no network."""

import difflib
from pathlib import Path

from routegen.errors import ConfigError
from routegen.report.finding import Rule
from routegen.report.rules import RULES

FOLDER = Path(__file__).with_name("pages")


def rule_with_id(rule_id: str) -> Rule:
    """Find a rule by its id.

    Args:
        rule_id: in capitals or not.

    Raises:
        ConfigError: no rule has that id; the message names the nearest ids.
    """
    rules = {rule.id: rule for rule in RULES}
    if rule := rules.get(rule_id.upper()):
        return rule
    nearest = difflib.get_close_matches(rule_id.upper(), rules, n=3, cutoff=0.0)
    raise ConfigError(f"{rule_id}: no rule has this id; the nearest ids are {', '.join(nearest)}")


def page_of(rule: Rule) -> str:
    """The rule's page in Markdown: its title and level, then meaning, symptoms, remedy and source."""
    text = (FOLDER / f"{rule.id}.md").read_text("utf-8")
    return f"# {rule.id}: {rule.title}\n\nLevel: {rule.level}.\n\n{text}"
