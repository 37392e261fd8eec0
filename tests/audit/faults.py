"""One fault for each rule, made by the AWS calls with which a user would make it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from audit.moto_deployment import ACCOUNT, DOMAIN, MANIFEST, MotoDeployment
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from helpers.moto_account import REGION
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from routegen.manifest import read_manifest
from routegen.report import Rule, rules

MCP_KEY = "ANY /mcp"
ChangeResponse = Callable[[dict[str, Any]], Any]
SendRequest = Callable[[str, AWSPreparedRequest], AWSResponse | None]


@dataclass(frozen=True)
class Fault:
    """A fault of a deployment.

    Attributes:
        rule: the rule of the expected finding.
        plant: makes the fault.
        subject: the subject of the expected finding; None where it does not matter.
        response: a call, and the change of its response, for a fault that moto cannot have.
        export: the routes that the stage's deployment has, because moto has no ExportApi.
        arguments: arguments of the command, beside the API's id.
    """

    rule: Rule
    plant: Callable[[MotoDeployment], object] = lambda _: None
    subject: str | None = None
    response: tuple[str, ChangeResponse] | None = None
    export: dict[str, Any] | None = None
    arguments: tuple[str, ...] = ()


def _create_web_socket_api(deployment: MotoDeployment) -> None:
    deployment.api_id = deployment.gateway.create_api(
        Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]


def _remove_mapping(deployment: MotoDeployment) -> None:
    (mapping,) = deployment.gateway.get_api_mappings(DomainName=DOMAIN)["Items"]
    deployment.gateway.delete_api_mapping(ApiMappingId=mapping["ApiMappingId"], DomainName=DOMAIN)


def _map_below_a_path(deployment: MotoDeployment) -> None:
    _remove_mapping(deployment)
    deployment.gateway.create_api_mapping(
        ApiId=deployment.api_id, DomainName=DOMAIN, Stage="$default", ApiMappingKey="app"
    )


def _swap_integrations(deployment: MotoDeployment) -> None:
    deployment.set_target(MCP_KEY, deployment.integrations["otterwiki"])


def _lead_to_old_version(deployment: MotoDeployment) -> None:
    deployment.functions.publish_version(FunctionName="wikibot-mcp")
    deployment.add_permission("mcp", f"{deployment.source}/*/*", Qualifier="1")
    deployment.set_target(MCP_KEY, deployment.create_integration(f"{deployment.arns['mcp']}:1"))


def _lead_to_missing_integration(deployment: MotoDeployment) -> None:
    deployment.set_target(MCP_KEY, "gone")


def _add_authorizer(deployment: MotoDeployment) -> None:
    deployment.delete_route(MCP_KEY)
    deployment.create_route(MCP_KEY, "mcp", AuthorizationType="AWS_IAM")


def _create_route(key: str, app: str = "mcp") -> Callable[[MotoDeployment], None]:
    return lambda deployment: deployment.create_route(key, app)


def _add_many_routes(deployment: MotoDeployment) -> None:
    for number in range(280):
        deployment.create_route(f"GET /p{number}", "mcp")


def _lead_to_http_proxy(deployment: MotoDeployment) -> None:
    integration = deployment.gateway.create_integration(
        ApiId=deployment.api_id,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri="https://example.com",
        PayloadFormatVersion="1.0",
    )
    deployment.set_target(MCP_KEY, integration["IntegrationId"])


def _lead_to_new_integration(**parameters: Any) -> Callable[[MotoDeployment], None]:
    def plant(deployment: MotoDeployment) -> None:
        deployment.set_target(MCP_KEY, deployment.create_integration(deployment.arns["mcp"], **parameters))

    return plant


def _delete_function(deployment: MotoDeployment) -> None:
    deployment.functions.delete_function(FunctionName="wikibot-mcp")


def _replace_permission(source: str | None, **parameters: str) -> Callable[[MotoDeployment], None]:
    def plant(deployment: MotoDeployment) -> None:
        deployment.remove_permissions("mcp")
        deployment.add_permission("mcp", source and source.format(deployment.source), **parameters)

    return plant


def _add_permission_for_each_route(deployment: MotoDeployment) -> None:
    number = 0
    while len(json.dumps(deployment.statements("mcp"))) < 17_000:
        number += 1
        deployment.add_permission("mcp", f"{deployment.source}/*/GET/some/path/of/the/app/{number}")


def _replace_stage_by_another(deployment: MotoDeployment) -> None:
    deployment.gateway.delete_stage(ApiId=deployment.api_id, StageName="$default")
    deployment.create_stage("v1")


def _replace_stage(**parameters: Any) -> Callable[[MotoDeployment], None]:
    def plant(deployment: MotoDeployment) -> None:
        deployment.gateway.delete_stage(ApiId=deployment.api_id, StageName="$default")
        deployment.create_stage("$default", **parameters)

    return plant


def _add_stage_prod(deployment: MotoDeployment) -> None:
    deployment.create_stage("prod")
    deployment.create_domain("prod.wikibot.io", "prod")


def _update_items(**fields: Any) -> ChangeResponse:
    def change(response: dict[str, Any]) -> None:
        for item in response["items"]:
            item.update(fields)

    return change


def _fail_function(response: dict[str, Any]) -> None:
    if response["FunctionName"] == "wikibot-mcp":
        response.update(State="Failed", StateReason="The role is gone")


def _remove_target(response: dict[str, Any]) -> None:
    for item in response["items"]:
        if item["routeKey"] == MCP_KEY:
            del item["target"]


_ANY = "x-amazon-apigateway-any-method"


def _exported_paths(leave_out: str = "") -> dict[str, Any]:
    """The paths of ExportApi for a stage that serves the manifest."""
    paths = [key.partition(" ")[2] for route in read_manifest(MANIFEST).routes for key in route.route_keys]
    return {path: {_ANY: {}} for path in (*paths, "/$default") if path != leave_out}


def _map_to_another_api(deployment: MotoDeployment) -> None:
    other = deployment.gateway.create_api(Name="other", ProtocolType="HTTP")["ApiId"]
    deployment.gateway.create_stage(ApiId=other, StageName="$default")
    deployment.gateway.create_domain_name(DomainName="old.wikibot.io")
    deployment.gateway.create_api_mapping(ApiId=other, DomainName="old.wikibot.io", Stage="$default")


def _make_inactive(response: dict[str, Any]) -> None:
    if response["FunctionName"] == "wikibot-mcp":
        response.update(State="Inactive")


FAULTS = {
    "a WebSocket API": Fault(rules.NOT_HTTP, _create_web_socket_api),
    "no domain and no endpoint": Fault(rules.API_UNREACHABLE, _remove_mapping),
    "a domain with a path": Fault(rules.BASE_PATH, _map_below_a_path, DOMAIN),
    "a CORS configuration": Fault(
        rules.CORS,
        lambda deployment: deployment.gateway.update_api(
            ApiId=deployment.api_id, CorsConfiguration={"AllowOrigins": ["https://a.example"]}
        ),
    ),
    "a missing route": Fault(rules.ROUTE_NOT_DEPLOYED, lambda deployment: deployment.delete_route(MCP_KEY), MCP_KEY),
    "a route for one method": Fault(rules.ROUTE_EXTRA, _create_route("GET /mcp"), "GET /mcp"),
    "an additional route": Fault(rules.ROUTE_EXTRA, _create_route("ANY /Home"), "ANY /Home"),
    "a catch-all route": Fault(rules.ROUTE_EXTRA, _create_route("ANY /{proxy+}", "otterwiki"), "ANY /{proxy+}"),
    "the integration of another app": Fault(rules.ROUTE_ELSEWHERE, _swap_integrations, MCP_KEY),
    "an old version of the function": Fault(rules.ROUTE_ELSEWHERE, _lead_to_old_version, MCP_KEY),
    "another function than the user names": Fault(
        rules.ROUTE_ELSEWHERE, subject="$default", arguments=("--function", "otterwiki=wikibot-wiki2")
    ),
    "a missing integration": Fault(rules.ROUTE_NOWHERE, _lead_to_missing_integration, MCP_KEY),
    "no target": Fault(
        rules.ROUTE_NOWHERE,
        subject=MCP_KEY,
        response=("GetRoutes", _remove_target),
    ),
    "no default route": Fault(rules.DEFAULT_NOT_DEPLOYED, lambda deployment: deployment.delete_route("$default")),
    "an authorizer": Fault(rules.AUTHORIZER, _add_authorizer, MCP_KEY),
    "an HTTP proxy": Fault(rules.NOT_PROXY, _lead_to_http_proxy),
    "a queue": Fault(rules.NOT_PROXY, _lead_to_new_integration(IntegrationSubtype="SQS-SendMessage")),
    "payload format 1.0": Fault(rules.PAYLOAD, _lead_to_new_integration(PayloadFormatVersion="1.0"), "wikibot-mcp"),
    "a mapping of the path": Fault(
        rules.PARAMETER_MAPPING, _lead_to_new_integration(RequestParameters={"overwrite:path": "/x"}), "wikibot-mcp"
    ),
    "a mapping of a response header": Fault(
        rules.PARAMETER_MAPPING,
        _lead_to_new_integration(ResponseParameters={"401": {"remove:header.www-authenticate": "''"}}),
        "wikibot-mcp",
    ),
    "a missing function": Fault(rules.FUNCTION, _delete_function, "wikibot-mcp"),
    "a failed function": Fault(
        rules.FUNCTION,
        subject="wikibot-mcp",
        response=("GetFunctionConfiguration", _fail_function),
    ),
    "no permission": Fault(rules.NO_PERMISSION, lambda deployment: deployment.remove_permissions("mcp"), "wikibot-mcp"),
    "a permission for another API": Fault(
        rules.NO_PERMISSION, _replace_permission(f"arn:aws:execute-api:{REGION}:{ACCOUNT}:other/*/*"), "wikibot-mcp"
    ),
    "a permission for another account": Fault(
        rules.NO_PERMISSION, _replace_permission("{}/*/*", SourceAccount="111122223333"), "wikibot-mcp"
    ),
    "a permission for another stage": Fault(rules.NO_PERMISSION, _replace_permission("{}/prod/*"), "wikibot-mcp"),
    "a permission for one method": Fault(rules.NO_PERMISSION, _replace_permission("{}/*/GET/*"), "wikibot-mcp"),
    "a permission for one path": Fault(rules.NARROW_PERMISSION, _replace_permission("{}/*/*/mcp"), "wikibot-mcp"),
    "a permission for every API": Fault(rules.WIDE_PERMISSION, _replace_permission(None), "wikibot-mcp"),
    "a permission for each route": Fault(rules.POLICY_SIZE, _add_permission_for_each_route, "wikibot-mcp"),
    "an integration with a role": Fault(
        rules.ROLE, _lead_to_new_integration(CredentialsArn=f"arn:aws:iam::{ACCOUNT}:role/caller"), "wikibot-mcp"
    ),
    "a missing stage": Fault(rules.NO_STAGE, _replace_stage_by_another, "$default"),
    "a failed deployment": Fault(
        rules.NOT_DEPLOYED,
        response=(
            "GetStages",
            _update_items(lastDeploymentStatusMessage="Deployment failed: an integration is missing"),
        ),
    ),
    "no auto-deploy": Fault(
        rules.NOT_AUTOMATIC,
        _replace_stage(AutoDeploy=False),
        response=("GetStages", _update_items(deploymentId="d1")),
        export=_exported_paths(),
    ),
    "another API behind the domain": Fault(
        rules.DOMAIN_ELSEWHERE, _map_to_another_api, "old.wikibot.io", arguments=("--domain", "old.wikibot.io")
    ),
    "another stage behind the domain": Fault(
        rules.DOMAIN_ELSEWHERE, _add_stage_prod, "prod.wikibot.io", arguments=("--domain", "prod.wikibot.io")
    ),
    "no such domain": Fault(rules.DOMAIN_ELSEWHERE, subject="a.example", arguments=("--domain", "a.example")),
    "mutual TLS": Fault(
        rules.MUTUAL_TLS,
        subject=DOMAIN,
        response=("GetDomainNames", _update_items(mutualTlsAuthentication={"truststoreUri": "s3://b/ca.pem"})),
    ),
    "routing rules": Fault(
        rules.ROUTING_RULES, subject=DOMAIN, response=("GetDomainNames", _update_items(routingMode="ROUTING_RULE_ONLY"))
    ),
    "a reserved concurrency of 0": Fault(
        rules.NO_CONCURRENCY,
        lambda deployment: deployment.functions.put_function_concurrency(
            FunctionName="wikibot-mcp", ReservedConcurrentExecutions=0
        ),
        "wikibot-mcp",
    ),
    "an inactive function": Fault(
        rules.INACTIVE, subject="wikibot-mcp", response=("GetFunctionConfiguration", _make_inactive)
    ),
    "a named stage": Fault(rules.STAGE_PREFIX, _add_stage_prod, "prod", arguments=("--stage", "prod")),
    "a throttling limit for all routes": Fault(
        rules.THROTTLED, _replace_stage(DefaultRouteSettings={"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0})
    ),
    "a throttling limit for one route": Fault(
        rules.THROTTLED,
        _replace_stage(RouteSettings={MCP_KEY: {"ThrottlingRateLimit": 5.0, "ThrottlingBurstLimit": 0}}),
    ),
}
"""The audit must find each of these faults, and report nothing else with it."""

_STALE: dict[str, Any] = {
    "plant": _replace_stage(AutoDeploy=False),
    "response": ("GetStages", _update_items(deploymentId="d1")),
}
COMBINED_FAULTS = {
    "a route that the stage does not serve": Fault(
        rules.STALE_DEPLOYMENT, subject=MCP_KEY, export=_exported_paths(leave_out="/mcp"), **_STALE
    ),
    "a route that the stage still serves": Fault(
        rules.STALE_DEPLOYMENT, subject="GET /old", export={**_exported_paths(), "/old": {"get": {}}}, **_STALE
    ),
    "a path with unknown methods that the stage still serves": Fault(
        rules.STALE_DEPLOYMENT, subject="/old", export={**_exported_paths(), "/old": {}, "/mcp": {}}, **_STALE
    ),
    "a route that leads elsewhere in the stage": Fault(
        rules.STALE_DEPLOYMENT,
        subject=MCP_KEY,
        export={**_exported_paths(), "/mcp": {_ANY: {"x-amazon-apigateway-integration": {"uri": "arn:old"}}}},
        **_STALE,
    ),
    "near the quota": Fault(rules.NEAR_QUOTA, _add_many_routes),
    "nothing deployed": Fault(rules.NOT_DEPLOYED, _replace_stage(AutoDeploy=False)),
}
"""Faults that exist only together with another fault."""


def plant_fault(deployment: MotoDeployment, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make a fault in a deployment, and return the arguments of the audit."""
    fault.plant(deployment)
    if fault.response:
        change_response(monkeypatch, *fault.response)
    if fault.export is not None:
        answer_export(monkeypatch, fault.export)
    return ["--api-id", deployment.api_id, *fault.arguments]


