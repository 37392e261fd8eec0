"""Read an API from a file that `pulumi stack export` or `terraform state pull` has written."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from routegen.adopt.adoption_plan import ExistingApi
from routegen.audit.api_deployment import DeployedIntegration, DeployedRoute
from routegen.errors import ConfigError

_FIX = "write it with `pulumi stack export` or `terraform state pull`"
_ROUTE = {"aws:apigatewayv2/route:Route", "aws_apigatewayv2_route"}
_INTEGRATION = {"aws:apigatewayv2/integration:Integration", "aws_apigatewayv2_integration"}

# Both tools use the same provider: Pulumi writes `routeKey` where Terraform writes `route_key`.
StateEntry = tuple[str, str, Mapping[str, Any]]
"""The kind, the address and the attributes of one resource, the names of the attributes in Terraform's notation."""


def read_state_file(file: Path, api_id: str | None) -> ExistingApi:
    """Read the routes and integrations of one API.

    Args:
        file: the JSON file.
        api_id: the API's id; None if the state has only one API with routes.

    Raises:
        ConfigError: the file cannot be read, is no such state, or has no or several such APIs.
    """
    entries = list(_entries(file))
    apis = sorted({str(values.get("api_id")) for kind, _, values in entries if kind in _ROUTE | _INTEGRATION})
    if api_id is None and len(apis) > 1:
        raise ConfigError(f"--api-id: {file} has {len(apis)} APIs; give one of {', '.join(apis)}")
    if not apis or (api_id is not None and api_id not in apis):
        content = f"it has {', '.join(apis)}" if apis else "it has none"
        raise ConfigError(f"{file}: the state has no routes of an HTTP API{f' {api_id}' if api_id else ''}; {content}")
    chosen = api_id or apis[0]
    of_api = [(kind, address, values) for kind, address, values in entries if values.get("api_id") == chosen]
    routes = [(_route(values), address) for kind, address, values in of_api if kind in _ROUTE]
    integrations = [_integration(values) for kind, _, values in of_api if kind in _INTEGRATION]
    return ExistingApi(
        id=chosen,
        routes=tuple(route for route, _ in routes),
        integrations={integration.integration_id: integration for integration in integrations},
        addresses={route.route_id: address for route, address in routes},
    )


def _entries(file: Path) -> Iterator[StateEntry]:
    try:
        state = json.loads(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{file}: is not JSON; {_FIX}") from None
    try:
        if "deployment" in state:
            yield from _pulumi_entries(state["deployment"]["resources"])
        else:
            yield from _terraform_entries(state["resources"])
    except (KeyError, TypeError, AttributeError):
        raise ConfigError(f"{file}: is no state; {_FIX}") from None


def _pulumi_entries(resources: list[dict[str, Any]]) -> Iterator[StateEntry]:
    for resource in resources:
        if not resource.get("delete"):  # such a resource is replaced already and waits for its deletion
            attributes = {_snake_case(name): value for name, value in (resource.get("outputs") or {}).items()}
            yield resource["type"], resource["urn"], {**attributes, "id": resource.get("id", "")}


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _terraform_entries(resources: list[dict[str, Any]]) -> Iterator[StateEntry]:
    for resource in resources:
        module = f"{resource['module']}." if resource.get("module") else ""
        for instance in resource["instances"] if resource.get("mode") == "managed" else ():
            index = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
            yield resource["type"], f"{module}{resource['type']}.{resource['name']}{index}", instance["attributes"]


def _route(values: Mapping[str, Any]) -> DeployedRoute:
    names = ("route_key", "target", "authorization_type")
    return DeployedRoute.model_validate(
        {"route_id": _resource_id(values), **{name: values.get(name) for name in names}}
    )


def _integration(values: Mapping[str, Any]) -> DeployedIntegration:
    names = ("integration_type", "integration_subtype", "integration_uri", "payload_format_version")
    fields = {name: values.get(name) for name in names}
    return DeployedIntegration.model_validate({"integration_id": _resource_id(values), **fields})


def _resource_id(values: Mapping[str, Any]) -> str:
    """Return the id of AWS: Pulumi's id of an imported route is API_ID/ROUTE_ID in some versions of the provider."""
    return str(values["id"]).rpartition("/")[2]
