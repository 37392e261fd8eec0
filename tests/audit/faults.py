"""One fault for each rule, planted by the calls with which somebody would make it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from audit.deployment import ACCOUNT, DOMAIN, REGION, Deployment
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from routegen.report import Rule, rules

MCP = "ANY /mcp"
Answer = Callable[[dict[str, Any]], Any]
Send = Callable[[str, AWSPreparedRequest], AWSResponse | None]


@dataclass(frozen=True)
class Fault:
    """A way to break a deployment.

    Attributes:
        rule: what has to be found.
        plant: breaks it.
        subject: what the finding has to be about, where that isn't obvious.
        answer: for what moto can't be brought to: a call, and what is changed in its answer.
        arguments: beside the API's id.
    """

    rule: Rule
    plant: Callable[[Deployment], object] = lambda _: None
    subject: str | None = None
    answer: tuple[str, Answer] | None = None
    arguments: tuple[str, ...] = ()


def _web_socket(one: Deployment) -> None:
    one.api_id = one.gateway.create_api(
        Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]


def _unmapped(one: Deployment) -> None:
    (mapping,) = one.gateway.get_api_mappings(DomainName=DOMAIN)["Items"]
    one.gateway.delete_api_mapping(ApiMappingId=mapping["ApiMappingId"], DomainName=DOMAIN)


def _below_a_path(one: Deployment) -> None:
    _unmapped(one)
    one.gateway.create_api_mapping(ApiId=one.api_id, DomainName=DOMAIN, Stage="$default", ApiMappingKey="app")


def _swap(one: Deployment) -> None:
    one.lead(MCP, one.integrations["otterwiki"])


def _old_version(one: Deployment) -> None:
    one.functions.publish_version(FunctionName="wikibot-mcp")
    one.permit("mcp", f"{one.source}/*/*", Qualifier="1")
    one.lead(MCP, one.integration(f"{one.arns['mcp']}:1"))


def _into_nothing(one: Deployment) -> None:
    one.lead(MCP, "gone")


def _authorizer(one: Deployment) -> None:
    one.remove(MCP)
    one.route(MCP, "mcp", AuthorizationType="AWS_IAM")


def _many(one: Deployment) -> None:
    for number in range(280):
        one.route(f"GET /p{number}", "mcp")


def _http_proxy(one: Deployment) -> None:
    made = one.gateway.create_integration(
        ApiId=one.api_id,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri="https://example.com",
        PayloadFormatVersion="1.0",
    )
    one.lead(MCP, made["IntegrationId"])


def _other(**parameters: Any) -> Callable[[Deployment], None]:
    def plant(one: Deployment) -> None:
        one.lead(MCP, one.integration(one.arns["mcp"], **parameters))

    return plant


def _gone(one: Deployment) -> None:
    one.functions.delete_function(FunctionName="wikibot-mcp")


def _permit(source: str | None, **parameters: str) -> Callable[[Deployment], None]:
    def plant(one: Deployment) -> None:
        one.forbid("mcp")
        one.permit("mcp", source and source.format(one.source), **parameters)

    return plant


def _one_a_route(one: Deployment) -> None:
    number = 0
    while len(json.dumps(one.statements("mcp"))) < 17_000:
        number += 1
        one.permit("mcp", f"{one.source}/*/GET/some/path/of/the/app/{number}")


def _no_stage(one: Deployment) -> None:
    one.gateway.delete_stage(ApiId=one.api_id, StageName="$default")
    one.stage("v1")


def _stage(**parameters: Any) -> Callable[[Deployment], None]:
    def plant(one: Deployment) -> None:
        one.gateway.delete_stage(ApiId=one.api_id, StageName="$default")
        one.stage("$default", **parameters)

    return plant


def _prod(one: Deployment) -> None:
    one.stage("prod")
    one.domain("prod.wikibot.io", "prod")


def _items(**more: Any) -> Answer:
    def change(answer: dict[str, Any]) -> None:
        for item in answer["items"]:
            item.update(more)

    return change


def _failed(answer: dict[str, Any]) -> None:
    if answer["FunctionName"] == "wikibot-mcp":
        answer.update(State="Failed", StateReason="The role is gone")


FAULTS = {
    "a web socket": Fault(rules.NOT_HTTP, _web_socket),
    "no way in": Fault(rules.API_UNREACHABLE, _unmapped),
    "below a path": Fault(rules.BASE_PATH, _below_a_path, DOMAIN),
    "cors": Fault(
        rules.CORS,
        lambda one: one.gateway.update_api(ApiId=one.api_id, CorsConfiguration={"AllowOrigins": ["https://a.example"]}),
    ),
    "a route gone": Fault(rules.ROUTE_NOT_DEPLOYED, lambda one: one.remove(MCP), MCP),
    "a method of it": Fault(rules.ROUTE_EXTRA, lambda one: one.route("GET /mcp", "mcp"), "GET /mcp"),
    "a route too many": Fault(rules.ROUTE_EXTRA, lambda one: one.route("ANY /Home", "mcp"), "ANY /Home"),
    "a catch-all": Fault(rules.ROUTE_EXTRA, lambda one: one.route("ANY /{proxy+}", "otterwiki"), "ANY /{proxy+}"),
    "another app's": Fault(rules.ROUTE_ELSEWHERE, _swap, MCP),
    "an old version": Fault(rules.ROUTE_ELSEWHERE, _old_version, MCP),
    "not the user's": Fault(
        rules.ROUTE_ELSEWHERE, subject="$default", arguments=("--function", "otterwiki=wikibot-wiki2")
    ),
    "into nothing": Fault(rules.ROUTE_NOWHERE, _into_nothing, MCP),
    "no target": Fault(
        rules.ROUTE_NOWHERE,
        subject=MCP,
        answer=("GetRoutes", lambda said: [one.pop("target") for one in said["items"] if one["routeKey"] == MCP]),
    ),
    "no default": Fault(rules.DEFAULT_NOT_DEPLOYED, lambda one: one.remove("$default")),
    "an authorizer": Fault(rules.AUTHORIZER, _authorizer, MCP),
    "an http proxy": Fault(rules.NOT_PROXY, _http_proxy),
    "a queue": Fault(rules.NOT_PROXY, _other(IntegrationSubtype="SQS-SendMessage")),
    "payload 1.0": Fault(rules.PAYLOAD, _other(PayloadFormatVersion="1.0"), "wikibot-mcp"),
    "a mapped path": Fault(rules.PARAMETER_MAPPING, _other(RequestParameters={"overwrite:path": "/x"}), "wikibot-mcp"),
    "a mapped answer": Fault(
        rules.PARAMETER_MAPPING,
        _other(ResponseParameters={"401": {"remove:header.www-authenticate": "''"}}),
        "wikibot-mcp",
    ),
    "no function": Fault(rules.FUNCTION, _gone, "wikibot-mcp"),
    "a failed function": Fault(
        rules.FUNCTION,
        subject="wikibot-mcp",
        answer=("GetFunctionConfiguration", _failed),
    ),
    "no permission": Fault(rules.NO_PERMISSION, lambda one: one.forbid("mcp"), "wikibot-mcp"),
    "another API's": Fault(
        rules.NO_PERMISSION, _permit(f"arn:aws:execute-api:{REGION}:{ACCOUNT}:other/*/*"), "wikibot-mcp"
    ),
    "another account's": Fault(rules.NO_PERMISSION, _permit("{}/*/*", SourceAccount="111122223333"), "wikibot-mcp"),
    "another stage's": Fault(rules.NO_PERMISSION, _permit("{}/prod/*"), "wikibot-mcp"),
    "one method": Fault(rules.NO_PERMISSION, _permit("{}/*/GET/*"), "wikibot-mcp"),
    "one path": Fault(rules.NARROW_PERMISSION, _permit("{}/*/*/mcp"), "wikibot-mcp"),
    "any API": Fault(rules.WIDE_PERMISSION, _permit(None), "wikibot-mcp"),
    "a permission a route": Fault(rules.POLICY_SIZE, _one_a_route, "wikibot-mcp"),
    "a role": Fault(rules.ROLE, _other(CredentialsArn=f"arn:aws:iam::{ACCOUNT}:role/caller"), "wikibot-mcp"),
    "no stage": Fault(rules.NO_STAGE, _no_stage, "$default"),
    "a failed deployment": Fault(
        rules.NOT_DEPLOYED,
        answer=("GetStages", _items(lastDeploymentStatusMessage="Deployment failed: an integration is missing")),
    ),
    "by hand": Fault(rules.NOT_AUTOMATIC, _stage(AutoDeploy=False), answer=("GetStages", _items(deploymentId="d1"))),
    "a named stage": Fault(rules.STAGE_PREFIX, _prod, "prod", arguments=("--stage", "prod")),
    "throttled": Fault(
        rules.THROTTLED, _stage(DefaultRouteSettings={"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0})
    ),
    "one throttled": Fault(
        rules.THROTTLED, _stage(RouteSettings={MCP: {"ThrottlingRateLimit": 5.0, "ThrottlingBurstLimit": 0}})
    ),
}
"""Each has to be found, and nothing else with it."""

TOGETHER = {
    "near the quota": Fault(rules.NEAR_QUOTA, _many),
    "nothing deployed": Fault(rules.NOT_DEPLOYED, _stage(AutoDeploy=False)),
}
"""Faults that can't be made without another."""


