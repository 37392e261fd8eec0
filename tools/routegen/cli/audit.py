"""`routegen audit`."""

from pathlib import Path
from urllib.parse import urlsplit

import click

from routegen.audit import AuditOptions, audit_deployment
from routegen.audit.aws_reader import AwsReader
from routegen.cli.options import aws_options, manifest_option, manifest_path, name_value_pairs
from routegen.cli.output import show_progress
from routegen.cli.reports import ReportOptions, report_options, show_report
from routegen.errors import ConfigError
from routegen.manifest import read_manifest

_EPILOG = """\b
Examples:
  routegen audit --api-id a1b2c3d4e5
  routegen audit --api-name wikibot-dev --profile dev --region eu-central-1
  routegen audit --api-id a1b2c3d4e5 --function mcp=wikibot-mcp:live --format sarif > audit.sarif
  routegen audit --explain RG131

\b
The command needs the permissions in docs/audit.md, and changes nothing.
Exit code 0: no finding at or above --fail-on; 1: at least one finding.
"""


def _host_name(_context: click.Context, _parameter: click.Parameter, domain: str | None) -> str | None:
    """Return the host name, in small letters as AWS has it, of a domain or of a URL."""
    return domain and urlsplit(domain if "//" in domain else f"//{domain}").hostname


@click.command("audit", epilog=_EPILOG)
@aws_options
@manifest_option
@click.option(
    "--function",
    "functions",
    multiple=True,
    metavar="APP=NAME",
    help="The function of an app: name, name:alias or ARN.  Repeatable.  "
    "[default: the function that most of its routes lead to]",
)
@click.option(
    "--domain",
    metavar="NAME",
    callback=_host_name,
    help="The custom domain that clients use; it must lead to the stage.",
)
@report_options
def command(
    api_id: str | None,
    api_name: str | None,
    manifest: Path | None,
    stage: str,
    functions: tuple[str, ...],
    domain: str | None,
    profile: str | None,
    region: str | None,
    reporting: ReportOptions,
) -> int:
    """Compare a deployed HTTP API with the manifest.

    The command reads the routes, the integrations, the functions with their permissions, the stage and the custom
    domains from AWS, with the credentials of the AWS CLI.
    """
    if (api_id is None) == (api_name is None):
        raise ConfigError("--api-id: give either --api-id ID or --api-name NAME")
    file = manifest_path(manifest)
    named_functions = name_value_pairs("--function", "APP=NAME", functions)
    options = AuditOptions(read_manifest(file), f"{api_id or api_name}", stage, named_functions, domain)
    deployment = AwsReader(profile, region, show_progress).read(api_id, api_name, stage)
    return show_report(audit_deployment(options, deployment), reporting)
