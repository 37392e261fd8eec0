"""Sessions of real MCP clients, each in its own process; that of FastMCP's client is forked, which is faster."""

from pathlib import Path
from typing import Any

from helpers.clients import session as python_client
from helpers.forked import CONTEXT, import_before_fork, start
from helpers.node import reason_not_to_run

from dev.client_lab import client_sessions

_TIMEOUT_SECONDS = 120

import_before_fork("helpers.clients.session")

CLIENTS = ("python", "typescript-v1", "typescript-v2")


def skip_reason(client: str) -> str | None:
    """Return the reason why a client cannot run on this machine, or None."""
    return None if client == "python" else reason_not_to_run()


def run_session(client: str, mcp_url: str, state: Path, tool: str, arguments: dict[str, Any], wait: float = 0) -> Any:
    """Run one session as `dev.client_lab.client_sessions` does."""
    if client == "python":
        return _python_session(mcp_url, state, wait, tool, arguments)
    return client_sessions.run_session(client, mcp_url, state, client_sessions.ToolCall(tool, arguments, wait))


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
