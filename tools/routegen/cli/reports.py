"""What `verify` and `audit` have in common: the forms of a report, the level that fails it, the pages of its rules."""

import sys
from typing import TYPE_CHECKING

import click

from routegen.cli.failures import FOUND, colours
from routegen.cli.output import emit

if TYPE_CHECKING:
    from routegen.report import Report
    from routegen.report.writers import Format

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}

report_format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github", "sarif", "junit"]),
    default="text",
    show_default=True,
    help="github: workflow annotations; sarif: SARIF 2.1.0; junit: JUnit's XML.",
)

fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    default="error",
    show_default=True,
    help="From which level on a finding is exit code 1.",
)


def _explain(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    from routegen.report import page_of  # noqa: PLC0415 - only used here

    emit(page_of(value))
    context.exit()


explain_option = click.option(
    "--explain",
    metavar="ID",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Show the page of a rule, e.g. RG030, and end.",
)


def show_report(report: "Report", format_: "Format") -> int:
    """Write the report to stdout and return the exit code."""
    from routegen.report import failed  # noqa: PLC0415 - heavy, and only used here
    from routegen.report.writers import write  # noqa: PLC0415

    emit(write(report, format_, _paint))
    return FOUND if failed(report) else 0


def _paint(kind: str, word: str) -> str:
    if not colours(sys.stdout.isatty()):
        return word
    return click.style(word, bold=True) if kind == "title" else click.style(word, fg=_COLOURS[kind])
