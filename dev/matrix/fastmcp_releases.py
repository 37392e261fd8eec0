"""AuthKit on earlier FastMCP releases, each installed in an environment of its own that is thrown away.

In: a requirement. Out: a `Release`. Needs a package registry; takes up to a minute for each.
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

# FastMCP left its own dependencies open at the top: a release meets the Starlette, MCP SDK and pydantic of today.
REQUIREMENTS = (
    "fastmcp==2.11.3",
    "fastmcp==2.13.3",
    "fastmcp==2.14.*",
    "fastmcp==3.0.*",
    "fastmcp==3.*",
    "fastmcp==4.0.*",
    f"fastmcp=={version('fastmcp')}",
)
_APP = ROOT / "tests" / "helpers" / "data" / "authkit.py"


@dataclass(frozen=True)
class Release:
    """What one release has shown.

    Attributes:
        requirement: what was asked for.
        version: what was installed.
        served: path, methods and role of each route.
        requests: how many requests were tried.
        disagreements: one sentence each.
    """

    requirement: str
    version: str
    served: tuple[tuple[str, tuple[str, ...], str], ...]
    requests: int
    disagreements: tuple[str, ...]


def try_release(requirement: str) -> Release:
    """Install a release, extract the server and prove it.

    Raises:
        RuntimeError: a step failed; the text has its last line.
    """
    with tempfile.TemporaryDirectory() as directory:
        environment = Path(directory, "venv")
        uv = [sys.executable, "-m", "uv", "--quiet"]
        _run([*uv, "venv", "--python", sys.executable, str(environment)], directory)
        python = str(environment / "bin" / "python")
        _run([*uv, "pip", "install", "--python", python, requirement, "click", "pydantic", "httpx"], directory)
        installed = _run([python, "-c", "from importlib.metadata import version as v; print(v('fastmcp'))"], directory)
        # The routegen of this checkout, without installing it: it must not bring requirements of its own.
        manifest = _json([python, "-m", "routegen", "extract", str(_APP)], directory)
        (verdict,) = _json([python, "-m", "routegen", "prove", "--format", "json", str(_APP)], directory)["apps"]
    return Release(
        requirement,
        installed.strip(),
        tuple((route["path"], tuple(route["methods"]), route["role"]) for route in manifest["routes"]),
        verdict["requests"],
        tuple(one["text"] for one in verdict["disagreements"]),
    )


def _json(command: list[str], directory: str) -> Any:
    return json.loads(_run(command, directory, FOUND))


def _run(command: list[str], directory: str, found: int = 0) -> str:
    """Run a command away from this checkout, with routegen on the path; exit code `found` is a result too."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in {0, found}:
        last = done.stderr.rstrip().rpartition("\n")[2]
        raise RuntimeError(f"{' '.join(command[:4])}: exit code {done.returncode}: {last}")
    return done.stdout
