"""`routegen list`."""

from pathlib import Path

import click

from routegen.cli.failures import debug_option
from routegen.cli.options import data_format_option, manifest_option, manifest_path
from routegen.cli.output import emit, emit_json
from routegen.manifest import read_manifest

_EPILOG = """\b
Examples:
  routegen list
  routegen list --format json | jq -r '.[].route_keys[]'
"""

_HEADER = ("PATH", "METHODS", "APP", "ROLE", "SPEC")


@click.command("list", epilog=_EPILOG)
@manifest_option
@data_format_option
@debug_option
def command(manifest: Path | None, format_: str) -> None:
    """Show the manifest's routes as a table."""
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
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    emit("".join(f"{line.rstrip()}\n" for line in lines))
