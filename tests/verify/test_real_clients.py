"""Real clients through stacks that are broken in several ways at once: what they meet is what was foretold.

Each combination has a deployment of its own. `verify` walks it first; then each client tries to sign in, to list the
tools and to call one. A client that was foretold to connect has to do all of that; of one that was foretold to fail,
the error has to be the same, to the letter. What only a sign-in can show (whether the server takes a token for no
resource) is a condition of the prediction, and may not hold.
"""

from pathlib import Path
from typing import Any

import pytest
from end_to_end.client_sessions import run_session, skip_reason
from verify.broken_stack import Stack, broken_stack
from verify.conftest import Run

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
    # The wiki behind it
    ("catch-all-200", "challenge-renamed"),
    ("catch-all-200", "challenge-renamed", "resource-404"),
    ("catch-all-200", "challenge-wrong"),
    ("catch-all-200", "resource-404", "route-taken"),
    ("route-taken", "challenge-missing"),
    ("route-taken", "challenge-missing", "resource-404"),
    ("route-missing", "resource-404"),
    # The older discovery
    ("origin-is-server", "resource-404"),
    ("origin-is-server", "resource-404", "challenge-missing"),
    ("origin-is-server", "resource-500", "challenge-missing"),
    ("resource-404", "challenge-missing"),
    # The resource's metadata and the server's
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
    # The server alone
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
    # What no client minds
    ("head-missing", "no-cors", "resource-no-cors"),
    ("keys-404", "wiki-404", "challenge-renamed"),
    ("scopes", "preflight", "no-keys"),
    # The endpoint
    ("mcp-page", "challenge-missing"),
    ("mcp-404", "resource-404"),
    ("mcp-403", "challenge-missing"),
    ("mcp-fails", "resource-500"),
]
QUICK = COMBINATIONS[1::11]
"""What a usual run of the suite tries; the rest take minutes."""


# What a prediction can't know before a user has signed in, by what it says about it; and what a client says then.
UNKNOWN_YET = {
    "accepts a token that names no resource": "401 after",
    "issues a token for": "is not among the Resource Indicators",
    "accepts the scope": "Invalid claim: 'scope'",
    "can register at": "Registration failed: 404",
}


@pytest.mark.parametrize(
    "faults",
    [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow, id="+".join(one)) for one in COMBINATIONS],
)
def test_what_was_foretold_is_what_a_client_meets(faults: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    able = {name: client for name, client in CLIENTS.items() if not skip_reason(client)}
    with broken_stack({*faults}) as stack:
        foretold = {one["client"]: one for one in run(stack, register=True).details["clients"]}
        met = {name: meeting(stack, client, tmp_path) for name, client in able.items()}
    assert {name: expected(foretold[name], met[name]) for name in able} == met


def expected(prediction: dict[str, Any], met: tuple[str, str | None]) -> tuple[str, str | None]:
    """What was foretold; where it was foretold under a condition, and what was met says that it doesn't hold, that."""
    if prediction["outcome"] == "connects" and met[1]:
        assumed = " and ".join(prediction["assumptions"])
        if any(condition in assumed and says in met[1] for condition, says in UNKNOWN_YET.items()):
            return met
    return prediction["outcome"], prediction["error"]


def meeting(stack: Stack, client: str, folder: Path) -> tuple[str, str | None]:
    """The outcome of a session, and its error."""
    happened = run_session(client, stack.mcp_url, folder / client, "hello", {})
    if "error" in happened:
        return "fails", happened["error"]
    assert (happened["tools"], happened["text"], happened["signedIn"]) == (["hello"], "hello", True)
    return "connects", None
