"""The forms of a report: `write` is the one entry; each form has a file of its own.

Texts come from servers that may be hostile, so a character that doesn't print is shown as its escape in every form.
The same report gives the same bytes: no time, no date, no machine's name.
"""

from collections.abc import Callable
from typing import Literal

from routegen.report.report import Report

Format = Literal["text", "json", "github", "sarif", "junit"]
FORMATS: tuple[Format, ...] = ("text", "json", "github", "sarif", "junit")
Paint = Callable[[str, str], str]
"""Colours a word (its second argument) by its kind (the first), or leaves it as it is."""


def write(report: Report, format_: Format, paint: Paint = lambda _, word: word) -> str:
    """The report in a form, with a final newline.

    Args:
        report: what to write.
        format_: one of `FORMATS`.
        paint: for `text`, which is the only form that has colours.
    """
    # Here, not above: only the form that is asked for is imported.
    if format_ == "text":
        from routegen.report.writers.text import as_text  # noqa: PLC0415

        return as_text(report, paint)
    if format_ == "github":
        from routegen.report.writers.github import as_github  # noqa: PLC0415

        return as_github(report)
    if format_ == "junit":
        from routegen.report.writers.junit import as_junit  # noqa: PLC0415

        return as_junit(report)
    from routegen.report.writers.as_json import as_json, dump  # noqa: PLC0415

    if format_ == "json":
        return dump(as_json(report))
    from routegen.report.writers.sarif import as_sarif  # noqa: PLC0415

    return dump(as_sarif(report))
