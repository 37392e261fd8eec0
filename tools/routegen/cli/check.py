"""`routegen check`."""

import os
import shlex
from dataclasses import replace
from pathlib import Path

import click

from routegen.cli.options import AppOptions, app_options, configuration, manifest_option, manifest_path, project_words
from routegen.cli.reports import ReportOptions, report_options, show_report
from routegen.config import Config
from routegen.diff import as_data, as_findings, compare, line_of_entry
from routegen.errors import UnsupportedRouteError
from routegen.extract import extract
from routegen.extract.extraction_findings import extraction_findings
from routegen.manifest import Manifest, read_manifest
from routegen.prove.proof_report import disagreement_findings
from routegen.prove.prove_apps import find_disagreements
from routegen.render import RenderRequest, render
from routegen.report import Finding, Report, Section, rules

_EPILOG = """\b
Examples:
  routegen check
  routegen check --format github
  routegen check --strict
  routegen check server.py:app --name mcp --default wiki --manifest routes.json

\b
Exit code 0: no finding at or above --fail-on; 1: the apps and the manifest differ.
"""

_DISAGREEMENT_FIX = "Change one of the apps, or give the path to one of them with `routes` in the configuration."


@click.command("check", epilog=_EPILOG)
@app_options
@manifest_option
@report_options
@click.option("--strict", is_flag=True, help="Refuse a route that is wider than what the app serves: exit code 5.")
def command(apps: AppOptions, manifest: Path | None, reporting: ReportOptions, strict: bool) -> int:
    """Extract again and compare with the manifest.

    Reports the paths that were added, removed and changed, with the command that fixes the manifest, the rules of the
    default app that the routes shadow, and requests that an app serves and another one gets. A ROUTES.md beside the
    manifest is checked too.
    """
    config = configuration(apps)
    file = manifest_path(manifest, config)
    committed = read_manifest(file)
    extraction = extract(config)
    if strict:
        _refuse_wider_routes(committed, file)
    text = file.read_text("utf-8")
    differences = compare(committed, extraction.manifest)
    findings = as_findings(
        differences, extraction.manifest, text, f"If the app is right, run: {_extract_command(apps, file, config)}"
    )
    findings += _table_findings(committed, file)
    notices = (
        *extraction_findings(extraction),
        *disagreement_findings(find_disagreements(config, extraction), _DISAGREEMENT_FIX),
    )
    findings += [replace(finding, line=line_of_entry(text, finding.subject)) for finding in notices]
    report = Report(
        command="routegen check",
        subject=os.fspath(file),
        rules=(*rules.COMPARISON_RULES, *rules.DISAGREEMENT_RULES),
        findings=tuple(findings),
        success=f"{len(committed.routes)} routes, as the apps serve them",
        sections=(Section("Reserved paths", _reserved_rows(extraction.manifest)),),
        details={"differences": as_data(differences)},
        file=os.fspath(file),
    )
    return show_report(report, reporting)


def _reserved_rows(manifest: Manifest) -> tuple[tuple[str, ...], ...]:
    """The paths that an app gets for its own 404, with the reason of each."""
    return tuple((route.path, route.app, route.reserved) for route in manifest.routes if route.reserved)


def _table_findings(committed: Manifest, file: Path) -> list[Finding]:
    """A finding if the route table for people, beside the manifest, does not show this manifest."""
    table = file.with_name("ROUTES.md")
    if not table.is_file():
        return []
    # The first line names the manifest as the person who rendered it did, so it is not compared.
    committed_table, rendered_table = (
        text.partition("\n")[2]
        for text in (table.read_text("utf-8", "replace"), render(RenderRequest("markdown", committed)))
    )
    if committed_table == rendered_table:
        return []
    message = f"{table} does not show the routes of {file}."
    fix = f"Run: {shlex.join(['routegen', 'render', 'markdown', '-o', os.fspath(table)])}"
    return [Finding(rules.TABLE_OUTDATED, os.fspath(table), message, fix)]


def _refuse_wider_routes(manifest: Manifest, file: Path) -> None:
    wider = [route for route in manifest.routes if route.widened]
    if wider:
        rest = f" (and {len(wider) - 1} more)" if len(wider) > 1 else ""
        raise UnsupportedRouteError(f"{file}: {wider[0].path} is wider than the app: {wider[0].widened}{rest}")


def _extract_command(apps: AppOptions, file: Path, config: Config) -> str:
    output = ["--write"] if file.absolute() == config.manifest else ["-o", os.fspath(file)]
    return shlex.join(["routegen", "extract", *filter(None, apps.words), *apps.env_words, *project_words(), *output])
