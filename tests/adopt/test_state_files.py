"""`routegen adopt --state`: the states of Pulumi and Terraform, and the declarations for each."""

import ast
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hcl2
import pytest
from click.testing import CliRunner, Result
from helpers.component_program import PREFIX
from helpers.support import PROJECT
from routegen.cli import routegen

MANIFEST = PROJECT / "generated" / "routes.json"
ROUTE, INTEGRATION = "aws:apigatewayv2/route:Route", "aws:apigatewayv2/integration:Integration"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:"
ROUTES = {
    "mcp": ("ANY /mcp", "i1"),
    "mcp-proxy": ("ANY /mcp/{any+}", "i1"),
    "wiki": ("$default", "i2"),
}
INTEGRATIONS = {"i1": "mcp", "i2": "wiki"}
Adopt = Callable[..., Result]


@pytest.fixture
def adopt(tmp_path: Path) -> Adopt:
    """`adopt(state, ...)` runs the command on a state."""

    def run(state: Any, *arguments: str) -> Result:
        file = tmp_path / "state.json"
        file.write_text(state if isinstance(state, str) else json.dumps(state))
        command = ["adopt", "--state", str(file), "--manifest", str(MANIFEST), *arguments]
        return CliRunner(catch_exceptions=False).invoke(routegen, command, standalone_mode=False)

    return run


def pulumi_state(api_id: str = "a1b2c3", parent: str = "") -> dict[str, Any]:
    """What `pulumi stack export` writes about an API, its routes and its integrations, shortened."""
    resources: list[dict[str, Any]] = [
        {"urn": f"{PREFIX}::pulumi:pulumi:Stack::tools-prod", "type": "pulumi:pulumi:Stack"}
    ]
    for name, (key, integration) in ROUTES.items():
        outputs = {
            "apiId": api_id,
            "routeKey": key,
            "target": f"integrations/{integration}",
            "authorizationType": "NONE",
        }
        urn = f"{PREFIX}::{parent}{ROUTE}::{name}"
        resources.append({"urn": urn, "type": ROUTE, "id": f"r-{name}", "outputs": outputs})
    for identifier, app in INTEGRATIONS.items():
        outputs = {"apiId": api_id, "integrationType": "AWS_PROXY", "integrationUri": FUNCTION + app}
        urn = f"{PREFIX}::{INTEGRATION}::{app}"
        resources.append({"urn": urn, "type": INTEGRATION, "id": identifier, "outputs": outputs})
    return {"version": 3, "deployment": {"manifest": {}, "resources": resources}}


def terraform_state(module: str = "", index: object = None) -> dict[str, Any]:
    """What `terraform state pull` writes, shortened."""
    resources = []
    for name, (key, integration) in ROUTES.items():
        attributes: dict[str, Any] = {
            "api_id": "a1b2c3",
            "id": f"r-{name}",
            "route_key": key,
            "target": f"integrations/{integration}",
        }
        instance: dict[str, Any] = {"attributes": {**attributes, "authorization_type": "NONE"}}
        if index is not None:
            instance["index_key"] = index
        resources.append(resource("aws_apigatewayv2_route", name, instance, module))
    for identifier, app in INTEGRATIONS.items():
        attributes = {"api_id": "a1b2c3", "id": identifier, "integration_uri": FUNCTION + app, "credentials_arn": None}
        resources.append(resource("aws_apigatewayv2_integration", app, {"attributes": attributes}, module))
    resources.append({"mode": "data", "type": "aws_apigatewayv2_api", "name": "x", "instances": []})
    return {"version": 4, "terraform_version": "1.9.0", "resources": resources}


def resource(kind: str, name: str, instance: dict[str, Any], module: str) -> dict[str, Any]:
    found = {"mode": "managed", "type": kind, "name": name.replace("-", "_"), "instances": [instance]}
    return {"module": module, **found} if module else found


def component_arguments(text: str) -> dict[str, Any]:
    """The arguments of the call of ManifestRoutes in the output."""
    (statement,) = ast.parse(text).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    return {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in statement.value.keywords}


def test_the_component_adopts_the_resources_of_a_pulumi_state(adopt: Adopt) -> None:
    arguments = component_arguments(adopt(pulumi_state()).stdout)
    assert arguments == {
        "api_id": "a1b2c3",
        "integrations": {"mcp": "i1", "otterwiki": "i2"},
        "adopt": {"ANY /mcp": "mcp", "ANY /mcp/{proxy+}": "mcp-proxy", "$default": "wiki"},
    }


def test_a_resource_with_a_parent_is_adopted_by_its_urn(adopt: Adopt) -> None:
    arguments = component_arguments(adopt(pulumi_state(parent="team:index:Gateway$")).stdout)
    assert arguments["adopt"]["ANY /mcp"] == f"{PREFIX}::team:index:Gateway${ROUTE}::mcp"


def test_a_resource_that_pulumi_is_about_to_delete_is_no_route(adopt: Adopt) -> None:
    state = pulumi_state()
    old = {**state["deployment"]["resources"][1], "delete": True, "id": "old"}
    state["deployment"]["resources"].append(old)
    document = json.loads(adopt(state, "--format", "json").stdout)
    assert "old" not in [step["route_id"] for step in document["steps"]]


