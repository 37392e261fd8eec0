"""What a tool needs in order to take over the routes of an API: in Python, HCL or commands.

Each line of a comment begins with `#`, which is a comment in all three.
"""

import json
import shlex
from collections.abc import Callable, Iterator

from routegen.adopt.adoption_plan import AdoptionPlan, AdoptionStep
from routegen.errors import ConfigError
from routegen.gateway import stable_name

_ROUTE_TYPE = "aws:apigatewayv2/route:Route"


def write_declarations(plan: AdoptionPlan, notation: str) -> str:
    """Write what the tool of a notation needs, with the plan as a comment before it.

    Args:
        plan: a plan without a refused step.
        notation: one of `NOTATIONS`.

    Raises:
        ConfigError: the state that the plan was made from belongs to the other tool.
    """
    return "\n".join([*_comments(plan), "", *NOTATIONS[notation](plan), ""])


def _comments(plan: AdoptionPlan) -> Iterator[str]:
    yield f"# The HTTP API {plan.api.id}, in the order in which no request is without a route:"
    width = max((len(step.route_key) for step in plan.steps), default=0)
    for step in plan.steps:
        line = f"# {step.action:<6}  {step.route_key:<{width}}  {step.app or '':<12}  {step.explanation}"
        yield line.rstrip()
    if plan.unused_integrations:
        yield f"# Afterwards no route has these integrations: {', '.join(plan.unused_integrations)}"


def _existing(plan: AdoptionPlan) -> list[AdoptionStep]:
    return [step for step in plan.steps if step.action in {"keep", "change"}]


def _component(plan: AdoptionPlan) -> Iterator[str]:
    """Write the component of `routegen.pulumi`."""
    if any(not address.startswith("urn:") for address in plan.api.addresses.values()):
        raise ConfigError("--to: the state is one of Terraform; give --to terraform")
    adopted, imported = {}, {}
    for step in _existing(plan):
        if address := plan.api.addresses.get(step.route_id):
            adopted[step.route_key] = _former_name(address)
        else:
            imported[step.route_key] = f"{plan.api.id}/{step.route_id}"
    if changed := [step for step in _existing(plan) if step.action == "change" and step.route_key in imported]:
        yield "# Pulumi imports a route only as it is, so make these changes first:"
        yield from (f"# {_update_command(plan, step)}" for step in changed)
        yield ""
    if adopted:
        yield "# Remove the declarations of the adopted routes from the program."
    yield "ManifestRoutes("
    yield '    "routes",'
    yield f"    api_id={json.dumps(plan.api.id)},"
    yield "    integrations={"
    for app, integration in plan.integrations.items():
        value = "...,  # its Lambda function" if integration is None else f"{json.dumps(integration)},"
        yield f"        {json.dumps(app)}: {value}"
    yield "    },"
    for name, mapping in (("adopt", adopted), ("import_", imported)):
        if mapping:
            yield f"    {name}={{"
            yield from (f"        {json.dumps(key)}: {json.dumps(value)}," for key, value in mapping.items())
            yield "    },"
    yield ")"


def _former_name(urn: str) -> str:
    """Return the logical name of a resource without a parent, or the URN."""
    _, _, qualified_type, name = urn.split("::", 3)
    return name if qualified_type == _ROUTE_TYPE else urn


def _update_command(plan: AdoptionPlan, step: AdoptionStep) -> str:
    words = ["aws", "apigatewayv2", "update-route", "--api-id", plan.api.id, "--route-id", step.route_id]
    words += ["--route-key", step.route_key, "--target", f"integrations/{step.integration_id or 'INTEGRATION_ID'}"]
    return shlex.join([*words, "--authorization-type", "NONE"])


def _pulumi_import(plan: AdoptionPlan) -> Iterator[str]:
    """Write commands that add the routes to a Pulumi state, with the names of `routegen render pulumi`."""
    if plan.api.addresses:
        raise ConfigError("--to: a state has the routes already, so nothing is imported; give another --to")
    for step in _existing(plan):
        if step.action == "change":
            yield _update_command(plan, step)
        name = f"route {stable_name(step.route_key)}"
        yield shlex.join(["pulumi", "import", _ROUTE_TYPE, name, f"{plan.api.id}/{step.route_id}"])


def _terraform(plan: AdoptionPlan) -> Iterator[str]:
    """Write the blocks for the module that `routegen render terraform` writes."""
    if any(address.startswith("urn:") for address in plan.api.addresses.values()):
        raise ConfigError("--to: the state is one of Pulumi; give --to component")
    for step in _existing(plan):
        target = f"module.routes.aws_apigatewayv2_route.this[{json.dumps(stable_name(step.route_key))}]"
        former = plan.api.addresses.get(step.route_id)
        if former is None:
            yield from ("import {", f"  to = {target}", f'  id = "{plan.api.id}/{step.route_id}"', "}")
        else:
            yield from ("moved {", f"  from = {former}", f"  to   = {target}", "}")


NOTATIONS: dict[str, Callable[[AdoptionPlan], Iterator[str]]] = {
    "component": _component,
    "pulumi-import": _pulumi_import,
    "terraform": _terraform,
}
"""The notations by their names on the command line."""
