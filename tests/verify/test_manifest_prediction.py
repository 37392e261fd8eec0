"""Predictions from a manifest, before any deployment."""

import json
from pathlib import Path
from typing import Any

from routegen.manifest import Manifest, Route
from routegen.report import Report
from routegen.roles import discovery_documents
from routegen.verify.clients import CLIENTS
from routegen.verify.clients.claims import CLAIMS
from routegen.verify.manifest_prediction import SCENARIOS, predict_from_manifest
from verify.broken_stack import MANIFEST


def route(path: str, role: Any, *methods: str) -> Route:
    return Route(path=path, methods=methods or ("GET",), app="mcp", role=role, route_keys=(f"ANY {path}",))


def manifest_of(*routes: Route) -> Manifest:
    return Manifest(version=1, default="wiki", routes=tuple(sorted(routes, key=lambda route: route.path)))


ENDPOINT = route("/mcp", "mcp-endpoint", "DELETE", "POST")
RESOURCE = route("/.well-known/oauth-protected-resource/mcp", "protected-resource-metadata")
METADATA = route("/.well-known/oauth-authorization-server", "authorization-server-metadata")
OWN_ENDPOINTS = (
    route("/authorize", "authorization-endpoint"),
    route("/token", "token-endpoint", "POST"),
    route("/register", "registration-endpoint", "POST"),
)


def levels(report: Report) -> dict[str, str]:
    return {finding.rule.id: finding.rule.level for finding in report.findings}


RECORDED = {client.id for client in CLIENTS if CLAIMS[client.id].kind == "recorded"}
# These follow the well-known path without a challenge.
WITHOUT_CHALLENGE = {"vscode", "cursor", "goose"}
SIGN_IN = {client.id for client in CLIENTS} - {"github-copilot", "chatgpt"}


def failing(report: Report, catch_all: int) -> set[str]:
    """The clients that fail if unknown paths have this status; the name of the challenge header has no influence."""
    scenarios = [scenario for scenario in report.details["scenarios"] if scenario["catch_all"] == catch_all]
    first, second = (
        {client["client"] for client in scenario["clients"] if client["outcome"] == "fails"} for scenario in scenarios
    )
    assert first == second
    return first & RECORDED


def test_every_client_connects_with_the_manifest_of_this_project() -> None:
    report = predict_from_manifest(MANIFEST, "routes.json")
    assert levels(report) == {"RG031": "note"}
    assert len(report.details["scenarios"]) == len(SCENARIOS) == 4
    for scenario in report.details["scenarios"]:
        assert [client["client"] for client in scenario["clients"]] == [client.id for client in CLIENTS]
        connecting = {client["client"] for client in scenario["clients"] if client["outcome"] == "connects"}
        # ChatGPT was seen to look for a copy of the server's metadata at this host, which the manifest serves.
        kept = SIGN_IN | {"chatgpt"}
        assert connecting == (kept if scenario["challenge_header"] == "kept" else RECORDED | WITHOUT_CHALLENGE)


def test_a_server_with_its_own_authorization_server() -> None:
    assert levels(predict_from_manifest(manifest_of(ENDPOINT, RESOURCE, METADATA, *OWN_ENDPOINTS), "routes.json")) == {
        "RG031": "note"
    }


def test_a_manifest_without_resource_metadata() -> None:
    """This is the gateway before it had a manifest: only the endpoint and a copy of another server's metadata."""
    report = predict_from_manifest(manifest_of(ENDPOINT, METADATA), "routes.json")
    assert {"RG030", "RG041"} <= levels(report).keys()
    assert all("https://deployment.example" not in finding.message for finding in report.findings)
    # Only version 1 of the TypeScript SDK accepts the origin's copy of another server's metadata.
    assert failing(report, 404) == failing(report, 200) == RECORDED - {"typescript-v1"}


def test_resource_metadata_only_at_the_root() -> None:
    root = route("/.well-known/oauth-protected-resource", "protected-resource-metadata")
    rule_levels = levels(predict_from_manifest(manifest_of(ENDPOINT, root, METADATA), "routes.json"))
    assert rule_levels["RG041"] == "error", "if unknown paths answer 200, the first path has a page"


def test_an_authorization_server_of_the_app_without_metadata() -> None:
    report = predict_from_manifest(manifest_of(ENDPOINT, RESOURCE, *OWN_ENDPOINTS), "routes.json")
    assert {"RG051", "RG052"} <= levels(report).keys()
    # After a 404, clients use the endpoints at the origin. All but the Python SDK read a page as JSON.
    assert failing(report, 404) == set()
    assert failing(report, 200) == RECORDED - {"python-sdk"}


def test_a_server_without_a_sign_in() -> None:
    assert levels(predict_from_manifest(manifest_of(ENDPOINT), "routes.json")) == {"RG013": "warning"}


