"""Source and manifest are followed, and no request in flight is lost."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from routegen.serve import local_gateway
from routegen.serve.file_versions import sources
from serve.running import MANIFEST, Running, Start, wait_for

NEW = 'def handler(event, context):\n    return "new"\n'


@pytest.fixture
def gateway(start: Start, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setattr(local_gateway, "POLL", 0.05)
    return start()


def rewrite(file: Path, text: str) -> None:
    """As editors do: another file in its place."""
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)


def test_changed_source_restarts_the_function_after_the_request_in_flight(
    gateway: Running, project: Path, tmp_path: Path
) -> None:
    other = gateway.get("/").json["pid"]
    file = tmp_path / "go"
    with ThreadPoolExecutor() as threads:
        held = threads.submit(gateway.get, f"/mcp?do=hold&file={quote(str(file))}")
        wait_for(Path(f"{file}.held"))
        rewrite(project / "mcp" / "echo.py", NEW)
        gateway.until("mcp: its source has changed")
        assert gateway.get("/mcp").body == b"new", "the next request needs the new source"
        file.touch()
        assert held.result().json["event"]["rawPath"] == "/mcp", "the one in flight is answered by the old"
    assert gateway.get("/mcp").body == b"new"
    assert gateway.get("/").json["pid"] == other, "the other function stays"


def test_broken_source_is_a_500_until_it_is_mended(gateway: Running, project: Path) -> None:
    assert gateway.get("/mcp").status == 200
    rewrite(project / "mcp" / "echo.py", "def handler(:\n")
    gateway.until("mcp: its source has changed")
    assert gateway.get("/mcp").status == 500
    assert "Syntax error in module 'echo'" in gateway.log
    (project / "mcp" / "echo.py").write_text(NEW)
    while gateway.get("/mcp").status == 500:
        time.sleep(0.01)


def test_a_changed_manifest_changes_the_routes(gateway: Running, project: Path) -> None:
    manifest: dict[str, Any] = json.loads(json.dumps(MANIFEST))
    assert gateway.get("/new").json["cwd"].endswith("wiki")
    manifest["routes"].append(
        {"path": "/new", "methods": ["GET"], "app": "mcp", "role": "other", "route_keys": ["GET /new"]}
    )
    rewrite(project / "routes.json", json.dumps(manifest))
    gateway.until("has changed: 3 route keys")
    assert gateway.get("/new").json["cwd"].endswith("mcp")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        (json.dumps({"version": 1, "default": "blog", "routes": []}), "[tool.routegen.apps.blog] is missing"),
    ],
)
def test_a_manifest_that_can_t_be_used_changes_nothing(gateway: Running, project: Path, text: str, said: str) -> None:
    rewrite(project / "routes.json", text)
    gateway.until("the routes stay as they are")
    assert said in gateway.log
    assert gateway.get("/mcp").json["cwd"].endswith("mcp")


def test_only_an_app_s_own_source_counts(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "page.html", ".venv/x.py", "__pycache__/x.py", "build/x.py", "data.json"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    assert {Path(file).relative_to(tmp_path).as_posix() for file in sources(tmp_path)} == {"a.py", "b/c.py"}
