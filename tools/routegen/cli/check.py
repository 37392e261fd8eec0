"""`routegen check`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from routegen.cli.differences import Findings, format_option, show
from routegen.cli.options import AppOptions, app_options, configuration, debug_option, manifest_option, manifest_path
from routegen.errors import UnsupportedRouteError

if TYPE_CHECKING:
    from routegen.diff import Note
    from routegen.extract.build import Extraction
    from routegen.manifest import Manifest

_EPILOG = """\b
Examples:
  routegen check
  routegen check --format github
  routegen check --strict
  routegen check server.py:app --name mcp --default wiki --manifest routes.json

\b
Exit code 0: no difference; 1: the app and the manifest differ.
"""


@click.command(epilog=_EPILOG)
@app_options
@manifest_option
@format_option
@click.option("--strict", is_flag=True, help="Refuse a route that is wider than what the app serves: exit code 5.")
@debug_option
def check(apps: AppOptions, manifest: Path | None, format_: str, strict: bool) -> int:
    """Extract again and compare with the manifest.

    Tells what was added, removed and changed, and the command that mends it; and, as information, what the routes
    take from the app behind $default. A ROUTES.md beside the manifest is compared with it too.
    """
    config = configuration(apps)
    file = manifest_path(manifest, config)
    from routegen.diff import TableOutdated, compare  # noqa: PLC0415 - heavy, and only used here
    from routegen.extract import extract  # noqa: PLC0415
    from routegen.manifest import read_manifest  # noqa: PLC0415

    committed = read_manifest(file)
    extraction = extract(config, default_too=True)
    if strict:
        _refuse_widened(committed, file)
    differences = compare(committed, extraction.manifest)
    mend = f"If the app is right: {_mending_command(apps, file)}" if differences else ""
    if table := _outdated_table(committed, file):
        differences.append(TableOutdated(table))
    findings = Findings(
        differences=differences,
        wanted=extraction.manifest,
        file=os.fspath(file),
        text=file.read_text("utf-8"),
        same=f"{file}: {len(committed.routes)} routes, as the app serves them",
        mend=mend,
        notes=_notes(extraction),
    )
    return show(findings, format_)


def _outdated_table(committed: "Manifest", file: Path) -> str | None:
    """The route table for people that stands beside the manifest, where it shows something else."""
    table = file.with_name("ROUTES.md")
    if not table.is_file():
        return None
    from routegen.render import RenderRequest, render  # noqa: PLC0415 - where there is such a table

    # But for the first line, which names the manifest as whoever rendered it did.
    shown, wanted = (
        text.partition("\n")[2]
        for text in (table.read_text("utf-8", "replace"), render(RenderRequest("markdown", committed)))
    )
    return None if shown == wanted else os.fspath(table)


def _refuse_widened(manifest: "Manifest", file: Path) -> None:
    widened = [route for route in manifest.routes if route.widened]
    if widened:
        more = f" (and {len(widened) - 1} more)" if len(widened) > 1 else ""
        raise UnsupportedRouteError(f"{file}: {widened[0].path} is wider than the app: {widened[0].widened}{more}")


def _notes(extraction: "Extraction") -> "tuple[Note, ...]":
    from routegen.diff import Note  # noqa: PLC0415 - as above
    from routegen.extract.shadowing import taken_from_default  # noqa: PLC0415

    notes = [Note("not-carried", notice.path, notice.text) for notice in extraction.notices]
    notes += [
        Note("rule-taken" if taken.named else "page-taken", taken.paths[0], taken.text)
        for taken in taken_from_default(extraction.manifest, extraction.default_serves)
    ]
    return tuple(notes)


def _mending_command(apps: AppOptions, file: Path) -> str:
    import shlex  # noqa: PLC0415 - only used here

    return shlex.join(["routegen", "extract", *filter(None, apps.words), "-o", os.fspath(file)])
