"""`routegen prove`."""

import os
from pathlib import Path

import click

from routegen.cli.options import AppOptions, app_options, configuration, manifest_option, manifest_path
from routegen.cli.output import show_progress
from routegen.cli.reports import ReportOptions, report_options, show_report
from routegen.manifest import read_manifest
from routegen.prove.proof_report import proof_report
from routegen.prove.prove_apps import prove_apps

_EPILOG = """\b
Examples:
  routegen prove
  routegen prove --format json
  routegen prove server.py:app

\b
Exit code 0: no disagreement; 1: the manifest and an app disagree on a request.
"""


@click.command("prove", epilog=_EPILOG)
@app_options
@manifest_option
@report_options
def command(apps: AppOptions, manifest: Path | None, reporting: ReportOptions) -> int:
    """Prove that the manifest sends each app exactly what it serves, for every method and every path.

    The route tables of the manifest and of each app are compared for all paths, and requests to the app confirm the
    result. No endpoint runs and nothing reaches the network. With APP and without --manifest, the manifest that APP
    gives now is proven.
    """
    config = configuration(apps)
    file = None if apps.app is not None and manifest is None else manifest_path(manifest, config)
    committed = None if file is None else read_manifest(file)
    show_progress(f"driving {', '.join(app.target for app in config.apps if app.target)}")
    proofs = list(prove_apps(config, committed))
    subject = f"the routes of {apps.app}" if file is None else os.fspath(file)
    fix = "Run `routegen check` to see whether the manifest is outdated."
    return show_report(proof_report(proofs, subject, fix), reporting)
