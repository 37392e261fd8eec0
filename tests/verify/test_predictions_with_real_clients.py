"""Real clients and stacks with several faults: each client does what `verify` predicts.

Each combination of faults has its own deployment. First `verify` predicts the clients; then each client tries to sign
in, to list the tools and to call one. If the prediction is that a client connects, the client must do all of that. If
the prediction is that it fails, the error must be exactly the same. A prediction can have conditions that only a
sign-in can show, such as a server that accepts a token without a resource; such a condition can turn out false.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from end_to_end.client_sessions import run_session, skip_reason
from verify.broken_stack import Stack, broken_stack
from verify.conftest import VerifyStack
from verify.faults import FAULTS

CLIENTS = {"python-sdk": "python", "typescript-v1": "typescript-v1", "typescript-v2": "typescript-v2"}

COMBINATIONS = [
    # The challenge and the metadata of the resource
    ("challenge-renamed", "scopes"),
    ("challenge-renamed", "resource-404"),
    ("challenge-renamed", "resource-page"),
    ("challenge-renamed", "resource-500"),
    ("challenge-missing", "resource-type"),
    ("challenge-missing", "resource-redirects"),
    ("challenge-missing", "resource-doubled"),
    ("challenge-plain", "resource-parent"),
    ("challenge-plain", "resource-other"),
    ("challenge-wrong", "resource-type"),
    ("challenge-wrong", "resource-404"),
    ("challenge-elsewhere", "metadata-elsewhere", "resource-404"),
    ("challenge-elsewhere", "resource-404"),
    ("challenge-elsewhere", "metadata-elsewhere", "resource-page"),
    # The default app
    ("catch-all-200", "challenge-renamed"),
    ("catch-all-200", "challenge-renamed", "resource-404"),
    ("catch-all-200", "challenge-wrong"),
    ("catch-all-200", "resource-404", "route-shadowed"),
    ("route-shadowed", "challenge-missing"),
    ("route-shadowed", "challenge-missing", "resource-404"),
    ("route-missing", "resource-404"),
    # The older discovery
    ("origin-is-server", "resource-404"),
    ("origin-is-server", "resource-404", "challenge-missing"),
    ("origin-is-server", "resource-500", "challenge-missing"),
    ("resource-404", "challenge-missing"),
    # The metadata of the resource and of the authorization server
    ("resource-list", "challenge-missing"),
    ("resource-nan", "issuer-slash"),
    ("resource-none", "server-first-404"),
    ("resource-parent", "server-first-404"),
    ("no-servers", "challenge-renamed"),
    ("servers-text", "challenge-missing"),
    ("servers-missing", "challenge-renamed"),
    ("named-slash", "issuer-slash"),
    ("named-slash", "challenge-renamed"),
    ("issuer-slash", "challenge-renamed"),
    ("issuer-other", "no-registration"),
    ("issuer-none", "no-code"),
    # Only the authorization server
    ("server-first-404", "challenge-renamed"),
    ("server-first-500", "challenge-renamed"),
    ("server-first-page", "challenge-missing"),
    ("server-404", "challenge-missing"),
    ("server-404-page", "scopes"),
    ("server-page", "challenge-renamed"),
    ("server-list", "no-cors"),
    ("server-no-token-endpoint", "challenge-renamed"),
    ("server-no-authorization-endpoint", "no-registration"),
    ("server-no-response-types", "scopes"),
    ("server-scopes-text", "challenge-missing"),
    ("no-s256", "challenge-renamed"),
    ("no-pkce", "scopes"),
    ("no-code", "challenge-missing"),
    ("no-code-type", "challenge-renamed"),
    ("no-registration", "challenge-missing"),
    ("registration-refused", "challenge-renamed"),
    ("registration-page", "scopes"),
    # Faults that no client notices
    ("head-missing", "no-cors", "resource-no-cors"),
    ("keys-404", "page-404", "challenge-renamed"),
    ("scopes", "preflight", "no-keys"),
    # The endpoint
    ("mcp-page", "challenge-missing"),
    ("mcp-404", "resource-404"),
    ("mcp-403", "challenge-missing"),
    ("mcp-fails", "resource-500"),
]
NEED_A_TOKEN = ("token-", "session-", "dual-era", "header-lost", "listen-", "mcp-open")
"""Faults that only a client with a token meets, and a server without a sign-in: a prediction ends at the sign-in."""

SINGLE_FAULTS = [(name,) for name in FAULTS if not name.startswith(NEED_A_TOKEN)]
QUICK_COMBINATIONS = [*COMBINATIONS[1::16], ("iss-promised",), ("server-null",)]
"""The combinations of `make test`; the others take minutes."""


# Each condition of a prediction that only a sign-in can show, and the pattern of a client's error if it is false.
CONDITIONS_AND_ERRORS = {
    "accepts a token that names no resource": "401 after",
    "issues a token for": "is not among the Resource Indicators",
    "accepts the scope": "Invalid claim: 'scope'",
    "accepts the scope ": "invalid_client_metadata",
    "asks for an empty scope": "scope",
    "carries `iss`": "uthorization response",
    "can register at": "Registration failed: 404",
    "token endpoint http://authkit.example": r"Name or service not known|name resolution|fetch failed",
}


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(faults, marks=() if faults in QUICK_COMBINATIONS else pytest.mark.long, id="+".join(faults))
        for faults in COMBINATIONS + SINGLE_FAULTS
    ],
)
def test_each_client_does_what_verify_predicts(
    faults: tuple[str, ...], verify_stack: VerifyStack, tmp_path: Path
) -> None:
    installed = {name: client for name, client in CLIENTS.items() if not skip_reason(client)}
    with broken_stack({*faults}) as stack:
        clients = verify_stack(stack, register=True).details["clients"]
        outcomes = {name: outcome_of_session(stack, client, tmp_path) for name, client in installed.items()}
    predictions = {client["client"]: client for client in clients}
    assert {name: expected_outcome(predictions[name], outcomes[name]) for name in installed} == outcomes


def expected_outcome(prediction: dict[str, Any], outcome: tuple[str, str | None]) -> tuple[str, str | None]:
    """The predicted outcome and error, or the actual ones if the error shows that a condition is false."""
    error = outcome[1]
    if prediction["outcome"] == "unknown":
        return outcome
    if prediction["outcome"] == "connects" and error:
        conditions = " and ".join(prediction["assumptions"])
        if any(condition in conditions and re.search(text, error) for condition, text in CONDITIONS_AND_ERRORS.items()):
            return outcome
    # Where the exact words are not known, the prediction has none.
    return prediction["outcome"], prediction["error"] or (error if prediction["outcome"] == "fails" else None)


def outcome_of_session(stack: Stack, client: str, folder: Path) -> tuple[str, str | None]:
    """The outcome of a real client's session, and its error."""
    result = run_session(client, stack.mcp_url, folder / client, "hello", {})
    if "error" in result:
        return "fails", result["error"]
    assert (result["tools"], result["text"], result["signedIn"]) == (["hello"], "hello", True)
    return "connects", None
