"""`routegen schema`."""

import click

from routegen.cli.output import emit_json
from routegen.manifest import json_schema

_EPILOG = """\b
Example:
  routegen schema > routes.schema.json
"""


@click.command("schema", epilog=_EPILOG)
def command() -> None:
    """Write the manifest's JSON Schema (draft 2020-12)."""
    emit_json(json_schema())
