"""`routegen adopt` on APIs in moto: the plan, its application, and what it refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from adopt.deployed_shapes import OTHER_APP, SEED, SHAPES, answering_functions, apply, deploy
from audit.faults import intercept_requests, refuse_call
from audit.moto_deployment import MANIFEST, MotoDeployment
from botocore.awsrequest import AWSPreparedRequest
from helpers.support import Run
from routegen.cli import routegen
from routegen.cli.failures import State, run

pytestmark = pytest.mark.usefixtures("moto_account")
Command = Callable[..., Run]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """`command("adopt", ...)` runs a command of routegen on the repository's manifest."""

    def run_command(name: str, *arguments: str) -> Run:
        capfd.readouterr()
        code = run(routegen, State(), [name, "--manifest", str(MANIFEST), *arguments])
        output = capfd.readouterr()
        return Run(code, output.out, output.err)

    return run_command


def plan_of(command: Command, deployment: MotoDeployment, *arguments: str) -> dict[str, Any]:
    adopted = command("adopt", "--api-id", deployment.api_id, "--format", "json", *arguments)
    assert (adopted.code, adopted.stderr) == (0, "")
    document: dict[str, Any] = json.loads(adopted.stdout)
    return document


def actions(plan: dict[str, Any]) -> dict[str, str]:
    return {step["route_key"]: step["action"] for step in plan["steps"]}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_applied_plan_is_the_manifest_and_no_request_is_without_a_route(shape: str, command: Command) -> None:
    deployment = SHAPES[shape]()
    before = answering_functions(deployment)
    plan = plan_of(command, deployment)
    final: dict[tuple[str, str], str | None] = {}
    for _ in apply(deployment, plan):
        now = answering_functions(deployment)
        assert all(now[request] for request, function in before.items() if function)
        final = now
    for integration in plan["unused_integrations"]:
        deployment.gateway.delete_integration(ApiId=deployment.api_id, IntegrationId=integration)
    assert all(final.values())
    audited = command("audit", "--api-id", deployment.api_id)
    assert (audited.code, audited.stderr) == (0, ""), audited.stdout
    assert "warning" not in audited.stdout
    assert set(actions(plan_of(command, deployment)).values()) == {"keep"}


def test_hand_written_routes_are_kept_and_only_the_missing_ones_are_created(command: Command) -> None:
    deployment = SHAPES["two routes written by hand"]()
    plan = plan_of(command, deployment)
    kept = {key for key, action in actions(plan).items() if action == "keep"}
    assert kept == {*SEED, "$default"}
    assert {action for key, action in actions(plan).items() if key not in kept} == {"create"}
    ids = {step["route_key"]: step["route_id"] for step in plan["steps"]}
    assert {key: ids[key] for key in kept} == deployment.routes
    created = next(step for step in plan["steps"] if step["action"] == "create")
    assert created["explanation"] == "today otterwiki gets these requests"


def test_new_routes_come_first_and_removals_last(command: Command) -> None:
    steps = plan_of(command, SHAPES["a route for each method"]())["steps"]
    order = [step["action"] for step in steps]
    assert order == sorted(order, key=["create", "change", "keep", "remove"].index)
    removed = {step["route_key"]: step["explanation"] for step in steps if step["action"] == "remove"}
    assert removed == dict.fromkeys(("GET /mcp", "POST /mcp", "DELETE /mcp"), "ANY /mcp takes its requests")


def test_a_variable_with_another_name_is_renamed_in_place(command: Command) -> None:
    deployment = SHAPES["another name of the variable"]()
    (changed,) = [step for step in plan_of(command, deployment)["steps"] if step["action"] == "change"]
    assert changed["route_key"] == "ANY /mcp/{proxy+}"
    assert changed["former_key"] == "ANY /mcp/{any+}"
    assert changed["route_id"] == deployment.routes["ANY /mcp/{any+}"]


def test_an_app_without_a_route_needs_an_integration(command: Command) -> None:
    deployment = deploy({"$default": "otterwiki"})
    adopted = command("adopt", "--api-id", deployment.api_id)
    assert adopted.code == 0
    assert '"mcp": ...,  # its Lambda function' in adopted.stdout
    plan = plan_of(command, deployment, "--integration", f"mcp={deployment.integrations['mcp']}")
    assert plan["integrations"]["mcp"] == deployment.integrations["mcp"]