def change_response(monkeypatch: pytest.MonkeyPatch, operation: str, change: ChangeResponse) -> None:
    """Change the response of one call from now on."""

    def send_and_change(send: SendRequest, event: str, request: AWSPreparedRequest) -> AWSResponse | None:
        response = send(event, request)
        if response is None or not event.endswith(f".{operation}"):
            return response
        content = json.loads(response.content)
        change(content)
        return make_response(request, response.status_code, "application/json", json.dumps(content))

    intercept_requests(monkeypatch, send_and_change)


def answer_export(monkeypatch: pytest.MonkeyPatch, paths: dict[str, Any]) -> None:
    """Answer ExportApi with an OpenAPI document that has these paths, from now on."""

    def answer(send: SendRequest, event: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if not event.endswith(".ExportApi"):
            return send(event, request)
        return make_response(request, 200, "application/json", json.dumps({"openapi": "3.0.1", "paths": paths}))

    intercept_requests(monkeypatch, answer)


def refuse_call(
    monkeypatch: pytest.MonkeyPatch, operation: str, code: str, status: int, message: str = "no"
) -> list[str]:
    """Refuse one call from now on; the list that is returned gets one item with each attempt."""
    attempts: list[str] = []

    def refuse(send: SendRequest, event: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if not event.endswith(f".{operation}"):
            return send(event, request)
        attempts.append(event)
        if ".sts." in event:
            xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            return make_response(request, status, "text/xml", xml)
        content = json.dumps({"__type": code, "message": message})
        return make_response(request, status, "application/json", content, code)

    intercept_requests(monkeypatch, refuse)
    return attempts


def intercept_requests(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[SendRequest, str, AWSPreparedRequest], AWSResponse | None]
) -> None:
    """Call `change(send, event, request)` for each request to moto; an event is `before-send.lambda.GetPolicy`."""
    original_call = BotocoreStubber.__call__

    def call(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        return change(lambda event, sent: original_call(stubber, event, sent), event_name, request)

    monkeypatch.setattr(BotocoreStubber, "__call__", call)


def make_response(request: AWSPreparedRequest, status: int, kind: str, body: str, code: str = "") -> AWSResponse:
    """Make a response as AWS, or a proxy before it, would send it; `code` is the code of an error."""
    headers = HTTPHeaders()
    headers["content-type"] = kind
    if code:
        headers["x-amzn-errortype"] = code
    return AWSResponse(request.url, status, headers, MockRawResponse(body))
