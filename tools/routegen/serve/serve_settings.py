"""How a local gateway is to behave: frozen data."""

from dataclasses import dataclass

from routegen.serve.aws_behaviour import DEFAULT, Decisions

MEGABYTE = 1024 * 1024
MAX_BODY = 10 * MEGABYTE
"""Bytes of a request's body ("Quotas for HTTP APIs", payload size)."""

MAX_LAMBDA = 6 * MEGABYTE
"""Bytes of an event and of a result ("Lambda quotas", invocation payload, each way)."""

MAX_HEADERS = 10_240
"""Bytes of request line and headers ("Quotas for HTTP APIs")."""


@dataclass(frozen=True)
class Settings:
    """What a user may set.

    Attributes:
        stage: the API's stage; None for `$default`, which no path shows.
        renames_challenge: whether `WWW-Authenticate` arrives as `x-amzn-remapped-www-authenticate`.
        timeout: seconds that a request may take, a start of its instance included (30 at most on AWS).
        max_instances: processes of one function at the same time.
        decisions: how to read what AWS leaves unclear.
    """

    stage: str | None = None
    renames_challenge: bool = True
    timeout: float = 30.0
    max_instances: int = 10
    decisions: Decisions = DEFAULT
