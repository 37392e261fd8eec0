"""`routegen prove` on apps that agree with their manifest, and on apps that do not."""

import json
from pathlib import Path

import pytest
from helpers.support import PROJECT, SMALL_APP, Routegen


@pytest.fixture
def manifest(committed: Path) -> dict[str, list[dict[str, object]]]:
    document: dict[str, list[dict[str, object]]] = json.loads(committed.read_text())
    return document


def test_a_current_manifest_has_no_disagreement(committed: Path, routegen: Routegen) -> None:
    done = routegen("prove")
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("Apps\n  mcp  ")
    assert " requests  made from 2 served paths\n" in done.stdout
    assert done.stdout.endswith("generated/routes.json: no disagreement\n")


def test_a_missing_route_is_under_routed(
    committed: Path, routegen: Routegen, manifest: dict[str, list[dict[str, object]]]
) -> None:
    manifest["routes"] = [route for route in manifest["routes"] if route["path"] != "/items/{id}"]
    committed.write_text(json.dumps(manifest))
    done = routegen("prove", "--format", "json")
    assert done.code == 1
    report = json.loads(done.stdout)
    (app,) = report["apps"]
    requests = app["disagreements"]
    kinds = {(request["kind"], request["route_key"], request["goes_to"]) for request in requests}
    assert kinds == {("under-routed", None, "wiki")}
    assert {finding["rule"] for finding in report["findings"]} == {"RG300"}
    subjects = [f"{request['method']} {request['path']}" for request in requests]
    assert [finding["subject"] for finding in report["findings"]] == subjects
    by_length = sorted(requests, key=lambda request: (len(request["path"]), request["path"], request["method"]))
    assert requests == by_length
    assert "GET /items/7" in subjects
    text = routegen("prove").stdout
    assert "error   RG300  GET /items/7\n" in text
    assert "GET /items/7 is served by mcp at /items/{id:int} (GET HEAD), and goes to wiki.\n" in text
    assert routegen("prove", "--ignore", "RG300").code == 0
    assert routegen("prove", "--fail-on", "never").code == 0


def test_a_route_that_is_too_wide_is_over_routed(
    committed: Path, routegen: Routegen, manifest: dict[str, list[dict[str, object]]]
) -> None:
    (route,) = [route for route in manifest["routes"] if route["path"] == "/items/{id}"]
    del route["widened"]
    committed.write_text(json.dumps(manifest))
    done = routegen("prove")
    assert done.code == 1
    assert "error   RG301  GET /items/x\n" in done.stdout
    assert "GET /items/x goes to mcp through ANY /items/{id}, and mcp serves nothing there.\n" in done.stdout


def test_no_endpoint_runs_and_no_lifespan_starts(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(
        "from pathlib import Path\n" + SMALL_APP.replace('return PlainTextResponse("yes")', "Path('touched').touch()")
    )
    done = routegen("prove", "server.py:app")
    assert done.code == 0, done.stderr
    assert not list(project.rglob("touched"))


def test_without_configuration_the_manifest_of_the_app_is_proven(project: Path, routegen: Routegen) -> None:
    (project / "pyproject.toml").unlink()
    assert routegen("prove", "server.py:app", "--name", "api").stdout.startswith("Apps\n  api  ")
    assert routegen("prove", "server.py:app", "--manifest", "missing.json").code == 4


def test_the_project_s_own_server(routegen: Routegen) -> None:
    done = routegen("prove", cwd=PROJECT)
    assert done.code == 0, done.stdout
    assert "no disagreement" in done.stdout


SLOW = """
import time

def slowly(app):
    async def middleware(scope, receive, send):
        time.sleep(0.04)
        await app(scope, receive, send)
    return middleware

app = slowly(app)
"""


def test_the_time_out_is_only_for_loading_the_app(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(SMALL_APP + SLOW)
    done = routegen("prove", "server.py:app", "--timeout", "4")
    assert done.code == 0, done.stderr
    requests = int(done.stdout.split()[2])
    assert requests * 0.04 > 4, "so that driving takes longer than the time-out"
