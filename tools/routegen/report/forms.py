"""The written forms of a report.

Texts in a report come from servers that may be hostile, so every form shows a character that does not print as its
escape. The same report gives the same bytes: no form contains a time, a date or the name of a machine.
"""

from collections.abc import Callable
from typing import Literal

from routegen.report.as_json import as_json, dump_json
from routegen.report.github import as_github
from routegen.report.junit import as_junit
from routegen.report.report import Report
from routegen.report.sarif import as_sarif
from routegen.report.text import Paint, as_text

Format = Literal["text", "json", "github", "sarif", "junit"]

_WRITERS: dict[Format, Callable[[Report], str]] = {
    "json": lambda report: dump_json(as_json(report)),
    "github": as_github,
    "sarif": lambda report: dump_json(as_sarif(report)),
    "junit": as_junit,
}
FORMATS: tuple[Format, ...] = ("text", *_WRITERS)


def write_report(report: Report, format_: Format, paint: Paint = lambda _, word: word) -> str:
    """Write a report in one form, with a final newline.

    Args:
        report: the report.
        format_: one of `FORMATS`.
        paint: colours a word (its second argument) by its kind (the first); only `text` has colours.
    """
    return as_text(report, paint) if format_ == "text" else _WRITERS[format_](report)
