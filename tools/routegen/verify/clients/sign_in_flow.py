"""What a prediction is made of: the client, the prediction itself, and the flow that asks as the client does.

A family's module walks a `Flow` to the point where the user signs in. It returns why the client gets there, and raises
`FlowError` where it doesn't.
"""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin

from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.clients.whatwg_url import Web, parsed
from routegen.verify.documents import REDIRECTS

Outcome = Literal["connects", "fails", "unknown"]
Redirects = Literal["within", "anywhere"]

NETWORK = frozenset({"dns", "refused", "tls"})
"""The failures that a client meets too; the others come from how this run asks."""

_MOST = 30
_WITHIN = 5


@dataclass(frozen=True)
class Client:
    """A client, with the version that it was recorded with."""

    id: str
    version: str


@dataclass(frozen=True)
class Prediction:
    """What a client will meet.

    Attributes:
        client: its id.
        outcome: `connects` is up to the sign-in itself, which only a user can walk.
        error: the text that its user will see; None where there is none, or where it can't be told to the letter.
        requests: method and URL of each request up to the sign-in, in the order of the client.
        reason: the reason for the outcome, in one sentence.
        url: the URL whose answer ends the flow; None for a client that connects.
        assumptions: what must hold for the prediction, because it was not requested or cannot be requested.
    """

    client: str
    outcome: Outcome
    error: str | None
    requests: tuple[tuple[str, str], ...]
    reason: str
    url: str | None = None
    assumptions: tuple[str, ...] = ()


class FlowError(Exception):
    """The flow ends before the sign-in."""

    def __init__(
        self, outcome: Outcome, reason: str, url: str, error: str | None = None, status: int | None = None
    ) -> None:
        """Take what the prediction says, and the status of the MCP endpoint's answer where that is what ends it."""
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason = reason
        self.url = url
        self.error = error
        self.status = status


def fails(reason: str, url: str, error: str | None = None, status: int | None = None) -> FlowError:
    """The client gives up."""
    return FlowError("fails", reason, url, error, status)


def unknown(reason: str, url: str) -> FlowError:
    """What the client meets can't be told."""
    return FlowError("unknown", reason, url)


@dataclass
class Flow:
    """One client on its way.

    Attributes:
        mcp_url: the MCP endpoint, as the user gives it.
        answers: what the deployment answers.
        requests: the requests of the client up to now.
        assumptions: what the prediction assumes, because it was not requested.
    """

    mcp_url: str
    answers: Answers
    requests: list[tuple[str, str]] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> Web:
        """The MCP endpoint's URL in parts."""
        web = parsed(self.mcp_url)
        if web is None or not is_web(self.mcp_url):
            raise unknown(f"{self.mcp_url[:200]} is not a URL that a client can ask.", self.mcp_url)
        return web

    def ask(self, method: str, url: str) -> Answer | Failure:
        """One request, without its redirects.

        Raises:
            FlowError: there is no answer, and what the client would get is not known.
        """
        if len(self.requests) == _MOST:
            raise unknown(f"It has asked {_MOST} times and is not at the end.", url)
        if not is_web(url):
            return Failure(method, url, "refused", "it is not a web URL")
        self.requests.append((method, url))
        answer = self.answers.get(method, url)
        if (
            isinstance(answer, Failure)
            and answer.kind not in NETWORK
            and (method, answer.kind) != ("POST", "not-asked")
        ):
            raise unknown(f"{method} {url} has no answer here: {answer.why}.", url)
        return answer

    def get(self, url: str, redirects: Redirects = "within") -> Answer | Failure:
        """A GET as the client follows it; a redirect that it doesn't follow is the answer."""
        return self.follow("GET", url, redirects)

    def follow(self, method: str, url: str, redirects: Redirects = "within") -> Answer | Failure:
        """A request with its redirects.

        `within` follows a redirect that keeps the method and the origin, or goes from http to https on the default
        ports, five times. `anywhere` follows all, as `fetch` does by itself (WHATWG Fetch, section 4.5).
        """
        seen = [url]
        while True:
            answer = self.ask(method, seen[-1])
            if isinstance(answer, Failure) or (target := redirect_of(answer)) is None:
                return answer
            if redirects == "anywhere":
                if target in seen:
                    return Failure(method, url, "refused", "its redirects go round in circles")
                self._check_known(seen[-1], target)
                method = "GET" if answer.status in {301, 302, 303} else method
            elif not _stays(method, answer, parsed(target)) or len(seen) > _WITHIN:
                return answer
            seen.append(target)

    def _check_known(self, url: str, target: str) -> None:
        origins = {web.origin for _, asked in self.requests if (web := parsed(asked))}
        if (web := parsed(target)) is None or web.origin not in origins:
            raise unknown(f"{url} redirects to {target[:200]}, which is not asked here.", url)

    def look(self, method: str, url: str) -> Answer | Failure:
        """Evidence for what an endpoint would answer; the client doesn't ask this."""
        if not is_web(url):
            return Failure(method, url, "not-asked", "it is not a web URL")
        return self.answers.get(method, url)


def is_web(url: str) -> bool:
    """Whether a client can ask a URL at all."""
    web = parsed(url)
    return web is not None and web.scheme in {"http", "https"}


def redirect_of(answer: Answer) -> str | None:
    """Where a redirect leads; None for what isn't one."""
    location = answer.header("location")
    if answer.status not in REDIRECTS or not location:
        return None
    try:
        target = parsed(urljoin(answer.url, location))
    except ValueError:
        return None
    return target.href.partition("#")[0] if target else None


def _stays(method: str, answer: Answer, target: Web | None) -> bool:
    here = parsed(answer.url)
    if here is None or target is None or target.userinfo or (method != "GET" and answer.status not in {307, 308}):
        return False
    upgrade = (here.scheme, target.scheme) == ("http", "https") and here.host == target.host
    return here.origin == target.origin or (upgrade and here.port == 80 and target.port == 443)


def known(answer: Answer | Failure) -> Answer:
    """An answer whose body is to be read.

    Raises:
        FlowError: it is longer than what is read here.
    """
    if isinstance(answer, Failure):
        raise unknown(f"{answer.method} {answer.url} has no answer here: {answer.why}.", answer.url)
    if answer.truncated:
        raise unknown(f"{answer.url} answers more than is read here.", answer.url)
    return answer
