"""What is told from a manifest alone, before anything is deployed."""

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
    served = methods or ("GET",)
    return Route(path=path, methods=served, app="mcp", role=role, route_keys=(f"ANY {path}",))


def of(*routes: Route) -> Manifest:
    return Manifest(version=1, default="wiki", routes=tuple(sorted(routes, key=lambda one: one.path)))


ENDPOINT = route("/mcp", "mcp-endpoint", "DELETE", "POST")
RESOURCE = route("/.well-known/oauth-protected-resource/mcp", "protected-resource-metadata")
METADATA = route("/.well-known/oauth-authorization-server", "authorization-server-metadata")
OWN = (
    route("/authorize", "authorization-endpoint"),
    route("/token", "token-endpoint", "POST"),
    route("/register", "registration-endpoint", "POST"),
)


def levels(report: Report) -> dict[str, str]:
    return {finding.rule.id: finding.rule.level for finding in report.findings}


RECORDED = {client.id for client in CLIENTS} - {"claude-ai"}


def failing(report: Report, catch_all: int) -> set[str]:
    """The clients that fail where other paths answer so, whatever becomes of the challenge."""
    scenarios = [one for one in report.details["scenarios"] if one["catch_all"] == catch_all]
    first, second = ({one["client"] for one in each["clients"] if one["outcome"] == "fails"} for each in scenarios)
    assert first == second
    return first


def test_the_project_s_own_manifest_lets_every_client_in() -> None:
    report = predict_from_manifest(MANIFEST, "routes.json")
    assert levels(report) == {"RG031": "note"}
    assert len(report.details["scenarios"]) == len(SCENARIOS) == 4
    for scenario in report.details["scenarios"]:
        assert [one["client"] for one in scenario["clients"]] == [client.id for client in CLIENTS]
        connecting = {one["client"] for one in scenario["clients"] if one["outcome"] == "connects"}
        assert connecting == (RECORDED | {"claude-ai"} if scenario["challenge_header"] == "kept" else RECORDED)


def test_a_server_with_its_own_authorization_server() -> None:
    assert levels(predict_from_manifest(of(ENDPOINT, RESOURCE, METADATA, *OWN), "routes.json")) == {"RG031": "note"}


def test_documents_that_nobody_serves() -> None:
    """What the gateway had before there was a manifest: nothing but the endpoint."""
    report = predict_from_manifest(of(ENDPOINT, METADATA), "routes.json")
    assert {"RG030", "RG041"} <= levels(report).keys()
    assert all("https://deployment.example" not in finding.message for finding in report.findings)
    # The origin's copy of another server's metadata: only the SDK's first version takes it.
    assert failing(report, 404) == failing(report, 200) == RECORDED - {"typescript-v1"}


def test_the_document_of_an_old_release_at_the_root() -> None:
    root = route("/.well-known/oauth-protected-resource", "protected-resource-metadata")
    found = levels(predict_from_manifest(of(ENDPOINT, root, METADATA), "routes.json"))
    assert found["RG041"] == "error", "with 200 for everything, a page stands at the first place"


def test_no_metadata_of_an_own_authorization_server() -> None:
    report = predict_from_manifest(of(ENDPOINT, RESOURCE, *OWN), "routes.json")
    assert {"RG051", "RG052"} <= levels(report).keys()
    # A 404 leads to the endpoints at the origin; a page is taken for JSON by all but the Python SDK.
    assert failing(report, 404) == set()
    assert failing(report, 200) == RECORDED - {"python-sdk"}


def test_a_server_without_a_sign_in() -> None:
    assert levels(predict_from_manifest(of(ENDPOINT), "routes.json")) == {"RG013": "warning"}


def test_a_manifest_without_an_endpoint() -> None:
    with pytest.raises(ConfigError, match=r"routes\.json: no route has the role mcp-endpoint"):
        predict_from_manifest(of(METADATA), "routes.json")


def test_the_same_manifest_gives_the_same_report() -> None:
    assert json.dumps(predict_from_manifest(MANIFEST, "x").details) == json.dumps(
        predict_from_manifest(MANIFEST, "x").details
    )


def test_the_fixture_is_a_manifest_of_its_own(tmp_path: Path) -> None:
    """The routes above can be read back: each rule of the reader holds for them."""
    from routegen.manifest import dump_manifest, read_manifest

    file = tmp_path / "routes.json"
    file.write_bytes(dump_manifest(of(ENDPOINT, RESOURCE, METADATA, *OWN)))
    assert read_manifest(file).routes