def planted(one: Deployment, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Break a deployment; the arguments with which it is audited."""
    fault.plant(one)
    if fault.answer:
        change_answer(monkeypatch, *fault.answer)
    return ["--api-id", one.api_id, *fault.arguments]


def change_answer(monkeypatch: pytest.MonkeyPatch, operation: str, change: Answer) -> None:
    """Have AWS answer one call otherwise, from now on."""

    def changed(real: Send, event: str, request: AWSPreparedRequest) -> AWSResponse | None:
        answer = real(event, request)
        if answer is None or not event.endswith(f".{operation}"):
            return answer
        said = json.loads(answer.content)
        change(said)
        return wire_answer(request, answer.status_code, "application/json", json.dumps(said))

    on_the_wire(monkeypatch, changed)


def refuse(monkeypatch: pytest.MonkeyPatch, operation: str, code: str, status: int, said: str = "no") -> list[str]:
    """Have AWS refuse one call, from now on; the list gets longer with each try."""
    tries: list[str] = []

    def refused(real: Send, event: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if not event.endswith(f".{operation}"):
            return real(event, request)
        tries.append(event)
        if ".sts." in event:
            xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>{said}</Message></Error></ErrorResponse>"
            return wire_answer(request, status, "text/xml", xml)
        return wire_answer(request, status, "application/json", json.dumps({"__type": code, "message": said}), code)

    on_the_wire(monkeypatch, refused)
    return tries


def on_the_wire(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Send, str, AWSPreparedRequest], AWSResponse | None]
) -> None:
    """Stand between botocore and moto: `change(send, event, request)`, event as `before-send.lambda.GetPolicy`."""
    real = BotocoreStubber.__call__

    def call(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        return change(lambda event, asked: real(stubber, event, asked), event_name, request)

    monkeypatch.setattr(BotocoreStubber, "__call__", call)


def wire_answer(request: AWSPreparedRequest, status: int, kind: str, body: str, code: str = "") -> AWSResponse:
    """An answer as AWS, or something on the way, would give it; `code` is an error's."""
    headers = HTTPHeaders()
    headers["content-type"] = kind
    if code:
        headers["x-amzn-errortype"] = code
    return AWSResponse(request.url, status, headers, MockRawResponse(body))
