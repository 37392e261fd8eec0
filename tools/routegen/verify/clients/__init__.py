"""Predict what MCP clients will meet at a deployment: whether each client connects, or the error that it shows.

`predict` is a pure function of a client, the URL of the MCP endpoint, `Answers` and the day. Each module of a client
follows the client's sources and the requests of its recorded runs, or its documentation; `claims` has the versions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

from routegen.verify.answers import Answers, shown
from routegen.verify.clients import typescript_sdk
from routegen.verify.clients.claims import CLAIMS, CLIENT_IDS
from routegen.verify.clients.documented_client import TRAITS, DocumentedFlow
from routegen.verify.clients.mcp_remote import McpRemoteFlow
from routegen.verify.clients.python_sdk import PythonSdkFlow
from routegen.verify.clients.sign_in_flow import FlowError, PredictedOutcome, SignInFlow
from routegen.verify.clients.typescript_sdk import TypeScriptSdkFlow
from routegen.verify.clients.whatwg_url import parse_http_url
from routegen.verify.mcp_messages import EraAnswers


@dataclass(frozen=True)
class McpClient:
    """An MCP client, and the version that was recorded or documented."""

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
        version: the version of the client that the prediction is about.
        claims: the ids of the claims that the prediction relies on.
    """

    client: str
    outcome: PredictedOutcome
    error: str | None
    requests: tuple[tuple[str, str], ...]
    reason: str
    url: str | None = None
    assumptions: tuple[str, ...] = ()
    version: str = ""
    claims: tuple[str, ...] = ()


CLIENTS: tuple[McpClient, ...] = tuple(McpClient(client, CLAIMS[client].version) for client in CLIENT_IDS)

RECORDED_CLIENTS = tuple(client for client in CLIENTS if CLAIMS[client.id].kind == "recorded")
"""The clients whose runs were recorded; what is known of the others comes from documentation and reports."""

_FLOWS: dict[str, Callable[..., SignInFlow]] = {
    "python-sdk": PythonSdkFlow,
    "typescript-v1": partial(TypeScriptSdkFlow, traits=typescript_sdk.V1),
    "typescript-v2": partial(TypeScriptSdkFlow, traits=typescript_sdk.V2),
    "mcp-remote": partial(McpRemoteFlow, traits=typescript_sdk.MCP_REMOTE),
    "inspector": partial(TypeScriptSdkFlow, traits=typescript_sdk.INSPECTOR),
    **{traits.id: partial(DocumentedFlow, traits=traits) for traits in TRAITS},
}


def predict(
    client: McpClient,
    mcp_url: str,
    answers: Answers,
    *,
    eras: EraAnswers | None = None,
    today: date | None = None,
) -> Prediction:
    """Predict what a client will meet at an MCP endpoint.

    It raises no error, and requests only the deployment and the authorization servers that the deployment names.

    Args:
        client: the client to predict; for an id that is not in CLIENTS, the outcome is `unknown`.
        mcp_url: the URL of the MCP endpoint, as the user enters it.
        answers: the answers of the deployment and of its authorization servers.
        eras: the answers of the endpoint to clients of each era; None if they are not known.
        today: the day of the prediction: after the review date of a claim, the outcome is `unknown`. Without a day,
            every claim holds.
    """
    if client.id not in _FLOWS:
        return Prediction(client.id, "unknown", None, (), f"No run of the client {client.id} was recorded.")
    endpoint = parse_http_url(mcp_url)
    if endpoint is None:
        return Prediction(client.id, "unknown", None, (), f"{shown(mcp_url)} is not an http or https URL.", mcp_url)
    flow = _FLOWS[client.id](mcp_url, endpoint, answers, eras.modern if eras else None, [client.id])
    outcome: PredictedOutcome = "connects"
    error_text, url = None, None
    try:
        reason = flow.connect()
    except FlowError as error:
        outcome, error_text, reason, url = error.outcome, error.text, error.reason, error.url
    else:
        if eras and eras.is_modern_only and client.id != "python-sdk":
            is_recorded = CLAIMS[client.id].kind == "recorded"
            flow.claims.append(client.id if is_recorded else "modern-only")
            outcome, url = "fails" if is_recorded else "unknown", mcp_url
            reason = f"{mcp_url} does not answer `initialize`, the first message of the client after the sign-in."
    claims = tuple(dict.fromkeys(flow.claims))
    if claim := next((CLAIMS[claim] for claim in claims if today and CLAIMS[claim].review <= today), None):
        reason = (
            f"The claim {claim.id} ({claim.version}, {claim.source_date}) was to be reviewed on {claim.review}. "
            f"It predicted `{outcome}`: {reason}"
        )
        outcome, error_text, url = "unknown", None, url or mcp_url
    requests, assumptions = tuple(flow.requests), tuple(flow.assumptions)
    return Prediction(client.id, outcome, error_text, requests, reason, url, assumptions, client.version, claims)
