"""Every rule has its id, its title and its page; the list of rules in the documentation is current."""

import re
import runpy

import pytest
from helpers.support import PROJECT
from routegen.errors import ConfigError
from routegen.report import Finding, Report, Rule, apply_policy, has_failed, page_of, rule_with_id
from routegen.report.forms import FORMATS, write_report
from routegen.report.pages import FOLDER
from routegen.report.rules import AUDIT_RULES, COMPARISON_RULES, PROOF_RULES, RULES, VERIFY_RULES

SECTIONS = ["## How users notice", "## How to fix it", "## Source"]


def test_each_id_exists_once_and_in_the_range_of_its_command() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert (*VERIFY_RULES, *AUDIT_RULES, *COMPARISON_RULES, *PROOF_RULES) == RULES
    assert all(re.fullmatch(r"RG0\d\d", rule.id) for rule in VERIFY_RULES)
    assert all(re.fullmatch(r"RG1\d\d", rule.id) for rule in AUDIT_RULES)
    assert all(re.fullmatch(r"RG2\d\d", rule.id) for rule in COMPARISON_RULES)
    assert all(re.fullmatch(r"RG3\d\d", rule.id) for rule in PROOF_RULES)


def test_no_two_rules_have_the_same_title() -> None:
    assert len({rule.title for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_page_with_every_section(rule: Rule) -> None:
    page = page_of(rule)
    assert page.startswith(f"# {rule.id}: {rule.title}\n\nLevel: {rule.level}.\n\n")
    assert [line for line in page.splitlines() if line.startswith("## ")] == SECTIONS
    assert all(len(part.strip()) > 10 for part in re.split(r"^##? .*$", page, flags=re.MULTILINE)[1:-1])
    assert rule.title.endswith(".")


def test_each_page_of_verify_names_the_revisions_of_mcp() -> None:
    for rule in VERIFY_RULES:
        assert page_of(rule).splitlines()[-1].startswith("Revisions of MCP: "), rule.id


def test_every_page_belongs_to_a_rule() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {rule.id for rule in RULES}


def test_a_page_does_not_repeat_title_or_level() -> None:
    for rule in RULES:
        text = (FOLDER / f"{rule.id}.md").read_text()
        assert rule.title not in text
        assert "Level:" not in text


def test_the_list_of_rules_in_the_documentation_is_current() -> None:
    page = runpy.run_path(str(PROJECT / "dev" / "docs" / "findings_reference.py"))["reference"]()
    assert (PROJECT / "docs" / "findings.md").read_text() == page, "run `make docs`"


def test_an_unknown_id_names_the_nearest_ids() -> None:
    assert rule_with_id("rg030").id == "RG030"
    with pytest.raises(ConfigError, match=r"RG03: no rule has this id; the nearest ids are RG"):
        rule_with_id("RG03")
    with pytest.raises(ConfigError):
        rule_with_id("../rule")


@pytest.mark.parametrize("format_", FORMATS)
def test_a_hostile_text_cannot_break_a_form(format_: str) -> None:
    hostile = "\x1b[31m\r\n::error::x ]]> <a> & \u202e \ud800 \x00"
    finding = Finding(RULES[0], hostile, f"It says {hostile}.", "Do nothing.")
    report = Report("routegen verify", hostile, RULES, (finding,), details={hostile: [hostile]})
    text = write_report(report, format_)  # type: ignore[arg-type]  # it is one of FORMATS
    text.encode()
    assert all(char.isprintable() or char == "\n" for char in text)
    assert text.count("\n::error") == 0
    if format_ == "github":
        assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("level", "fail_on", "expected"),
    [("error", "error", True), ("warning", "error", False), ("warning", "warning", True), ("note", "warning", False),
     ("error", "never", False)],
)  # fmt: skip
def test_a_run_fails_at_its_level_and_above(level: str, fail_on: str, expected: bool) -> None:
    rule = Rule("RG000", level, "It is.")  # type: ignore[arg-type]  # a level
    report = Report("x", "y", (rule,), (Finding(rule, "a", "b", "c"),))
    assert has_failed(apply_policy(report, fail_on, ())) is expected  # type: ignore[arg-type]  # a level, or never


FIRST, SECOND = RULES[:2]
REPORT = Report(
    "routegen verify",
    "it",
    RULES,
    (Finding(FIRST, "a", "A message.", "A fix."), Finding(SECOND, "b", "Other.", "A fix.")),
)
IGNORING = apply_policy(REPORT, "error", (FIRST.id, SECOND.id))


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("text", f"ignored {FIRST.id}  a\nignored {SECOND.id}  b\n\nit: nothing found, 2 ignored\n"),
        ("json", f'"ignored": [\n    {{\n      "rule": "{FIRST.id}",'),
        ("github", f"::notice title=ignored%3A {FIRST.id}%3A "),
        ("sarif", '"suppressions": ['),
        ("junit", f'name="{FIRST.title} a">\n      <skipped message="ignored: A message."'),
    ],
)
def test_an_ignored_finding_is_named_as_ignored_and_fails_nothing(format_: str, expected: str) -> None:
    assert has_failed(REPORT)
    assert not has_failed(IGNORING)
    assert expected in write_report(IGNORING, format_)  # type: ignore[arg-type]  # one of FORMATS


def test_findings_with_one_fix_share_its_line() -> None:
    assert write_report(REPORT, "text") == (
        f"error   {FIRST.id}  a\n        A message.\nerror   {SECOND.id}  b\n        Other.\n        A fix.\n\n"
        "it: 2 errors\n"
    )
