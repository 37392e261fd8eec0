"""Predictions from a manifest, before any deployment."""

import json
from pathlib import Path
from typing import Any

import pytest
from routegen.errors import ConfigError
from routegen.manifest import Manifest, Route
from routegen.report import Report
from routegen.verify.clients import CLIENTS
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


RECORDED = {client.id for client in CLIENTS} - {"claude-ai"}


def failing(report: Report, catch_all: int) -> set[str]:
    """The clients that fail if unknown paths have this status; the name of the challenge header has no influence."""
    scenarios = [scenario for scenario in report.details["scenarios"] if scenario["catch_all"] == catch_all]
    first, second = (
        {client["client"] for client in scenario["clients"] if client["outcome"] == "fails"} for scenario in scenarios
    )
    assert first == second
    return first


def test_every_client_connects_with_the_manifest_of_this_project() -> None:
    report = predict_from_manifest(MANIFEST, "routes.json")
    assert levels(report) == {"RG031": "note"}
    assert len(report.details["scenarios"]) == len(SCENARIOS) == 4
    for scenario in report.details["scenarios"]:
        assert [client["client"] for client in scenario["clients"]] == [client.id for client in CLIENTS]
        connecting = {client["client"] for client in scenario["clients"] if client["outcome"] == "connects"}
        assert connecting == (RECORDED | {"claude-ai"} if scenario["challenge_header"] == "kept" else RECORDED)


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
    with pytest.raises(ConfigError, match=r"routes\.json: no route has the role mcp-endpoint"):
        predict_from_manifest(manifest_of(METADATA), "routes.json")


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
