"""Real MCP clients, each session a process of its own; `tests/clients` has them."""

import json
import multiprocessing
import os
import subprocess
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
from helpers.clients import session as python_client
from helpers.node import reason_not_to_run
from helpers.support import PROJECT

FOLDER = PROJECT / "tests" / "helpers" / "clients"

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["helpers.clients.session"])
_PATIENCE = 120  # seconds

CLIENTS = ("python", "typescript-v1", "typescript-v2")


def missing(client: str) -> str | None:
    """Why a client can't run here, if it can't."""
    return None if client == "python" else reason_not_to_run()


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
    if client == "python":
        return _python_session(mcp_url, state, wait, tool, arguments)
    program = ["node", str(FOLDER / "session.mjs"), client.removeprefix("typescript-")]
    done = subprocess.run(
        [*program, mcp_url, str(state), str(wait), tool, json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
        # A proxy would be asked for loopback too.
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _python_session(*arguments: Any) -> Any:
    """In a process that has been forked from one with the client imported, which takes longer than the session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PROJECT / "tests"))  # it isn't told our sys.path
        forkserver.ensure_running()
    ours, theirs = _FORKED.Pipe(duplex=False)
    process = _FORKED.Process(target=python_client.run, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        assert ours.poll(_PATIENCE), "the session doesn't end"
        return ours.recv()
    finally:
        process.kill()
        process.join()
