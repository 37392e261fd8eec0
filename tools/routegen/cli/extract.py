"""`routegen extract`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from routegen.cli.options import AppOptions, app_options, configuration, debug_option
from routegen.cli.output import emit, warn
from routegen.errors import RoutegenError

if TYPE_CHECKING:
    from routegen.config import Config

_EPILOG = """\b
Examples:
  routegen extract -o generated/routes.json
  routegen extract > routes.json
  routegen extract server.py:app --name mcp --default wiki
"""


@click.command(epilog=_EPILOG)
@app_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE, all of it or nothing, instead of stdout.",
)
@debug_option
def extract(apps: AppOptions, output: Path | None) -> None:
    """Import the app and write its manifest.

    APP is path/to/file.py:attribute or package.module:attribute; the attribute may be a factory. Without APP,
    the apps that [tool.routegen] in pyproject.toml names. Whatever an app prints goes to stderr.
    """
    config = configuration(apps)
    if sys.stderr.isatty():
        click.echo(f"importing {', '.join(one.target for one in config.apps)}", err=True)
    from routegen.extract import extract as extract_manifest  # noqa: PLC0415 - heavy, and only used here

    try:
        extraction = extract_manifest(config)
    except RoutegenError:
        if output is None:
            _mourn_truncated(config)
        raise
    from routegen.manifest import dump_manifest, replace_file  # noqa: PLC0415 - loaded by now

    warn(notice.text for notice in extraction.notices)
    data = dump_manifest(extraction.manifest)
    if output is None:
        emit(data)
    else:
        replace_file(output, data)
        click.echo(f"wrote {output}: {len(extraction.manifest.routes)} routes", err=True)


def _mourn_truncated(config: "Config") -> None:
    """With `extract > MANIFEST` the shell has emptied the manifest before we ran: say how to get it back."""
    try:
        same = os.path.samestat(os.fstat(1), config.manifest.stat())
    except OSError:
        return
    if same:
        name = config.manifest.name
        click.echo(
            f"routegen: the shell's `>` has emptied {name}; `git restore {config.manifest}` brings it back, "
            f"and `routegen extract -o` leaves it alone when extraction fails",
            err=True,
        )
