"""What each client will meet, from the answers of a deployment: the interface, with no client known yet."""

from dataclasses import dataclass
from typing import Literal

from routegen.verify.answers import Answers

Outcome = Literal["connects", "fails", "unknown"]


@dataclass(frozen=True)
class Client:
    """A client, with the version that it was recorded with."""

    id: str
    version: str


@dataclass(frozen=True)
class Verdict:
    """What a client will meet."""

    client: str
    outcome: Outcome
    error: str | None
    probes: tuple[tuple[str, str], ...]
    why: str
    at: str | None = None


CLIENTS: tuple[Client, ...] = ()


def predict(client: Client, mcp_url: str, answers: Answers) -> Verdict:
    """The verdict for one client."""
    del mcp_url, answers
    return Verdict(client.id, "unknown", None, (), "no recording of it is known")
