"""Changes of source and manifest take effect, and no current request is lost."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from routegen.serve import local_gateway
from routegen.serve.file_versions import source_versions
from serve.running_gateway import MANIFEST, RunningGateway, StartGateway, wait_for_file

NEW = 'def handler(event, context):\n    return "new"\n'


@pytest.fixture
def gateway(start: StartGateway, monkeypatch: pytest.MonkeyPatch) -> RunningGateway:
    monkeypatch.setattr(local_gateway, "POLL_INTERVAL", 0.05)
    return start()


def replace_file(file: Path, text: str) -> None:
    """Replace a file by a new one, as editors do."""
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)


def test_changed_source_restarts_the_function_after_its_current_request(
    gateway: RunningGateway, project: Path, tmp_path: Path
) -> None:
    wiki_pid = gateway.get("/").json["pid"]
    file = tmp_path / "go"
    with ThreadPoolExecutor() as threads:
        held_request = threads.submit(gateway.get, f"/mcp?do=hold&file={quote(str(file))}")
        wait_for_file(Path(f"{file}.held"))
        replace_file(project / "mcp" / "echo.py", NEW)
        gateway.wait_for_log("mcp: its source has changed")
        assert gateway.get("/mcp").body == b"new", "a new request uses the new source"
        file.touch()
        assert held_request.result().json["event"]["rawPath"] == "/mcp", (
            "the current request is answered by the old source"
        )
    assert gateway.get("/mcp").body == b"new"
    assert gateway.get("/").json["pid"] == wiki_pid, "the other function keeps its instance"


def test_broken_source_is_a_500_until_it_is_repaired(gateway: RunningGateway, project: Path) -> None:
    assert gateway.get("/mcp").status == 200
    replace_file(project / "mcp" / "echo.py", "def handler(:\n")
    gateway.wait_for_log("mcp: its source has changed")
    assert gateway.get("/mcp").status == 500
    assert "Syntax error in module 'echo'" in gateway.log
    (project / "mcp" / "echo.py").write_text(NEW)
    while gateway.get("/mcp").status == 500:
        time.sleep(0.01)


def test_a_changed_manifest_changes_the_routes(gateway: RunningGateway, project: Path) -> None:
    manifest: dict[str, Any] = json.loads(json.dumps(MANIFEST))
    assert gateway.get("/new").json["cwd"].endswith("wiki")
    manifest["routes"].append(
        {"path": "/new", "methods": ["GET"], "app": "mcp", "role": "other", "route_keys": ["GET /new"]}
    )
    replace_file(project / "routes.json", json.dumps(manifest))
    gateway.wait_for_log("has changed: 3 route keys")
    assert gateway.get("/new").json["cwd"].endswith("mcp")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        (json.dumps({"version": 1, "default": "blog", "routes": []}), "[tool.routegen.apps.blog] is missing"),
    ],
)
def test_an_invalid_manifest_changes_nothing(gateway: RunningGateway, project: Path, text: str, problem: str) -> None:
    replace_file(project / "routes.json", text)
    gateway.wait_for_log("the changed manifest is not used, the routes stay as they are: ")
    assert problem in gateway.log
    assert gateway.get("/mcp").json["cwd"].endswith("mcp")


def test_only_the_python_files_of_the_app_are_followed(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "page.html", ".venv/x.py", "__pycache__/x.py", "build/x.py", "data.json"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    assert {Path(file).relative_to(tmp_path).as_posix() for file in source_versions(tmp_path)} == {"a.py", "b/c.py"}
