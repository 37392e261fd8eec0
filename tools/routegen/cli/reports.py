"""The options of every command that reports findings, and writing its report."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click

from routegen.cli.failures import FOUND, colours
from routegen.cli.options import collect_options
from routegen.cli.output import emit
from routegen.report import FailOn, Report, apply_policy, has_failed, page_of, rule_with_id
from routegen.report.forms import FORMATS, Format, write_report

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}


@dataclass(frozen=True)
class ReportOptions:
    """How the user wants a report: --format, --fail-on and the ids of --ignore."""

    format_: Format
    fail_on: FailOn
    ignored: tuple[str, ...]


def _known_rules(_context: click.Context, _parameter: click.Parameter, ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(rule_with_id(rule_id).id for rule_id in ids)


def _explain(context: click.Context, _parameter: click.Parameter, rule_id: str | None) -> None:
    if rule_id is not None:
        emit(page_of(rule_with_id(rule_id)))
        context.exit()


_OPTIONS = (
    click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="github: workflow annotations; sarif: SARIF 2.1.0; junit: JUnit XML.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "never"]),
        default="error",
        show_default=True,
        help="The lowest level at which a finding is exit code 1.",
    ),
    click.option(
        "--ignore",
        "ignored",
        multiple=True,
        metavar="RULE",
        callback=_known_rules,
        help="Do not fail on findings of this rule, such as RG027; they are listed as ignored.  Repeatable.",
    ),
    click.option(
        "--explain",
        metavar="RULE",
        is_eager=True,
        expose_value=False,
        callback=_explain,
        help="Show the page of a rule, such as RG030, and exit.",
    ),
)


report_options = collect_options("reporting", ReportOptions, _OPTIONS)
"""Add the options of a report; the command gets them together, as `reporting`."""


def show_report(report: Report, reporting: ReportOptions) -> int:
    """Write the report to stdout and return the exit code."""
    report = apply_policy(report, reporting.fail_on, reporting.ignored)
    report = replace(report, file=_file_in_repository(report.file) if report.file else "")
    emit(write_report(report, reporting.format_, _paint))
    return FOUND if has_failed(report) else 0


def _file_in_repository(name: str) -> str:
    """The file relative to the root of its git repository, as GitHub reads locations, or else to the working directory.

    Source: GitHub, "SARIF support for code scanning", and "Workflow commands for GitHub Actions".
    """
    file = Path(os.path.realpath(name))
    # .git is a file in a worktree and in a submodule.
    root = next((folder for folder in file.parents if (folder / ".git").exists()), Path(os.path.realpath(os.curdir)))
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()


def _paint(kind: str, word: str) -> str:
    if not colours(sys.stdout.isatty()):
        return word
    return click.style(word, bold=True) if kind == "title" else click.style(word, fg=_COLOURS[kind])
