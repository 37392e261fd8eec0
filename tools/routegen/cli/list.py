"""`routegen list`."""

import itertools
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import click

from routegen.cli.options import data_format_option, manifest_option, manifest_path
from routegen.cli.output import emit, emit_json
from routegen.manifest import read_manifest

_EPILOG = """\b
Examples:
  routegen list
  routegen list --format json | jq -r '.[].route_keys[]'
"""

_HEADER = ("PATH", "METHODS", "APP", "ROLE", "SPEC")
_KEPT_COLUMNS = 3
_NARROWEST_COLUMN = 8


@click.command("list", epilog=_EPILOG)
@manifest_option
@data_format_option
def command(manifest: Path | None, format_: str) -> None:
    """Show the manifest's routes as a table.

    On a terminal, the table is as wide as the terminal; the columns SPEC and ROLE are left out where they do not fit.
    """
    content = read_manifest(manifest_path(manifest))
    if format_ == "json":
        emit_json([route.model_dump(mode="json", exclude_none=True) for route in content.routes])
        return
    rows = [_HEADER]
    rows += [(r.path, " ".join(r.methods) or "reserved", r.app, r.role, r.spec or "") for r in content.routes]
    if content.default:
        rows.append(("$default", "ANY", content.default, "everything else", ""))
    else:
        rows.append(("no route", "ANY", "none", "everything else: the gateway answers 404", ""))
    terminal_width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    emit(make_table(rows, terminal_width))


def make_table(rows: Sequence[tuple[str, ...]], terminal_width: int | None) -> str:
    """The rows in columns; on a narrow terminal without the last columns, and with methods and paths on more lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if terminal_width:
        while len(widths) > _KEPT_COLUMNS and _total(widths) > terminal_width:
            widths.pop()
        for column in (1, 0):
            excess = max(0, _total(widths) - terminal_width)
            widths[column] = max(min(widths[column], _NARROWEST_COLUMN), widths[column] - excess)
    lines = []
    for row in rows:
        folded = [_fold(cell, width) for cell, width in zip(row, widths, strict=False)]
        lines += [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
            for cells in itertools.zip_longest(*folded, fillvalue="")
        ]
    return "\n".join(lines) + "\n"


def _fold(cell: str, width: int) -> list[str]:
    return [cell] if len(cell) <= width else textwrap.wrap(cell, width, break_on_hyphens=False)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)
