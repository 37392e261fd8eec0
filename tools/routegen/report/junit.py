"""A report as JUnit's XML, which most pipelines show as a list of tests: each rule is one."""

from xml.etree import ElementTree as ET  # only written here, never read

from routegen.report.report import Report, fails
from routegen.report.rule import Finding, Rule
from routegen.report.writers.printable import printable


def as_junit(report: Report) -> str:
    """One test suite; a test case for each finding, and one for each rule without any.

    A finding below the level that fails the run is a passed test with its text as output. There is no time and no
    date in it, so the same answers give the same file.
    """
    cases = [case for rule in report.rules for case in _cases(rule, report)]
    failures = sum(case.find("failure") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": "0"}
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", {"name": f"{report.command} {printable(report.subject)}", **counts})
    suite.extend(cases)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _cases(rule: Rule, report: Report) -> list[ET.Element]:
    found = [finding for finding in report.findings if finding.rule == rule]
    if not found:
        return [ET.Element("testcase", {"classname": rule.id, "name": rule.title})]
    return [_case(finding, failure=fails(rule.level, report.fail_on)) for finding in found]


def _case(finding: Finding, *, failure: bool) -> ET.Element:
    subject = printable(finding.subject)
    case = ET.Element("testcase", {"classname": finding.rule.id, "name": f"{finding.rule.title} {subject}"})
    happened, todo = printable(finding.happened), printable(finding.todo)
    if failure:
        said = ET.SubElement(case, "failure", {"type": finding.rule.level, "message": happened})
        said.text = f"{subject}: {happened} {todo}"
    else:
        ET.SubElement(case, "system-out").text = f"{finding.rule.level}: {subject}: {happened} {todo}"
    return case
