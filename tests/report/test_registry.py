"""Every rule has its id, its words and its page; the pages and the document about them are current."""

import re
import runpy

import pytest
from helpers.support import PROJECT
from routegen.audit.rules import RULES as AUDIT
from routegen.errors import ConfigError
from routegen.report import Finding, Report, Rule, failed, known_ids, page_of
from routegen.report.writers import FORMATS, write
from routegen.verify.rules import RULES as VERIFY

RULES = (*VERIFY, *AUDIT)
SECTIONS = ["## How users notice", "## How to mend it", "## Source"]


def test_ids_are_sorted_and_each_there_once() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"RG0\d\d", rule.id) for rule in VERIFY)
    assert all(re.fullmatch(r"RG1\d\d", rule.id) for rule in AUDIT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_its_page(rule: Rule) -> None:
    page = page_of(rule.id)
    assert page.startswith(f"# {rule.id}: {rule.title}\n\nLevel: {rule.level}.\n\n")
    assert [line for line in page.splitlines() if line.startswith("## ")] == SECTIONS
    assert all(len(part.strip()) > 10 for part in re.split(r"^##? .*$", page, flags=re.MULTILINE)[1:-1])
    assert rule.title.endswith(".")


def test_a_page_belongs_to_a_rule() -> None:
    assert {*known_ids()} == {rule.id for rule in RULES}


def test_the_document_is_current() -> None:
    made = runpy.run_path(str(PROJECT / "dev" / "docs" / "findings_reference.py"))["reference"]()
    assert (PROJECT / "docs" / "findings.md").read_text() == made, "run `make docs`"


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no rule has the id 'RG03'; the nearest known ones are RG"):
        page_of("RG03")
    with pytest.raises(ConfigError):
        page_of("../rule")


@pytest.mark.parametrize("format_", FORMATS)
def test_what_a_server_says_cannot_break_a_form(format_: str) -> None:
    nasty = "\x1b[31m\r\n::error::x ]]> <a> & \u202e \ud800 \x00"
    finding = Finding(RULES[0], nasty, f"It says {nasty}.", "Don't.")
    report = Report("routegen verify", nasty, RULES, (finding,), details={nasty: [nasty]})
    text = write(report, format_)  # type: ignore[arg-type]  # it is one of FORMATS
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
def test_what_fails_a_run(level: str, fail_on: str, expected: bool) -> None:
    rule = Rule("RG000", level, "It is.")  # type: ignore[arg-type]  # a level
    report = Report("x", "y", (rule,), (Finding(rule, "a", "b", "c"),), fail_on)  # type: ignore[arg-type]  # as above
    assert failed(report) is expected
