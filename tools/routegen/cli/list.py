"""`routegen list`."""

from pathlib import Path

import click

from routegen.cli.options import debug_option, manifest_option, manifest_path
from routegen.cli.output import emit, emit_json

_EPILOG = """\b
Examples:
  routegen list
  routegen list --json | jq -r '.[].route_keys[]'
"""

_HEADER = ("PATH", "METHODS", "APP", "ROLE", "SPEC")


@click.command("list", epilog=_EPILOG)
@manifest_option
@click.option("--json", "as_json", is_flag=True, help="The routes as a JSON array.")
@debug_option
def list_(manifest: Path | None, as_json: bool) -> None:
    """Show the manifest's routes as a table."""
    from routegen.manifest import read_manifest  # noqa: PLC0415 - pydantic, and only used here

    read = read_manifest(manifest_path(manifest))
    if as_json:
        routes = [route.model_dump(mode="json", exclude_none=True) for route in read.routes]
        emit_json(routes)
        return
    rows = [_HEADER]
    rows += [(r.path, " ".join(r.methods), r.app, r.role, r.spec or "") for r in read.routes]
    rows.append(("$default", "ANY", read.default, "everything else", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    emit("".join(f"{line.rstrip()}\n" for line in lines))