@pytest.mark.parametrize(
    ("module", "index", "address"),
    [
        ("", None, "aws_apigatewayv2_route.mcp"),
        ("module.gateway", None, "module.gateway.aws_apigatewayv2_route.mcp"),
        ("", "ANY /mcp", 'aws_apigatewayv2_route.mcp["ANY /mcp"]'),
        ("", 0, "aws_apigatewayv2_route.mcp[0]"),
    ],
)
def test_terraform_moves_the_resources_of_its_state(adopt: Adopt, module: str, index: object, address: str) -> None:
    output = adopt(terraform_state(module, index)).stdout
    assert f'moved {{\n  from = {address}\n  to   = module.routes.aws_apigatewayv2_route.this["ANY /mcp"]\n}}' in output
    blocks = hcl2.loads(output)["moved"]
    assert len(blocks) == len(ROUTES)
    assert 'this["ANY /mcp/{+}"]' in output
    assert 'this["$default"]' in output


def test_each_step_is_in_a_comment(adopt: Adopt) -> None:
    lines = adopt(pulumi_state()).stdout.splitlines()
    steps = [line.split() for line in lines if line.startswith("# ")]
    assert ["#", "keep", "ANY", "/mcp", "mcp"] in steps
    assert any(
        line.startswith("# change  ANY /mcp/{proxy+}") and "renamed from ANY /mcp/{any+}" in line for line in lines
    )


@pytest.mark.parametrize(
    ("state", "arguments", "message"),
    [
        ("{", (), "is not JSON; write it with `pulumi stack export` or `terraform state pull`"),
        ("[" * 100_000, (), "is not JSON"),
        ("[]", (), "is no state; write it with"),
        ({"deployment": {}}, (), "is no state"),
        ({"resources": [{"mode": "managed"}]}, (), "is no state"),
        ({"resources": []}, (), "has no routes of an HTTP API; it has none"),
        (pulumi_state(), ("--api-id", "zz"), "has no routes of an HTTP API zz; it has a1b2c3"),
        (pulumi_state(), ("--to", "terraform"), "--to: the state is one of Pulumi; give --to component"),
        (pulumi_state(), ("--to", "pulumi-import"), "--to: a state has the routes already"),
        (terraform_state(), ("--to", "component"), "--to: the state is one of Terraform; give --to terraform"),
    ],
)
def test_a_wrong_state_is_an_error(adopt: Adopt, state: Any, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        adopt(state, *arguments)
    assert message in str(caught.value)
    assert type(caught.value).__name__ == "ConfigError"


def test_a_state_with_two_apis_needs_an_id(adopt: Adopt) -> None:
    state = pulumi_state()
    state["deployment"]["resources"] += pulumi_state("d4e5f6")["deployment"]["resources"]
    with pytest.raises(Exception, match=r"--api-id: .* has 2 APIs; give one of a1b2c3, d4e5f6"):
        adopt(state)
    assert component_arguments(adopt(state, "--api-id", "d4e5f6").stdout)["api_id"] == "d4e5f6"


def test_the_output_is_written_whole(adopt: Adopt, tmp_path: Path) -> None:
    file = tmp_path / "moved.tf"
    result = adopt(terraform_state(), "-o", str(file))
    assert result.stdout == ""
    assert hcl2.loads(file.read_text())["moved"]
    result = adopt(terraform_state(), "--format", "json", "-o", str(file))
    assert result.stdout == ""
    assert json.loads(file.read_text())["api_id"] == "a1b2c3"


def test_commands_for_pulumi_import_have_the_names_of_the_rendered_module() -> None:
    from routegen.adopt import make_plan, write_declarations
    from routegen.adopt.adoption_plan import ExistingApi
    from routegen.audit.api_deployment import DeployedIntegration, DeployedRoute
    from routegen.manifest import read_manifest

    integrations = {
        identifier: DeployedIntegration(
            integration_id=identifier,
            integration_type="AWS_PROXY",
            integration_uri=FUNCTION + app,
            payload_format_version="2.0",
        )
        for identifier, app in INTEGRATIONS.items()
    }
    routes = tuple(
        DeployedRoute(route_id=f"r-{name}", route_key=key, target=f"integrations/{target}")
        for name, (key, target) in ROUTES.items()
    )
    plan = make_plan(read_manifest(MANIFEST), ExistingApi("a1b2c3", routes, integrations), {})
    lines = write_declarations(plan, "pulumi-import").splitlines()
    commands = [shlex.split(line) for line in lines if line and not line.startswith("#")]
    assert ["pulumi", "import", ROUTE, "route ANY /mcp", "a1b2c3/r-mcp"] in commands
    assert ["pulumi", "import", ROUTE, "route $default", "a1b2c3/r-wiki"] in commands
    update = next(command for command in commands if command[0] == "aws")
    assert update[update.index("--route-key") + 1] == "ANY /mcp/{proxy+}"
    assert commands.index(update) < commands.index(
        ["pulumi", "import", ROUTE, "route ANY /mcp/{+}", "a1b2c3/r-mcp-proxy"]
    )
