"""`routegen audit`."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from routegen.cli.options import debug_option, manifest_option, manifest_path
from routegen.cli.reports import explain_option, fail_on_option, report_format_option, show_report
from routegen.errors import ConfigError

if TYPE_CHECKING:
    from routegen.report import FailOn
    from routegen.report.writers import Format

_EPILOG = """\b
Examples:
  routegen audit --api-id a1b2c3d4e5
  routegen audit --api-name wikibot-dev --profile dev --region eu-central-1
  routegen audit --api-id a1b2c3d4e5 --function mcp=wikibot-mcp:live --format sarif > audit.sarif
  routegen audit --explain RG131

\b
It needs the rights in docs/audit.md and changes nothing.
Exit code 0: nothing wrong; 1: a finding of the level of --fail-on, or above it.
"""


@click.command(epilog=_EPILOG)
@click.option("--api-id", metavar="ID", help="The API, by its id.")
@click.option("--api-name", metavar="NAME", help="The API, by its name.")
@manifest_option
@click.option(
    "--stage",
    default="$default",
    show_default=True,
    metavar="NAME",
    help="Which of the API's stages clients use.",
)
@click.option(
    "--function",
    "functions",
    multiple=True,
    metavar="APP=NAME",
    help="The function of an app: name, name:alias or ARN.  Repeatable.  [default: what most of its routes lead to]",
)
@click.option("--profile", metavar="NAME", help="Of the AWS configuration.")
@click.option("--region", metavar="NAME", help="Of AWS.")
@report_format_option
@fail_on_option
@explain_option
@debug_option
def audit(
    api_id: str | None,
    api_name: str | None,
    manifest: Path | None,
    stage: str,
    functions: tuple[str, ...],
    profile: str | None,
    region: str | None,
    format_: "Format",
    fail_on: "FailOn",
) -> int:
    """Compare a deployed HTTP API with the manifest.

    Its routes, integrations, functions, their permissions, the stage and the custom domains are read from AWS, with
    the credentials that the AWS CLI would use.
    """
    if (api_id is None) == (api_name is None):
        raise ConfigError("give --api-id or --api-name, one of them")
    if find_spec("boto3") is None:
        raise ConfigError("routegen audit needs boto3: pip install routegen[aws]")
    from routegen.audit import Wanted  # noqa: PLC0415 - heavy, and only used here
    from routegen.audit import audit as run  # noqa: PLC0415
    from routegen.audit.read import Reader  # noqa: PLC0415
    from routegen.manifest import read_manifest  # noqa: PLC0415

    wanted = Wanted(
        read_manifest(manifest_path(manifest)), f"{api_id or api_name}", stage, _functions(functions), fail_on
    )
    told = _progress if sys.stderr.isatty() else lambda _: None
    return show_report(run(wanted, Reader(profile, region, told).read(api_id, api_name, stage)), format_)


def _functions(said: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in said:
        app, equals, name = one.partition("=")
        if not (app and equals and name):
            raise ConfigError(f"--function: {one!r} is not APP=NAME")
        found[app] = name
    return found


def _progress(call: str) -> None:
    click.echo(call, err=True)
