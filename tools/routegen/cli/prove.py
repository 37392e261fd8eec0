"""`routegen prove`."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from routegen.cli.failures import FOUND
from routegen.cli.options import AppOptions, app_options, configuration, debug_option, manifest_option, manifest_path
from routegen.cli.output import emit, emit_json

if TYPE_CHECKING:
    from routegen.prove.judge import Verdict

_EPILOG = """\b
Examples:
  routegen prove
  routegen prove --json
  routegen prove server.py:app

\b
Exit code 0: no disagreement; 1: the manifest and the app disagree on a request.
"""


@click.command(epilog=_EPILOG)
@app_options
@manifest_option
@click.option("--json", "as_json", is_flag=True, help="The verdicts as a JSON document.")
@debug_option
def prove(apps: AppOptions, manifest: Path | None, as_json: bool) -> int:
    """Drive the app and show that the manifest sends it exactly what it serves.

    Requests are made from the app's route table and from mutations of it. No endpoint runs and nothing reaches the
    network. With APP and without --manifest, the manifest that APP gives now is the one to prove.
    """
    config = configuration(apps)
    from routegen.manifest import read_manifest  # noqa: PLC0415 - heavy, and only used here
    from routegen.prove.run import prove as prove_all  # noqa: PLC0415

    fresh = apps.app is not None and manifest is None
    given = None if fresh else read_manifest(manifest_path(manifest, config))
    if sys.stderr.isatty():
        click.echo(f"driving {', '.join(one.target for one in config.apps)}", err=True)
    verdicts = list(prove_all(config, given))
    if as_json:
        emit_json({"apps": [asdict(verdict) for verdict in verdicts]})
    else:
        emit("".join(map(_text, verdicts)))
    return FOUND if any(verdict.disagreements for verdict in verdicts) else 0


def _text(verdict: "Verdict") -> str:
    count = len(verdict.disagreements)
    found = f"{count} disagreement{'s' * (count != 1)}" if count else "no disagreement"
    lines = [f"{verdict.app}: {verdict.requests} requests made from {verdict.routes} served paths, {found}"]
    lines += [f"  {one.kind:<5}  {one.text}" for one in verdict.disagreements]
    lines += [f"  {number} of them under the notice `{kind}`" for kind, number in sorted(verdict.known.items())]
    if verdict.beneath:
        lines.append(f"  {verdict.beneath} of them answered by middleware, so the router was asked beneath it")
    return "".join(f"{line}\n" for line in lines)
