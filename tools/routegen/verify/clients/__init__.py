"""What each client will meet, from the answers of a deployment: a pure function over them.

In: a client, the MCP endpoint's URL and `Answers`. Out: a `Prediction`. A module for each family says how it discovers,
from its sources and from what its clients asked when they were recorded; the versions are those of the recording.
"""

from collections.abc import Callable

from routegen.verify.answers import Answers
from routegen.verify.clients import claude_connector, mcp_remote, python_sdk, typescript_sdk
from routegen.verify.clients.sign_in_flow import Client, Flow, FlowError, Outcome, Prediction

__all__ = ["CLIENTS", "Client", "Outcome", "Prediction", "predict"]

CLIENTS: tuple[Client, ...] = (
    Client("python-sdk", "fastmcp 4.1.2 on mcp 2.3.0"),
    Client("typescript-v1", "@modelcontextprotocol/sdk 1.32.2"),
    Client("typescript-v2", "@modelcontextprotocol/client 2.4.0"),
    Client("mcp-remote", "mcp-remote 0.15.1"),
    Client("inspector", "@modelcontextprotocol/inspector 2.12.0"),
    Client("claude-ai", "as documented in 2026"),
)

_WALKS: dict[str, Callable[[Flow], str]] = {
    "python-sdk": python_sdk.connect,
    "typescript-v1": lambda flow: typescript_sdk.connect(flow, typescript_sdk.V1),
    "typescript-v2": lambda flow: typescript_sdk.connect(flow, typescript_sdk.V2),
    "mcp-remote": mcp_remote.connect,
    "inspector": lambda flow: typescript_sdk.connect(flow, typescript_sdk.INSPECTOR),
    "claude-ai": claude_connector.connect,
}


def predict(client: Client, mcp_url: str, answers: Answers) -> Prediction:
    """The prediction for one client; it never raises, and asks only the deployment and the servers that it names."""
    walk = _WALKS.get(client.id)
    if walk is None:
        return Prediction(client.id, "unknown", None, (), "Nobody has recorded what it asks.")
    flow = Flow(mcp_url, answers)
    try:
        reason = walk(flow)
    except FlowError as end:
        return Prediction(
            client.id, end.outcome, end.error, tuple(flow.requests), end.reason, end.url, tuple(flow.assumptions)
        )
    return Prediction(client.id, "connects", None, tuple(flow.requests), reason, assumptions=tuple(flow.assumptions))
