"""Real MCP clients, each session a process of its own; `tests/clients` has them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from node import why_not
from support import PROJECT

FOLDER = PROJECT / "tests" / "clients"

CLIENTS = ("python", "typescript-v1", "typescript-v2")


def missing(client: str) -> str | None:
    """Why a client can't run here, if it can't."""
    return None if client == "python" else why_not()


def session(client: str, mcp_url: str, state: Path, tool: str, arguments: dict[str, Any], wait: float = 0) -> Any:
    """Run one session and return what it says: `tools`, `text`, `signedIn` and `refreshed`, or `error`.

    Args:
        client: one of CLIENTS.
        mcp_url: the server's.
        state: what the client has stored, kept for its next session.
        tool: the tool that it calls.
        arguments: of the tool.
        wait: seconds between the list of tools and the call.
    """
    program = [sys.executable, str(FOLDER / "session.py")]
    if client != "python":
        program = ["node", str(FOLDER / "session.mjs"), client.removeprefix("typescript-")]
    done = subprocess.run(
        [*program, mcp_url, str(state), str(wait), tool, json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=_environment(),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _environment() -> dict[str, str]:
    """A proxy would be asked for loopback too."""
    direct = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**direct, "PYTHONPATH": str(PROJECT / "tests")}
