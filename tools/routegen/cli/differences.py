"""Differences in the form that --format asks for; `check` and `diff` share it."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from routegen.cli.failures import FOUND, colours
from routegen.cli.output import emit, emit_json

if TYPE_CHECKING:
    from routegen.diff import Difference, Note
    from routegen.manifest import Manifest

_COLOURS = {"added": "green", "removed": "red", "changed": "yellow", "outdated": "yellow", "warning": "yellow"}

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="github: workflow annotations; sarif: SARIF 2.1.0 for code scanning.",
)


@dataclass(frozen=True)
class Findings:
    """What a comparison has found, and the words around it.

    Attributes:
        differences: what differs.
        wanted: the manifest as it should be.
        file: what the compared manifest is called.
        text: its text, for the lines of annotations.
        same: what to say when nothing differs.
        mend: what to do when something does; empty for nothing.
        notes: what else is worth knowing.
    """

    differences: "list[Difference]"
    wanted: "Manifest"
    file: str
    text: str
    same: str
    mend: str
    notes: "tuple[Note, ...]" = ()


def show(findings: Findings, format_: str) -> int:
    """Write the findings to stdout and return the exit code."""
    if format_ == "text":
        emit(_text(findings))
    elif format_ == "json":
        emit_json(_json(findings))
    elif format_ == "github":
        from routegen.diff.github import as_github  # noqa: PLC0415

        emit(as_github(findings.differences, findings.wanted, findings.file, findings.text, findings.notes))
    else:
        from routegen.diff.sarif import as_sarif  # noqa: PLC0415

        emit_json(as_sarif(findings.differences, findings.wanted, findings.file, findings.text, findings.notes))
    return FOUND if findings.differences else 0


def _json(findings: Findings) -> "dict[str, object]":
    from routegen.diff.as_json import as_json, note_as_json  # noqa: PLC0415 - only the format that is asked for

    return {
        "manifest": findings.file,
        "differences": as_json(findings.differences, findings.wanted),
        "notes": [note_as_json(note) for note in findings.notes],
        "mend": findings.mend or None,
    }


def _text(findings: Findings) -> str:
    from routegen.diff.text import report, summary  # noqa: PLC0415

    notes = "".join(f"{_paint(note.level, f'{note.level:<8}')} {note.text}\n" for note in findings.notes)
    if not findings.differences:
        return f"{findings.same}\n{notes}"
    head = f"{findings.file}: {summary(findings.differences)}\n\n"
    tail = f"\n{findings.mend}\n" if findings.mend else ""
    apart = f"\n{notes}" if notes else ""
    return head + report(findings.differences, findings.wanted, _paint) + apart + tail


def _paint(kind: str, word: str) -> str:
    colour = _COLOURS.get(kind)
    return click.style(word, fg=colour) if colour and colours(sys.stdout.isatty()) else word
