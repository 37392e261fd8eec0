"""`routegen schema`."""

import click

from routegen.cli.failures import debug_option
from routegen.cli.output import emit_json
from routegen.manifest import json_schema

_EPILOG = """\b
Example:
  routegen schema > routes.schema.json
"""


@click.command("schema", epilog=_EPILOG)
@debug_option
def command() -> None:
    """Write the manifest's JSON Schema (draft 2020-12)."""
    emit_json(json_schema())
