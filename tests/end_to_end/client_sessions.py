"""Sessions of real MCP clients, each in its own process. The clients are in `tests/helpers/clients`."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from helpers.clients import session as python_client
from helpers.forked import CONTEXT, import_before_fork, start
from helpers.node import reason_not_to_run
from helpers.support import PROJECT

FOLDER = PROJECT / "tests" / "helpers" / "clients"

_TIMEOUT_SECONDS = 120

import_before_fork("helpers.clients.session")

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
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = start(python_client.run, sender, *arguments)
    sender.close()
    try:
        assert receiver.poll(_TIMEOUT_SECONDS), "the session did not end in time"
        return receiver.recv()
    finally:
        process.kill()
        process.join()
