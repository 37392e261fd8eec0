"""`routegen schema`."""

import click

from routegen.cli.options import debug_option
from routegen.cli.output import emit_json

_EPILOG = """\b
Example:
  routegen schema > routes.schema.json
"""


@click.command(epilog=_EPILOG)
@debug_option
def schema() -> None:
    """Write the manifest's JSON Schema (draft 2020-12)."""
    from routegen.manifest import json_schema  # noqa: PLC0415 - pydantic, and only used here

    emit_json(json_schema())
