"""The target pulumi: the module runs in Pulumi programs, with Pulumi's mocks."""

from typing import Any

import pulumi
import pytest
from helpers.component_program import PREFIX, run_program
from render.manifests import MANIFESTS, apps_by_key
from routegen.pulumi import ManifestRoutes
from routegen.render import RenderRequest, render

ROUTE = "aws:apigatewayv2/route:Route"


def rendered_module(name: str) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    exec(compile(render(RenderRequest("pulumi", MANIFESTS[name])), "routes.py", "exec"), variables)
    return variables


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_module_creates_the_routes_of_the_component(name: str) -> None:
    apps = apps_by_key(MANIFESTS[name])
    integrations = {app: f"id of {app}" for app in apps.values()}
    rendered = run_program(lambda: rendered_module(name)["create_routes"]("a1b2c3", integrations))
    component = run_program(
        lambda: ManifestRoutes("route", api_id="a1b2c3", integrations=integrations, manifest=MANIFESTS[name])
    )
    assert {item.inputs["routeKey"]: item.inputs["target"] for item in rendered.values()} == {
        key: f"integrations/id of {app}" for key, app in apps.items()
    }
    # The component takes over the routes of the module, if a program moves from the one to the other.
    assert {former: item.inputs for item in component.values() for former in item.former_urns} == {
        urn: item.inputs for urn, item in rendered.items()
    }


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_route_takes_the_options_of_its_key(name: str) -> None:
    apps = apps_by_key(MANIFESTS[name])
    key, *others = apps
    options = {key: pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")])}
    integrations = dict.fromkeys(apps.values(), "i1")
    stack = run_program(lambda: rendered_module(name)["create_routes"]("a1b2c3", integrations, options))
    former = {item.inputs["routeKey"]: item.former_urns for item in stack.values()}
    assert former == {key: (f"{PREFIX}::{ROUTE}::old",), **dict.fromkeys(others, ())}
