"""Predict what MCP clients will meet at a deployment: whether each client connects, or the error that it shows.

`predict` is a pure function of a client, the URL of the MCP endpoint and `Answers`. Each module of a client follows the
client's sources and the requests of its recorded runs; `McpClient.version` is the recorded version.
"""

from collections.abc import Callable
from dataclasses import dataclass

from routegen.verify.answers import Answers
from routegen.verify.clients import claude_connector, mcp_remote, python_sdk, typescript_sdk
from routegen.verify.clients.sign_in_flow import FlowError, PredictedOutcome, SignInFlow
from routegen.verify.clients.whatwg_url import is_http_url, parse_url


@dataclass(frozen=True)
class McpClient:
    """An MCP client and the version whose runs were recorded."""

    id: str
    version: str


@dataclass(frozen=True)
class Prediction:
    """What an MCP client will meet at a deployment.

    Attributes:
        client: the client's id.
        outcome: `connects` means that the user reaches the sign-in page; only a user can go further.
        error: the text that the user will see; None if there is none, or if its exact words are not known.
        requests: method and URL of each request up to the sign-in, in the order of the client.
        reason: the reason for the outcome, in one sentence.
        url: the URL whose answer ends the flow; None for a client that connects.
        assumptions: conditions of the prediction that no request has tested.
    """

    client: str
    outcome: PredictedOutcome
    error: str | None
    requests: tuple[tuple[str, str], ...]
    reason: str
    url: str | None = None
    assumptions: tuple[str, ...] = ()


CLIENTS: tuple[McpClient, ...] = (
    McpClient("python-sdk", "fastmcp 4.1.2 on mcp 2.3.0"),
    McpClient("typescript-v1", "@modelcontextprotocol/sdk 1.32.2"),
    McpClient("typescript-v2", "@modelcontextprotocol/client 2.4.0"),
    McpClient("mcp-remote", "mcp-remote 0.15.1"),
    McpClient("inspector", "@modelcontextprotocol/inspector 2.12.0"),
    McpClient("claude-ai", "as documented in 2026"),
)

_CONNECT: dict[str, Callable[[SignInFlow], str]] = {
    "python-sdk": python_sdk.connect,
    "typescript-v1": lambda flow: typescript_sdk.connect(flow, typescript_sdk.V1),
    "typescript-v2": lambda flow: typescript_sdk.connect(flow, typescript_sdk.V2),
    "mcp-remote": mcp_remote.connect,
    "inspector": lambda flow: typescript_sdk.connect(flow, typescript_sdk.INSPECTOR),
    "claude-ai": claude_connector.connect,
}


def predict(client: McpClient, mcp_url: str, answers: Answers) -> Prediction:
    """Predict what a client will meet at an MCP endpoint.

    It raises no error, and requests only the deployment and the authorization servers that the deployment names.

    Args:
        client: the client to predict; for an id that is not in CLIENTS, the outcome is `unknown`.
        mcp_url: the URL of the MCP endpoint, as the user enters it.
        answers: the answers of the deployment and of its authorization servers.
    """
    connect = _CONNECT.get(client.id)
    if connect is None:
        return Prediction(client.id, "unknown", None, (), f"No run of the client {client.id} was recorded.")
    endpoint = parse_url(mcp_url)
    if endpoint is None or not is_http_url(mcp_url):
        return Prediction(client.id, "unknown", None, (), f"{mcp_url[:200]} is not an http or https URL.", mcp_url)
    flow = SignInFlow(mcp_url, endpoint, answers)
    try:
        reason = connect(flow)
    except FlowError as error:
        requests, assumptions = tuple(flow.requests), tuple(flow.assumptions)
        return Prediction(client.id, error.outcome, error.text, requests, error.reason, error.url, assumptions)
    return Prediction(client.id, "connects", None, tuple(flow.requests), reason, assumptions=tuple(flow.assumptions))
