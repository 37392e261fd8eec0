"""Sessions of real MCP clients, each in its own process. The clients are in `tests/helpers/clients`."""

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

_FORKSERVER = multiprocessing.get_context("forkserver")
_FORKSERVER.set_forkserver_preload(["helpers.clients.session"])
_TIMEOUT_SECONDS = 120

CLIENTS = ("python", "typescript-v1", "typescript-v2")


def skip_reason(client: str) -> str | None:
    """Return the reason why a client cannot run on this machine, or None."""
    return None if client == "python" else reason_not_to_run()


def run_session(client: str, mcp_url: str, state: Path, tool: str, arguments: dict[str, Any], wait: float = 0) -> Any:
    """Run one session, and return its result: `tools`, `text`, `signedIn` and `refreshed`, or `error`.

    Args:
        client: one of CLIENTS.
        mcp_url: the URL of the MCP server.
        state: the directory in which the client stores its state for the next session.
        tool: the tool that the client calls.
        arguments: the arguments of the tool.
        wait: the seconds between the list of tools and the call.
    """
    if client == "python":
        return _python_session(mcp_url, state, wait, tool, arguments)
    program = ["node", str(FOLDER / "session.mjs"), client.removeprefix("typescript-")]
    completed = subprocess.run(
        [*program, mcp_url, str(state), str(wait), tool, json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
        # Without the variables of a proxy, which would get the requests to loopback too.
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


def _python_session(*arguments: Any) -> Any:
    """Fork the process from a server process that has imported the client, because the import is slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PROJECT / "tests"))  # the server process does not get sys.path
        forkserver.ensure_running()
    receiver, sender = _FORKSERVER.Pipe(duplex=False)
    process = _FORKSERVER.Process(target=python_client.run, args=(sender, *arguments))
    process.start()
    sender.close()
    try:
        assert receiver.poll(_TIMEOUT_SECONDS), "the session did not end in time"
        return receiver.recv()
    finally:
        process.kill()
        process.join()
