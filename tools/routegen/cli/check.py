"""`routegen check`."""

import os
from pathlib import Path

import click

from routegen.cli.differences import Findings, format_option, show
from routegen.cli.options import app_options, configuration, debug_option, manifest_option, manifest_path

_EPILOG = """\b
Examples:
  routegen check
  routegen check --format github
  routegen check server.py:app --name mcp --default wiki --manifest routes.json

\b
Exit code 0: no difference; 1: the app and the manifest differ.
"""


@click.command(epilog=_EPILOG)
@app_options
@manifest_option
@format_option
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
    served = extract(config)
    findings = Findings(
        differences=compare(committed, served),
        wanted=served,
        file=os.fspath(file),
        text=file.read_text("utf-8"),
        same=f"{file}: {len(committed.routes)} routes, as the app serves them",
        mend=f"If the app is right: {_mending_command(app, name, default, file)}",
    )
    return show(findings, format_)


def _mending_command(app: str | None, name: str | None, default: str | None, file: Path) -> str:
    import shlex  # noqa: PLC0415 - only used here

    words = ["routegen", "extract"]
    words += [app] if app else []
    words += ["--name", name] if name else []
    words += ["--default", default] if default else []
    return shlex.join([*words, "-o", os.fspath(file)])
