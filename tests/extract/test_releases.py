"""The paths of earlier FastMCP releases, each installed in its own environment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import routegen
from helpers.support import DATA
from routegen.roles import discovery_documents

PRM = "/.well-known/oauth-protected-resource"
ASM = "/.well-known/oauth-authorization-server"

# FastMCP gives its dependencies no upper limits, so each release is installed with current ones.
SERVED = {
    "fastmcp==2.11.3": {PRM: ["GET", "HEAD", "OPTIONS"], ASM: ["GET", "HEAD"], "/mcp": ["ANY"]},
    "fastmcp==2.14.5": {
        f"{PRM}/mcp": ["GET", "HEAD", "OPTIONS"],
        ASM: ["GET", "HEAD"],
        "/mcp": ["DELETE", "GET", "HEAD", "POST"],
    },
    "fastmcp>=3,<4": {f"{PRM}/mcp": ["GET", "HEAD", "OPTIONS"], ASM: ["GET", "HEAD"], "/mcp": ["DELETE", "POST"]},
    "fastmcp>=4,<5": {f"{PRM}/mcp": ["GET", "HEAD", "OPTIONS"], ASM: ["GET", "HEAD"], "/mcp": ["DELETE", "POST"]},
}


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("requirement", SERVED)
def test_the_manifest_has_the_paths_of_the_release(requirement: str, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    needs = [requirement, "click", "pydantic", "httpx"]
    subprocess.run([*uv, "pip", "install", "--python", python, *needs], check=True)
    # The routegen under test is not installed, so that it does not bring its own requirements.
    source = Path(routegen.__file__).parent.parent
    done = subprocess.run(
        [python, "-m", "routegen", "extract", DATA / "authkit.py:app"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(source)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    routes = json.loads(done.stdout)["routes"]
    served = {route["path"]: route["methods"] for route in routes if "reserved" not in route}
    assert served == SERVED[requirement]
    documents = {path for path, _ in discovery_documents("/mcp") if path.strip("/").count("/") > 1}
    assert {route["path"] for route in routes if "reserved" in route} == documents - served.keys()
