"""A report as JUnit XML, which most pipelines show as a list of tests: each rule is a test."""

from xml.etree import ElementTree as ET  # only written here, never read

from routegen.report.finding import Finding, Rule
from routegen.report.printable import printable
from routegen.report.report import Report, fails


def as_junit(report: Report) -> str:
    """One test suite with a test case for each finding, and one for each rule without a finding.

    A finding below the level that fails the run is a passed test with its text as output. An ignored finding is a
    skipped test.
    """
    cases = [case for rule in report.rules for case in _cases(rule, report)]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(len(report.ignored)),
    }
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", {"name": f"{report.command} {printable(report.subject)}", **counts})
    suite.extend(cases)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _cases(rule: Rule, report: Report) -> list[ET.Element]:
    failure = fails(rule.level, report.fail_on)
    cases = [_case(finding, failure=failure) for finding in report.findings if finding.rule == rule]
    cases += [_skipped_case(finding) for finding in report.ignored if finding.rule == rule]
    return cases or [ET.Element("testcase", {"classname": rule.id, "name": rule.title})]


def _case(finding: Finding, *, failure: bool) -> ET.Element:
    case = _empty_case(finding)
    subject, message, fix = map(printable, (finding.subject, finding.message, finding.fix))
    if failure:
        element = ET.SubElement(case, "failure", {"type": finding.rule.level, "message": message})
        element.text = f"{subject}: {message} {fix}"
    else:
        ET.SubElement(case, "system-out").text = f"{finding.rule.level}: {subject}: {message} {fix}"
    return case


def _skipped_case(finding: Finding) -> ET.Element:
    case = _empty_case(finding)
    ET.SubElement(case, "skipped", {"message": f"ignored: {printable(finding.message)}"})
    return case


def _empty_case(finding: Finding) -> ET.Element:
    name = f"{finding.rule.title} {printable(finding.subject)}"
    return ET.Element("testcase", {"classname": finding.rule.id, "name": name})
