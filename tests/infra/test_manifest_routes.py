"""The component `routegen.pulumi.ManifestRoutes`, in new programs and in programs that have hand-written routes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from helpers.component_program import PREFIX, RegisteredResource, run_program
from helpers.pulumi_program import ProgramStopped
from routegen.pulumi import ManifestRoutes

ROUTE = "aws:apigatewayv2/route:Route"
COMPONENT = f"{PREFIX}::routegen:aws:ManifestRoutes"
PATHS = ["/.well-known/oauth-authorization-server", "/mcp", "/mcp/{proxy+}"]
KEYS = [f"ANY {path}" for path in PATHS]

Stack = dict[str, RegisteredResource]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "routes.json"
    write_manifest(file, PATHS)
    return file


def write_manifest(file: Path, paths: list[str], default: str | None = "wiki") -> None:
    routes = [
        {"path": path, "methods": ["ANY"], "app": "mcp", "role": "other", "route_keys": [f"ANY {path}"]}
        for path in sorted(paths)
    ]
    file.write_text(json.dumps({"version": 1, "default": default, "routes": routes}))


def build_api() -> tuple[aws.apigatewayv2.Api, dict[str, pulumi.Input[str]]]:
    """The part of the program that stays: the API with its stage and its integrations."""
    api = aws.apigatewayv2.Api("api", name="tools", protocol_type="HTTP")
    aws.apigatewayv2.Stage("stage", api_id=api.id, name="$default", auto_deploy=True)
    integrations: dict[str, pulumi.Input[str]] = {}
    for app in ("mcp", "wiki"):
        uri = f"arn:aws:lambda:eu-central-1:111122223333:function:{app}"
        integration = aws.apigatewayv2.Integration(
            app, api_id=api.id, integration_type="AWS_PROXY", integration_uri=uri, payload_format_version="2.0"
        )
        integrations[app] = integration.id
    return api, integrations


def hand_written_program(parent: pulumi.Resource | None = None) -> None:
    """The routes that the team had written by hand: both of the endpoint, and `$default`."""
    api, integrations = build_api()
    for name, key, app in (
        ("mcp", "ANY /mcp", "mcp"),
        ("mcp-proxy", "ANY /mcp/{proxy+}", "mcp"),
        ("wiki", "$default", "wiki"),
    ):
        target = pulumi.Output.concat("integrations/", integrations[app])
        options = pulumi.ResourceOptions(parent=parent)
        aws.apigatewayv2.Route(name, api_id=api.id, route_key=key, target=target, opts=options)


def program_with_component(manifest: Path, **arguments: Any) -> Callable[[], None]:
    def program() -> None:
        api, integrations = build_api()
        ManifestRoutes("routes", api_id=api.id, integrations=integrations, manifest=manifest, **arguments)

    return program


def routes(stack: Stack) -> dict[str, RegisteredResource]:
    """Each route by its route key."""
    return {item.inputs["routeKey"]: item for urn, item in stack.items() if f"{ROUTE}::" in urn}


def continued(before: Stack, after: Stack) -> dict[str, str]:
    """For each URN of the state the resource that takes it over."""
    identities = {former: urn for urn, item in after.items() for former in (*item.former_urns, urn)}
    return {urn: identities[urn] for urn in before if urn in identities}


def assert_nothing_is_replaced(before: Stack, after: Stack) -> None:
    """Each resource of the state continues, with the same inputs; so the engine neither deletes nor replaces it."""
    pairs = continued(before, after)
    assert pairs.keys() == before.keys()
    assert len(set(pairs.values())) == len(pairs)
    for former, current in pairs.items():
        assert after[current].inputs == before[former].inputs
        assert not after[current].import_id


def created(before: Stack, after: Stack) -> set[str]:
    new = after.keys() - set(continued(before, after).values())
    return {after[urn].inputs["routeKey"] for urn in new if f"{ROUTE}::" in urn}


def test_one_route_for_each_route_key_and_default(manifest: Path) -> None:
    found = routes(run_program(program_with_component(manifest)))
    assert sorted(found) == sorted([*KEYS, "$default"])
    assert {key: item.inputs["target"] for key, item in found.items()} == {
        **dict.fromkeys(KEYS, "integrations/mcp-id"),
        "$default": "integrations/wiki-id",
    }
    assert {item.inputs["apiId"] for item in found.values()} == {"api-id"}


def test_default_is_optional(manifest: Path) -> None:
    def program() -> None:
        api, integrations = build_api()
        only_mcp = {"mcp": integrations["mcp"]}
        component = ManifestRoutes("routes", api_id=api.id, integrations=only_mcp, manifest=manifest, default=False)
        assert component.route_keys == tuple(KEYS)

    assert sorted(routes(run_program(program))) == KEYS
    write_manifest(manifest, PATHS, default=None)
    assert sorted(routes(run_program(program_with_component(manifest)))) == KEYS


def test_the_manifest_of_the_project_is_the_default(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.routegen]\nmanifest = "routes.json"\ndefault = "wiki"\n[tool.routegen.apps.mcp]\napp = "server.py:app"\n'
    )
    monkeypatch.chdir(tmp_path / "infra")

    def program() -> None:
        api, integrations = build_api()
        ManifestRoutes("routes", api_id=api.id, integrations=integrations)

    assert sorted(routes(run_program(program))) == sorted([*KEYS, "$default"])


def test_hand_written_routes_are_adopted(manifest: Path) -> None:
    before = run_program(hand_written_program)
    adopt = {"ANY /mcp": "mcp", "ANY /mcp/{rest+}": "mcp-proxy", "$default": "wiki"}
    after = run_program(program_with_component(manifest, adopt=adopt))
    assert_nothing_is_replaced(before, after)
    assert created(before, after) == {KEYS[0]}


def test_hand_written_routes_below_a_component_are_adopted_by_their_urns(manifest: Path) -> None:
    def program() -> None:
        hand_written_program(pulumi.ComponentResource("team:index:Gateway", "gateway"))

    before = run_program(program)
    former = {item.inputs["routeKey"]: urn for urn, item in before.items() if f"{ROUTE}::" in urn}
    assert all("team:index:Gateway$" in urn for urn in former.values())
    after = run_program(program_with_component(manifest, adopt=former))
    del before[f"{PREFIX}::team:index:Gateway::gateway"]  # a component exists only in the state
    assert_nothing_is_replaced(before, after)
    assert created(before, after) == {KEYS[0]}


def test_routes_that_no_state_has_are_imported(manifest: Path) -> None:
    before = run_program(build_api)
    imported = {"ANY /mcp": "a1b2c3/r1", "ANY /mcp/{proxy+}": "a1b2c3/r2", "$default": "a1b2c3/r3"}
    after = run_program(program_with_component(manifest, import_=imported))
    assert_nothing_is_replaced(before, after)
    assert {key: item.import_id for key, item in routes(after).items()} == {KEYS[0]: "", **imported}


def test_routes_with_the_names_of_an_earlier_program_are_adopted(manifest: Path) -> None:
    """The names of routes were the same before the routes had the component as their parent."""

    def program() -> None:
        api, integrations = build_api()
        target = pulumi.Output.concat("integrations/", integrations["mcp"])
        aws.apigatewayv2.Route("routes ANY /mcp/{+}", api_id=api.id, route_key=KEYS[2], target=target)

    before = run_program(program)
    after = run_program(program_with_component(manifest))
    assert_nothing_is_replaced(before, after)
    assert created(before, after) == {*KEYS[:2], "$default"}


@pytest.mark.parametrize("changed", [[*PATHS, "/.well-known/added/{id}"], PATHS[1:]])
def test_another_route_in_the_manifest_changes_no_other_route(manifest: Path, changed: list[str]) -> None:
    before = run_program(program_with_component(manifest))
    write_manifest(manifest, changed)
    after = run_program(program_with_component(manifest))
    assert all(after[urn] == before[urn] for urn in after.keys() & before.keys())
    assert len(after.keys() ^ before.keys()) == 1


@pytest.mark.parametrize("kind", ["function", "alias"])
def test_a_function_gets_one_integration_and_one_permission(manifest: Path, kind: str) -> None:
    def program() -> None:
        api = aws.apigatewayv2.Api("api", name="tools", protocol_type="HTTP")
        function: Any = aws.lambda_.Function(
            "mcp", name="tools-mcp", role="arn:aws:iam::1:role/x", package_type="Image"
        )
        if kind == "alias":
            function = aws.lambda_.Alias("live", name="live", function_name="tools-mcp", function_version="7")
        component = ManifestRoutes(
            "routes", api_id=api.id, integrations={"mcp": function, "wiki": "i2"}, manifest=manifest
        )
        assert list(component.integrations) == ["mcp"]

    stack = run_program(program)
    integration = stack[f"{COMPONENT}$aws:apigatewayv2/integration:Integration::routes mcp"].inputs
    assert integration["payloadFormatVersion"] == "2.0"
    assert f"functions/{'live' if kind == 'alias' else 'mcp'}/" in integration["integrationUri"]
    (permission,) = (item.inputs for urn, item in stack.items() if "aws:lambda/permission" in urn)
    assert permission["function"] == "tools-mcp"
    assert permission.get("qualifier") == ("live" if kind == "alias" else None)
    assert permission["sourceArn"] == "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/*/*"
    targets = {key: item.inputs["target"] for key, item in routes(stack).items()}
    assert targets == {**dict.fromkeys(KEYS, "integrations/routes mcp-id"), "$default": "integrations/i2"}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no integration": (
        {"integrations": {"mpc": "i1", "wiki": "i2"}},
        f"integrations: 'mcp' is missing, to which the manifest sends {KEYS[0]}; given: mpc, wiki",
    ),
    "no integration for $default": (
        {"integrations": {"mcp": "i1"}},
        "integrations: 'wiki' is missing, to which the manifest sends $default; given: mcp",
    ),
    "unknown adopted key": (
        {"adopt": {"GET /mcp": "old"}},
        f"adopt: the manifest has no route key 'GET /mcp'; it has {', '.join(KEYS)}, $default",
    ),
    "no route key": ({"import_": {"mcp": "a/r"}}, "import_: the manifest has no route key 'mcp'; it has ANY "),
    "adopted and imported": (
        {"adopt": {"ANY /mcp": "old"}, "import_": {"ANY /mcp": "a/r"}},
        "import_: 'ANY /mcp' is in adopt too; a route that the state has is not imported",
    ),
    "import without the API": (
        {"import_": {"ANY /mcp": "r1"}},
        "import_: 'ANY /mcp': 'r1' is not API_ID/ROUTE_ID",
    ),
    "no manifest": ({"manifest": "missing.json"}, "the manifest: missing.json: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_stops_the_program_before_the_first_resource(name: str, manifest: Path) -> None:
    arguments, message = WRONG[name]
    integrations = {"mcp": "i1", "wiki": "i2"}

    def program() -> None:
        ManifestRoutes(
            "routes", **{"api_id": "a1b2c3", "integrations": integrations, "manifest": manifest, **arguments}
        )

    with pytest.raises(ProgramStopped) as caught:
        run_program(program)
    assert caught.value.line.startswith(message)
    assert "\n" not in caught.value.line
    assert caught.value.registered == []


def test_an_invalid_manifest_stops_the_program(manifest: Path) -> None:
    manifest.write_text('{"version": 2}')
    with pytest.raises(ProgramStopped, match=r"^the manifest: .*version"):
        run_program(program_with_component(manifest))
