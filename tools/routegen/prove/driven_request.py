"""One request to an app, with its outcome, as data."""

from typing import NamedTuple

from routegen.discover.routing_model import Outcome


class DrivenRequest(NamedTuple):
    """A request to an app, with its outcome.

    Attributes:
        method: the request's method.
        path: the request's path, percent-encoded.
        outcome: the outcome.
        position: the position, in the list of served paths, of the route that was reached; -1 for none.
        status: the status with which middleware answered, or 0 for an error, so that the router was asked without it;
            None if the router itself answered.
        is_page: whether the app answers a document as it answers an invented path, for example with its page for a 404.
    """

    method: str
    path: str
    outcome: Outcome
    position: int = -1
    status: int | None = None
    is_page: bool = False
