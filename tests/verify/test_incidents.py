"""Public incidents with a known outcome: no prediction for the client of an incident contradicts it.

An incident that cannot be seen from outside has no test: rules of a firewall against one client, a defect after the
sign-in, or a cause that nobody knows.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from routegen.verify.clients import CLIENTS, RECORDED_CLIENTS, Prediction, predict
from routegen.verify.clients.claims import CLAIMS

from dev.client_lab.recorded_answers import (
    NOT_FOUND_JSON,
    RENAMED_CHALLENGE,
    RESOURCE_PATH,
    RESOURCE_REQUEST,
    SERVER_METADATA,
    SERVER_PATH,
    SERVER_REQUEST,
    WIKI_PAGE,
    PublicServers,
    RecordedServers,
    Replies,
    Reply,
    challenging_servers,
    json_reply,
    resource_reply,
    server_reply,
    text_reply,
)

BY_ID = {client.id: client for client in CLIENTS}
ROOT_REQUEST = f"GET origin {RESOURCE_PATH}"
COPY_REQUEST = f"GET origin {SERVER_PATH}"
ENDPOINT = "POST origin /mcp"
CIMD = {"client_id_metadata_document_supported": True}
WITHOUT_REGISTRATION = {name: value for name, value in SERVER_METADATA.items() if name != "registration_endpoint"}
OPEN = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-11-25"}})
FORBIDDEN = json_reply({"message": "Forbidden"}, 403)


def challenge(path: str) -> Reply:
    return json_reply({}, 401, www_authenticate=f'Bearer resource_metadata="{path}"')


def modern_error(code: int) -> Reply:
    error = {"code": code, "message": "Unsupported protocol version", "data": {"supported": ["2026-07-28"]}}
    return json_reply({"jsonrpc": "2.0", "id": 1, "error": error}, 400)


@dataclass(frozen=True)
class Incident:
    """What the clients met, and the replies of the deployment.

    Attributes:
        source: the report.
        clients: the ids of the clients.
        connected: whether they connected.
        changes: replies that differ from those of a deployment that works.
        url: the URL that the user entered.
    """

    source: str
    clients: str
    connected: bool
    changes: dict[str, Reply | None]
    url: str = "https://wiki.example/mcp"

    def __str__(self) -> str:
        return f"{self.source} {'connects' if self.connected else 'fails'}"


def open_server(everything: Reply, **other: Reply | None) -> dict[str, Any]:
    return {ENDPOINT: OPEN, RESOURCE_REQUEST: None, SERVER_REQUEST: None, "* origin": everything, **other}


INCIDENTS = (
    Incident("claude-ai-mcp#299", "claude-ai", False, {ENDPOINT: NOT_FOUND_JSON}),
    Incident("claude-ai-mcp#85", "claude-ai", False, {}, "https://wiki.example:5050/mcp"),
    Incident("claude-ai-mcp#560", "claude-ai", False, {RESOURCE_REQUEST: resource_reply(resource="https://x.example")}),
    Incident("claude-ai-mcp#199", "claude-ai", False, open_server(NOT_FOUND_JSON)),
    Incident("vault-cortex#121", "claude-ai", False, {ENDPOINT: FORBIDDEN}),
    Incident("vault-cortex#121 in the terminal", "claude-code", True, {ENDPOINT: FORBIDDEN}),
    Incident("vault-cortex#121 with a 401", "claude-ai", True, {}),
    Incident("wetterdienst#1772", "claude-ai", False, open_server(WIKI_PAGE)),
    Incident("wetterdienst#1772 with a 404", "claude-ai", True, open_server(NOT_FOUND_JSON)),
    Incident("claude-ai-mcp#925", "claude-ai", False, open_server(NOT_FOUND_JSON, **{COPY_REQUEST: server_reply()})),
    Incident("postiz-app#1781", "claude-ai", False,
             open_server(NOT_FOUND_JSON, **{COPY_REQUEST: json_reply(WITHOUT_REGISTRATION)})),
    Incident("obsidian-web-mcp#18", "claude-ai", False, {RESOURCE_REQUEST: json_reply({"error": "no token"}, 401)}),
    Incident("obsidian-web-mcp#35", "claude-code chatgpt", False, {ENDPOINT: json_reply({}, 401)}),
    Incident("accounted#1915", "claude-ai", False,
             {ENDPOINT: json_reply({}, 401), RESOURCE_REQUEST: None, ROOT_REQUEST: resource_reply()}),
    Incident("bsv-mcp#15", "claude-ai", False,
             {ENDPOINT: challenge(f"{{origin}}{RESOURCE_PATH}"), RESOURCE_REQUEST: None,
              ROOT_REQUEST: resource_reply(resource="{origin}")}),
    Incident("alga-psa#2804", "claude-ai", False, {SERVER_REQUEST: json_reply(WITHOUT_REGISTRATION)}),
    Incident("home-assistant#179326", "claude-ai", False,
             {SERVER_REQUEST: json_reply({**WITHOUT_REGISTRATION, **CIMD})}),
    Incident("home-assistant#179326 with none", "claude-ai chatgpt", True,
             {SERVER_REQUEST: json_reply({**WITHOUT_REGISTRATION, **CIMD,
                                          "token_endpoint_auth_methods_supported": ["none"]}),
              COPY_REQUEST: server_reply()}),
    Incident("claude-ai-mcp#200", "claude-ai", False,
             {SERVER_REQUEST: server_reply(token_endpoint_auth_methods_supported=["none"])}),
    Incident("claude-ai-mcp#200 elsewhere", "chatgpt", True,
             {SERVER_REQUEST: server_reply(token_endpoint_auth_methods_supported=["none"])}),
    Incident("litellm#34845", "claude-ai typescript-v1 typescript-v2 python-sdk vscode", False,
             {ENDPOINT: text_reply(307, "", location="http://wiki.example/mcp/")}),
    Incident("fastmcp#2889", "claude-ai typescript-v1 typescript-v2 python-sdk", False,
             {ENDPOINT: challenge(f"{{origin}}{RESOURCE_PATH}/prod/mcp"), RESOURCE_REQUEST: None}),
    Incident("docs-builder#2804", "claude-ai claude-code vscode", False,
             {ENDPOINT: challenge(f"http://internal.example{RESOURCE_PATH}/mcp")}),
    Incident("awslabs#4507", " ".join(BY_ID), False, {ENDPOINT: text_reply(421, "Invalid Host header")}),
    Incident("OpenMetadata#30642", "typescript-v2", False,
             {RESOURCE_REQUEST: resource_reply(resource_signing_alg_values_supported=None)}),
    Incident("laravel-mcp#341", "claude-ai chatgpt", False, {ENDPOINT: modern_error(-32022)}),
    Incident("ikanos#732", "inspector", False, {ENDPOINT: modern_error(-32020)}),
    Incident("adcp#1081", "chatgpt", False, {}),
    Incident("adcp#1081 with a copy", "chatgpt", True, {COPY_REQUEST: server_reply()}),
    Incident("claude-ai-mcp#345", "claude-ai", False,
             {ENDPOINT: challenge(f"{{origin}}{SERVER_PATH}"), COPY_REQUEST: server_reply()}),
    Incident("claude-ai-mcp#345 elsewhere", "chatgpt", True,
             {ENDPOINT: challenge(f"{{origin}}{SERVER_PATH}"), COPY_REQUEST: server_reply()}),
    Incident("discourse#43921", "cursor", False, {ENDPOINT: FORBIDDEN}),
    Incident("github-mcp-server#1081", "chatgpt", False, {SERVER_REQUEST: json_reply(WITHOUT_REGISTRATION)}),
    Incident("ha-mcp#2209", "claude-ai", False,
             {RESOURCE_REQUEST: resource_reply(authorization_servers=["{authkit}/t1"]),
              f"GET authkit /t1{SERVER_PATH}": server_reply(issuer="{authkit}/t1"), SERVER_REQUEST: None}),
    Incident("claude-ai-mcp#748", "claude-ai", False,
             {ENDPOINT: json_reply({}, 401, **{RENAMED_CHALLENGE: "Bearer x"})}),
    Incident("happy#818", "claude-code", False, {RESOURCE_REQUEST: json_reply({}, 503)}),
    Incident("vscode#259251", "vscode", False, {RESOURCE_REQUEST: resource_reply(resource="{origin}/mcp/")}),
    Incident("github/docs", "github-copilot", False, {}),
)  # fmt: skip


def predict_public(client: str, changes: dict[str, Reply | None], url: str, today: date | None = None) -> Prediction:
    replies: Replies = challenging_servers(changes)
    return predict(BY_ID[client], url, PublicServers(RecordedServers(replies)), today=today)


@pytest.mark.parametrize("incident", INCIDENTS, ids=str)
def test_no_prediction_contradicts_an_incident(incident: Incident) -> None:
    for client in incident.clients.split():
        prediction = predict_public(client, incident.changes, incident.url)
        contradicted = "fails" if incident.connected else "connects"
        assert prediction.outcome != contradicted or prediction.assumptions, prediction.reason


def test_a_prediction_names_its_version_and_its_claims() -> None:
    for client in CLIENTS:
        prediction = predict_public(client.id, {}, "https://wiki.example/mcp")
        assert prediction.version == client.version
        assert prediction.claims[0] == client.id
        assert set(prediction.claims) <= CLAIMS.keys()


@pytest.mark.parametrize("client", [client.id for client in RECORDED_CLIENTS])
def test_after_the_review_date_of_a_claim_the_outcome_is_unknown(client: str) -> None:
    review = CLAIMS[client].review
    assert predict_public(client, {}, "https://wiki.example/mcp", review.replace(day=1)).outcome == "connects"
    prediction = predict_public(client, {}, "https://wiki.example/mcp", review)
    assert (prediction.outcome, prediction.error) == ("unknown", None)
    assert f"was to be reviewed on {review}. It predicted `connects`" in prediction.reason


def test_each_claim_is_about_known_clients_and_is_reviewed_after_its_source() -> None:
    for claim in CLAIMS.values():
        assert set(claim.clients) <= BY_ID.keys()
        assert claim.source_date < claim.review
        assert not claim.statement.endswith(".")
