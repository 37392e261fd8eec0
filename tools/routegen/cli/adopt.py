"""`routegen adopt`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from routegen.adopt import NOTATIONS, AdoptionPlan, ExistingApi, make_plan, read_state_file, write_declarations
from routegen.audit.aws_reader import AwsReader
from routegen.cli.options import (
    aws_options,
    data_format_option,
    manifest_option,
    manifest_path,
    name_value_pairs,
    output_option,
)
from routegen.cli.output import show_progress, write_output
from routegen.errors import ConfigError, UnsupportedRouteError
from routegen.manifest import read_manifest

_EPILOG = """\b
Examples:
  routegen adopt --api-id a1b2c3d4e5
  routegen adopt --api-name tools --to terraform -o imports.tf
  pulumi stack export | routegen adopt --state /dev/stdin
  routegen adopt --state terraform.tfstate --to terraform --format json

\b
The command changes nothing. Exit code 5: a step is not safe; --accept accepts it.
"""


@click.command("adopt", epilog=_EPILOG)
@aws_options
@click.option(
    "--state",
    "state_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read the API from `pulumi stack export` or `terraform state pull`, without AWS.",
)
@manifest_option
@click.option(
    "--to",
    "notation",
    type=click.Choice(list(NOTATIONS)),
    help="component: for routegen.pulumi. pulumi-import: commands, for `routegen render pulumi`. "
    "terraform: blocks, for `routegen render terraform`.  [default: component, or terraform for a Terraform state]",
)
@click.option(
    "--integration",
    "integrations",
    multiple=True,
    metavar="APP=ID",
    help="The integration of an app.  Repeatable.  [default: the integration that most of its routes have]",
)
@click.option(
    "--accept",
    multiple=True,
    metavar="KEY",
    help="Accept the step of this route key although it is not safe.  Repeatable.",
)
@data_format_option
@output_option
def command(
    api_id: str | None,
    api_name: str | None,
    stage: str,
    profile: str | None,
    region: str | None,
    state_file: Path | None,
    manifest: Path | None,
    notation: str | None,
    integrations: tuple[str, ...],
    accept: tuple[str, ...],
    format_: str,
    output: Path | None,
) -> None:
    """Move an API that exists under the manifest, without replacing or interrupting a route.

    The command reads the API's routes from AWS or from the state of Pulumi or Terraform, compares them with the
    manifest, and prints what would be created, changed, kept and removed, in an order in which each request always has
    a route. Below it are the declarations with which the tool takes over the routes that exist.
    """
    if state_file is not None and api_name is not None:
        raise ConfigError("--api-name: a state has no names of APIs; give --api-id")
    if state_file is None and (api_id is None) == (api_name is None):
        raise ConfigError("--api-id: give --api-id ID, --api-name NAME or --state FILE")
    content = read_manifest(manifest_path(manifest))
    if state_file is not None:
        api = read_state_file(state_file, api_id)
    else:
        api = _read_api(AwsReader(profile, region, show_progress), api_id, api_name, stage)
    plan = make_plan(content, api, name_value_pairs("--integration", "APP=ID", integrations), accept)
    if notation is None:
        is_terraform = not all(address.startswith("urn:") for address in api.addresses.values())
        notation = "terraform" if is_terraform else "component"
    description = f"the API {api.id}, {len(plan.steps)} steps"
    if format_ == "json":
        write_output(json.dumps(_document(plan), indent=2, ensure_ascii=False) + "\n", output, description)
    elif not plan.refused:
        write_output(write_declarations(plan, notation), output, description)
    if plan.refused:
        steps = "; ".join(f"{step.action} {step.route_key}: {step.refusal}" for step in plan.refused)
        keys = " ".join(f"--accept {step.route_key!r}" for step in plan.refused)
        raise UnsupportedRouteError(f"the API {api.id}: not safe: {steps}. Add the app to the manifest, or give {keys}")


def _read_api(reader: AwsReader, api_id: str | None, api_name: str | None, stage: str) -> ExistingApi:
    deployment = reader.read_routes(api_id, api_name)
    api = deployment.api
    if api is not None and api.protocol_type != "HTTP":
        raise ConfigError(
            f"--api-id: {api.api_id} is a {api.protocol_type} API; only an HTTP API has the routes of a manifest"
        )
    if api is None or deployment.routes is None or deployment.integrations is None or deployment.unread:
        unread = deployment.unread[0]
        raise ConfigError(f"{unread.subject}: {unread.message} {unread.fix}")
    variables = (deployment.stages or {}).get(stage)
    return ExistingApi(
        id=api.api_id,
        routes=deployment.routes,
        integrations=deployment.integrations,
        stage_variables=variables.stage_variables if variables else {},
    )


def _document(plan: AdoptionPlan) -> dict[str, object]:
    return {
        "api_id": plan.api.id,
        "steps": [asdict(step) for step in plan.steps],
        "integrations": dict(plan.integrations),
        "unused_integrations": list(plan.unused_integrations),
    }
