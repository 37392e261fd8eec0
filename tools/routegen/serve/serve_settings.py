"""Settings of the local gateway that a user can choose."""

from dataclasses import dataclass

from routegen.serve.aws_behaviour import INTEGRATION_TIMEOUT


@dataclass(frozen=True)
class ServeSettings:
    """The settings of one run.

    Attributes:
        stage: the API's named stage, with which every path begins; None for `$default`, which is in no path.
        renames_challenge: whether `WWW-Authenticate` arrives as `x-amzn-remapped-www-authenticate`.
        timeout: seconds that a request can take, including the start of its instance.
        public_url: the origin that clients use, if a tunnel leads from it to the gateway; None for the gateway's own.
        max_instances: number of processes of one function at the same time.
        shows_values: whether the log and the inspector show all values, also secrets.
    """

    stage: str | None = None
    renames_challenge: bool = True
    timeout: float = INTEGRATION_TIMEOUT
    max_instances: int = 10
    public_url: str | None = None
    shows_values: bool = False
