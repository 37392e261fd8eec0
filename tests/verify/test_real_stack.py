"""The apps of this project behind the gateway on this machine: no finding, except for a missing route."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from end_to_end.full_stack import FullStack, full_stack
from helpers.forked import run_routegen
from helpers.support import PROJECT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    with full_stack(tmp_path_factory.mktemp("site") / "wiki") as running:
        yield running


def verify(site: FullStack, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = run_routegen(PROJECT, "verify", site.url, "--format", "json", *arguments)
    assert done.stderr == ""
    return done.code, json.loads(done.stdout)


def test_the_real_stack_has_no_error_and_no_warning(site: FullStack) -> None:
    code, report = verify(
        site,
        "--page",
        "/Home",
        "--page",
        "/",
        "--register",
        "--fail-on",
        "warning",
        "--timeout",
        "30",
    )
    assert {(finding["rule"], finding["level"]) for finding in report["findings"]} <= {
        ("RG031", "note"),
        ("RG068", "note"),
        ("RG080", "note"),
    }
    assert code == 0, report
    assert [(route["path"], route["app"]) for route in report["routes"]] == [
        (route["path"], route["app"])
        for route in json.loads((PROJECT / "generated" / "routes.json").read_text())["routes"]
    ]


def test_a_missing_route_of_a_document_is_a_finding(site: FullStack, tmp_path: Path) -> None:
    manifest = json.loads((PROJECT / "generated" / "routes.json").read_text())
    manifest["routes"].append({
        "path": "/.well-known/oauth-protected-resource/other", "methods": ["GET"], "app": "mcp",
        "role": "protected-resource-metadata", "route_keys": ["ANY /.well-known/oauth-protected-resource/other"],
    })  # fmt: skip
    manifest["routes"].sort(key=lambda route: route["path"])
    (tmp_path / "routes.json").write_text(json.dumps(manifest))
    code, report = verify(site, "--manifest", str(tmp_path / "routes.json"), "--timeout", "30")
    assert code == 1
    (finding,) = [finding for finding in report["findings"] if finding["level"] == "error"]
    assert finding["rule"] == "RG020"
    assert finding["subject"].endswith("/.well-known/oauth-protected-resource/other")
    assert "a web page" in finding["message"]
    assert "otterwiki does" in finding["message"]
    assert "the gateway lacks ANY /.well-known/oauth-protected-resource/other" in finding["fix"]
