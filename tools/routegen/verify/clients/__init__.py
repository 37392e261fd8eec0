"""What each client will meet, from the answers of a deployment: a pure function over them.

In: a client, the MCP endpoint's URL and `Answers`. Out: a `Verdict`. A module for each family says how it discovers,
from its sources and from what its clients asked when they were recorded; the versions are those of the recording.
"""

from collections.abc import Callable

from routegen.verify.answers import Answers
from routegen.verify.clients import claude, python, remote, typescript
from routegen.verify.clients.model import Client, Flow, FlowError, Outcome, Verdict

__all__ = ["CLIENTS", "Client", "Outcome", "Verdict", "predict"]

CLIENTS: tuple[Client, ...] = (
    Client("python-sdk", "fastmcp 4.1.2 on mcp 2.3.0"),
    Client("typescript-v1", "@modelcontextprotocol/sdk 1.32.2"),
    Client("typescript-v2", "@modelcontextprotocol/client 2.4.0"),
    Client("mcp-remote", "mcp-remote 0.15.1"),
    Client("inspector", "@modelcontextprotocol/inspector 2.12.0"),
    Client("claude-ai", "as documented in 2026"),
)

_WALKS: dict[str, Callable[[Flow], str]] = {
    "python-sdk": python.connect,
    "typescript-v1": lambda flow: typescript.connect(flow, typescript.V1),
    "typescript-v2": lambda flow: typescript.connect(flow, typescript.V2),
    "mcp-remote": remote.connect,
    "inspector": lambda flow: typescript.connect(flow, typescript.INSPECTOR),
    "claude-ai": claude.connect,
}


def predict(client: Client, mcp_url: str, answers: Answers) -> Verdict:
    """The verdict for one client; it never raises, and asks only the deployment and the servers that it names."""
    walk = _WALKS.get(client.id)
    if walk is None:
        return Verdict(client.id, "unknown", None, (), "Nobody has recorded what it asks.")
    flow = Flow(mcp_url, answers)
    try:
        why = walk(flow)
    except FlowError as end:
        return Verdict(client.id, end.outcome, end.error, tuple(flow.probes), end.why, end.at, tuple(flow.assumed))
    return Verdict(client.id, "connects", None, tuple(flow.probes), why, assumes=tuple(flow.assumed))
