"""`routegen check`."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from routegen.cli.failures import FOUND, colours
from routegen.cli.options import app_options, configuration, debug_option, manifest_option, manifest_path
from routegen.cli.output import emit

if TYPE_CHECKING:
    from routegen.compare import Difference
    from routegen.manifest import Manifest

_EPILOG = """\b
Examples:
  routegen check
  routegen check --format json
  routegen check server.py:app --name mcp --default wiki --manifest routes.json

\b
Exit code 0: no difference; 1: the app and the manifest differ.
"""

_COLOURS = {"added": "green", "removed": "red", "changed": "yellow"}


@click.command(epilog=_EPILOG)
@app_options
@manifest_option
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@debug_option
def check(
    app: str | None,
    name: str | None,
    default: str | None,
    timeout: float | None,
    manifest: Path | None,
    format_: str,
) -> int:
    """Extract again and compare with the manifest.

    Tells what was added, removed and changed, and the command that mends it.
    """
    config = configuration(app, name, default, timeout)
    file = manifest_path(manifest, config)
    from routegen.compare import compare  # noqa: PLC0415 - heavy, and only used here
    from routegen.extract import extract  # noqa: PLC0415
    from routegen.manifest import read_manifest  # noqa: PLC0415

    committed = read_manifest(file)
    differences = compare(committed, served := extract(config))
    mend = _mending_command(app, name, default, file)
    if format_ == "json":
        from routegen.compare.as_json import as_json  # noqa: PLC0415

        found = as_json(differences, served)
        emit(json.dumps({"manifest": str(file), "differences": found, "mend": mend}, indent=2) + "\n")
    elif differences:
        emit(_report(differences, served, file, mend))
    else:
        emit(f"{file}: {len(committed.routes)} routes, as the app serves them\n")
    return FOUND if differences else 0


def _report(differences: "list[Difference]", served: "Manifest", file: Path, mend: str) -> str:
    from routegen.compare.text import consequence, headline, label, summary  # noqa: PLC0415

    lines = [f"{file} and the app differ: {summary(differences)}", ""]
    for difference in differences:
        kind = label(difference)
        padded = f"{kind:<8}"
        if colours(sys.stdout.isatty()):
            padded = click.style(padded, fg=_COLOURS[kind])
        lines += [f"{padded} {headline(difference)}", f"{'':8} {consequence(difference, served)}"]
    lines += ["", f"If the app is right: {mend}", ""]
    return "\n".join(lines)


def _mending_command(app: str | None, name: str | None, default: str | None, file: Path) -> str:
    import shlex  # noqa: PLC0415 - only here

    words = ["routegen", "extract"]
    words += [app] if app else []
    words += ["--name", name] if name else []
    words += ["--default", default] if default else []
    return shlex.join([*words, "-o", os.fspath(file)])