def test_every_client_connects_to_an_open_server_with_reserved_paths() -> None:
    reserved = [route.model_copy(update={"methods": (), "reserved": "clients ask"}) for route in (RESOURCE, METADATA)]
    report = predict_from_manifest(manifest_of(ENDPOINT, *reserved), "routes.json")
    assert levels(report) == {"RG013": "warning"}
    assert failing(report, 404) == failing(report, 200) == set()


def test_a_reserved_path_has_no_metadata() -> None:
    reserved = RESOURCE.model_copy(update={"methods": (), "reserved": "clients ask"})
    report = predict_from_manifest(manifest_of(ENDPOINT, reserved, *OWN_ENDPOINTS), "routes.json")
    assert levels(report) == levels(predict_from_manifest(manifest_of(ENDPOINT, *OWN_ENDPOINTS), "routes.json"))
    assert levels(report) == {"RG030": "error", "RG041": "error"}


def test_a_manifest_without_an_mcp_endpoint_is_an_error() -> None:
    assert levels(predict_from_manifest(manifest_of(METADATA), "routes.json")) == {"RG016": "error"}


def test_an_endpoint_behind_a_redirect_is_named_as_the_reason() -> None:
    reason = "the app serves /mcp/, which no route key can name"
    redirect = route("/mcp", "other", "POST").model_copy(update={"widened": reason})
    (finding,) = predict_from_manifest(manifest_of(redirect), "routes.json").findings
    assert finding.rule.id == "RG016"
    assert finding.message.endswith(f"/mcp only redirects: {reason}.")


def test_each_endpoint_is_predicted() -> None:
    other = route("/write/mcp", "mcp-endpoint", "POST")
    report = predict_from_manifest(manifest_of(ENDPOINT, other), "routes.json")
    assert [scenario["endpoint"] for scenario in report.details["scenarios"]] == ["/mcp"] * 4 + ["/write/mcp"] * 4


def test_reserved_paths_keep_an_open_server_open_for_every_client() -> None:
    documents = [path for path, _ in discovery_documents("/mcp")]
    reserved = [
        Route(path=path, methods=(), app="mcp", role="other", route_keys=(f"ANY {path}",), reserved="why")
        for path in documents
    ]
    report = predict_from_manifest(manifest_of(ENDPOINT, *reserved), "routes.json")
    outcomes = [client["outcome"] for scenario in report.details["scenarios"] for client in scenario["clients"]]
    assert set(outcomes) == {"connects"}
    without = predict_from_manifest(manifest_of(ENDPOINT), "routes.json")
    claude = [
        client["outcome"]
        for scenario in without.details["scenarios"]
        for client in scenario["clients"]
        if client["client"] == "claude-ai"
    ]
    assert claude == ["connects", "connects", "fails", "fails"], "a website answers 200 in the last two scenarios"


def test_the_issuer_of_an_authorization_server_below_a_path_has_that_path() -> None:
    routes = (
        route("/desk/mcp", "mcp-endpoint", "POST"),
        route("/.well-known/oauth-protected-resource/desk/mcp", "protected-resource-metadata"),
        route("/.well-known/oauth-authorization-server/desk", "authorization-server-metadata"),
        route("/desk/authorize", "authorization-endpoint"),
        route("/desk/token", "token-endpoint", "POST"),
        route("/desk/register", "registration-endpoint", "POST"),
    )
    report = predict_from_manifest(manifest_of(*routes), "routes.json")
    assert levels(report) == {"RG031": "note"}
    for catch_all in (404, 200):
        assert failing(report, catch_all) == set()


def test_metadata_below_a_path_is_an_error_that_names_the_right_place() -> None:
    misplaced = route("/api/.well-known/oauth-protected-resource/api/mcp", "misplaced-metadata")
    report = predict_from_manifest(manifest_of(route("/api/mcp", "mcp-endpoint", "POST"), misplaced), "routes.json")
    (finding,) = [finding for finding in report.findings if finding.rule.id == "RG046"]
    assert "clients look for it at /.well-known/oauth-protected-resource/api/mcp (RFC 9728" in finding.message
    for catch_all in (404, 200):
        assert failing(report, catch_all) >= RECORDED


def test_the_same_manifest_gives_the_same_report() -> None:
    assert json.dumps(predict_from_manifest(MANIFEST, "x").details) == json.dumps(
        predict_from_manifest(MANIFEST, "x").details
    )


def test_the_manifest_of_these_tests_is_valid(tmp_path: Path) -> None:
    """The reader of manifests accepts the routes above."""
    from routegen.manifest import dump_manifest, read_manifest

    file = tmp_path / "routes.json"
    file.write_bytes(dump_manifest(manifest_of(ENDPOINT, RESOURCE, METADATA, *OWN_ENDPOINTS)))
    assert read_manifest(file).routes
