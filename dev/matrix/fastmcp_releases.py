"""Extract and prove a server with AuthKit on older FastMCP releases.

Each release is installed in a temporary virtual environment, which needs a package registry and up to a minute.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from routegen.cli.failures import FOUND

from dev.matrix.prove_provider import ROOT

# FastMCP sets no upper limits for its dependencies, so each release runs with the present Starlette and MCP SDK.
REQUIREMENTS = (
    "fastmcp==2.11.3",
    "fastmcp==2.13.3",
    "fastmcp==2.14.*",
    "fastmcp==3.0.*",
    "fastmcp==3.*",
    "fastmcp==4.0.*",
    "fastmcp==4.1.*",
    f"fastmcp=={version('fastmcp')}",
)
_APP = ROOT / "tests" / "helpers" / "data" / "authkit.py"


@dataclass(frozen=True)
class FastmcpRelease:
    """The result of one release.

    Attributes:
        requirement: the requirement that was installed.
        version: the installed version.
        served: path, methods and role of each route.
        requests: the number of requests of the proof.
        disagreements: one sentence for each disagreement.
    """

    requirement: str
    version: str
    served: tuple[tuple[str, tuple[str, ...], str], ...]
    requests: int
    disagreements: tuple[str, ...]


def prove_release(requirement: str) -> FastmcpRelease:
    """Install a release, and extract and prove the server with it.

    Raises:
        RuntimeError: a command has failed; the text contains its last line.
    """
    with tempfile.TemporaryDirectory() as directory:
        environment = Path(directory, "venv")
        uv = [sys.executable, "-m", "uv", "--quiet"]
        _run([*uv, "venv", "--python", sys.executable, str(environment)], directory)
        python = str(environment / "bin" / "python")
        _run([*uv, "pip", "install", "--python", python, requirement, "click", "pydantic", "httpx"], directory)
        installed = _run([python, "-c", "from importlib.metadata import version as v; print(v('fastmcp'))"], directory)
        # routegen is on PYTHONPATH and not installed, so that its requirements do not change the environment.
        manifest = _json([python, "-m", "routegen", "extract", str(_APP)], directory)
        report = _json([python, "-m", "routegen", "prove", "--format", "json", str(_APP)], directory)
    return FastmcpRelease(
        requirement,
        installed.strip(),
        tuple(
            (route["path"], tuple(route["methods"]), route["role"])
            for route in manifest["routes"]
            if "reserved" not in route
        ),
        sum(app["requests"] for app in report["apps"]),
        tuple(finding["message"] for finding in report["findings"]),
    )


def _json(command: list[str], directory: str) -> Any:
    return json.loads(_run(command, directory, FOUND))


def _run(command: list[str], directory: str, allowed_exit_code: int = 0) -> str:
    """Run a command outside this checkout with routegen on PYTHONPATH, and return its stdout."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    completed = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False)
    if completed.returncode not in {0, allowed_exit_code}:
        last_line = completed.stderr.rstrip().rpartition("\n")[2]
        raise RuntimeError(f"{' '.join(command[:4])}: exit code {completed.returncode}: {last_line}")
    return completed.stdout