REFUSED: dict[str, tuple[Callable[[], MotoDeployment], str, str]] = {
    "a removed route of another app": (
        lambda: deploy({**dict.fromkeys(SEED, "mcp"), "$default": "otterwiki", "ANY /blog/{page+}": OTHER_APP}),
        "ANY /blog/{page+}",
        "remove ANY /blog/{page+}: wikibot-blog would lose its requests, and $default (otterwiki) would get them",
    ),
    "a document that leads to the website": (
        lambda: deploy(
            {
                **dict.fromkeys(SEED, "mcp"),
                "$default": "otterwiki",
                "ANY /.well-known/oauth-authorization-server": "otterwiki",
            }
        ),
        "ANY /.well-known/oauth-authorization-server",
        "its requests would move from otterwiki to mcp",
    ),
    "a greedy route of the documents": (
        lambda: deploy({**dict.fromkeys(SEED, "mcp"), "$default": "otterwiki", "ANY /.well-known/{document+}": "mcp"}),
        "ANY /.well-known/{document+}",
        "mcp would lose its requests, and $default (otterwiki) would get them",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_step_that_is_not_safe_is_refused_until_it_is_accepted(name: str, command: Command) -> None:
    make, key, reason = REFUSED[name]
    deployment = make()
    refused = command("adopt", "--api-id", deployment.api_id)
    assert (refused.code, refused.stdout) == (5, "")
    assert reason in refused.stderr
    assert f"--accept '{key}'" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert command("adopt", "--api-id", deployment.api_id, "--accept", key).code == 0


def test_an_authorizer_is_not_removed_silently(command: Command) -> None:
    deployment = deploy({"ANY /mcp/{proxy+}": "mcp", "$default": "otterwiki"})
    deployment.create_route("ANY /mcp", "mcp", AuthorizationType="AWS_IAM")
    refused = command("adopt", "--api-id", deployment.api_id)
    assert refused.code == 5
    assert "change ANY /mcp: its AWS_IAM authorizer would be removed" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--api-id: give --api-id ID, --api-name NAME or --state FILE"),
        (("--api-id", "nothing"), "--api-id: there is no HTTP API 'nothing'"),
        (("--api-name", "wikibot", "--state", "x"), "--api-name: a state has no names of APIs; give --api-id"),
        (("--api-name", "wikibot", "--integration", "mcp"), "--integration: 'mcp' is not APP=ID"),
        (("--api-name", "wikibot", "--integration", "blog=i"), "--integration: the manifest has no app 'blog'"),
        (("--api-name", "wikibot", "--integration", "mcp=i"), "has no integration 'i'; it has "),
        (
            ("--api-name", "wikibot", "--accept", "GET /no"),
            "neither the API nor the manifest has the route key 'GET /no'",
        ),
        (("--api-name", "wikibot", "--to", "pulumi-import", "--state", "missing"), "--api-name: a state has"),
        (("--state", "missing.json"), "missing.json: cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_option_is_one_line(command: Command, arguments: tuple[str, ...], message: str) -> None:
    deploy({"$default": "otterwiki"})
    wrong = command("adopt", *arguments)
    assert (wrong.code, wrong.stdout) == (2, "")
    assert message in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1


def adoption_of_stage_variables(command: Command, monkeypatch: pytest.MonkeyPatch, *denied: str) -> Run:
    """Adopt an API whose integration has a stage variable; the output ends with the calls to AWS."""
    deployment = deploy({**dict.fromkeys(SEED, "mcp"), "$default": "otterwiki"})
    deployment.create_stage("v", StageVariables={"which": "wikibot-mcp"})
    uri = deployment.arns["mcp"].replace("wikibot-mcp", "${stageVariables.which}")
    deployment.set_target("ANY /mcp", deployment.create_integration(uri))
    for operation in denied:
        refuse_call(monkeypatch, operation, "AccessDeniedException", 403, "no")
    return command("adopt", "--api-id", deployment.api_id, "--stage", "v")


def test_only_the_calls_that_the_plan_needs_are_made(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def record(send: Any, event: str, request: AWSPreparedRequest) -> Any:
        calls.append(event.rpartition(".")[2])
        return send(event, request)

    deployment = deploy({**dict.fromkeys(SEED, "mcp"), "$default": "otterwiki"})
    intercept_requests(monkeypatch, record)
    assert command("adopt", "--api-id", deployment.api_id).code == 0
    assert calls == ["GetApi", "GetRoutes", "GetIntegrations"]


def test_a_stage_variable_is_read_from_the_stage(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    adopted = adoption_of_stage_variables(command, monkeypatch)
    assert adopted.code == 0, "the integration with the variable has the function of the other routes"


@pytest.mark.parametrize("operation", ["GetApi", "GetRoutes", "GetIntegrations", "GetStages"])
def test_a_call_that_aws_refuses_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    refused = adoption_of_stage_variables(command, monkeypatch, operation)
    assert (refused.code, refused.stdout) == (2, "")
    assert f"apigatewayv2:{operation} is denied: no Allow apigateway:GET for the credentials" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_websocket_api_is_no_http_api(command: Command) -> None:
    deployment = deploy({})
    api = deployment.gateway.create_api(Name="socket", ProtocolType="WEBSOCKET")
    wrong = command("adopt", "--api-id", api["ApiId"])
    assert wrong.code == 2
    assert "is a WEBSOCKET API; only an HTTP API has the routes of a manifest" in wrong.stderr
