"""The sign-in flow of one MCP client: it sends requests as the client does, and records them.

The module of a client has a function `connect`: it takes a `SignInFlow` to the page where the user signs in, and
returns the reason why the client gets there. It raises `FlowError` if the client does not get there.
"""

import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from routegen.verify.answers import Answer, Answers, Failure, shown
from routegen.verify.clients.whatwg_url import ParsedUrl, is_http_url, parse_url
from routegen.verify.documents import redirect_location

PredictedOutcome = Literal["connects", "fails", "unknown"]
RedirectPolicy = Literal["same-origin", "any-origin"]

NETWORK_FAILURES = frozenset({"dns", "refused", "tls"})
"""The kinds of `Failure` that the client meets too; the other kinds come from the limits of routegen."""

_MAX_REQUESTS = 30
_MAX_REDIRECTS = 5


@dataclass(eq=False)
class FlowError(Exception):
    """The sign-in flow ends before the user can sign in.

    Attributes:
        reason: the reason, in one sentence.
        url: the URL whose answer ends the flow.
        text: the error that the user sees, if its exact words are known.
        status: the status of the MCP endpoint's answer, if this answer ends the flow.
    """

    reason: str
    url: str
    text: str | None = None
    status: int | None = None

    outcome: ClassVar[PredictedOutcome]


class ClientFailsError(FlowError):
    """The client gives up."""

    outcome = "fails"


class UnknownOutcomeError(FlowError):
    """It is not known what the client does next."""

    outcome = "unknown"


@dataclass
class SignInFlow:
    """The requests that one client sends on its way to sign in.

    Attributes:
        mcp_url: the URL of the MCP endpoint, as the user enters it.
        endpoint: the parts of this URL.
        answers: the answers of the deployment.
        requests: method and URL of each request that the client has sent.
        assumptions: conditions of the prediction that no request has tested.
        modern_answer: the answer to `server/discover`; None if it is not known.
        claims: the ids of the claims that the prediction relies on.
    """

    mcp_url: str
    endpoint: ParsedUrl
    answers: Answers
    requests: list[tuple[str, str]] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    modern_answer: Answer | Failure | None = None
    claims: list[str] = field(default_factory=list)

    def send(self, method: str, url: str) -> Answer | Failure:
        """Send one request of the client, and do not follow redirects.

        Raises:
            UnknownOutcomeError: routegen has no answer to the request, but the client would get one.
        """
        if len(self.requests) == _MAX_REQUESTS:
            raise UnknownOutcomeError(f"The client has sent {_MAX_REQUESTS} requests and would send more.", url)
        if not is_http_url(url):
            return Failure(method, url, "refused", "it is not an http or https URL")
        self.requests.append((method, url))
        answer = self.answers.get(method, url)
        if (
            isinstance(answer, Failure)
            and answer.kind not in NETWORK_FAILURES
            and (method, answer.kind) != ("POST", "not-asked")
        ):
            raise no_answer_error(answer)
        return answer

    def get(self, url: str, policy: RedirectPolicy = "same-origin") -> Answer | Failure:
        """Send a GET request and follow redirects as the client does."""
        return self.send_and_follow("GET", url, policy)

    def send_and_follow(self, method: str, url: str, policy: RedirectPolicy = "same-origin") -> Answer | Failure:
        """Send a request and follow redirects as the client does; a redirect that it does not follow is the answer.

        Args:
            method: the method of the first request.
            url: the URL of the first request.
            policy: `same-origin` follows five redirects that keep the method, and keep the origin or change it only
                from http to https on the default ports. `any-origin` follows all redirects, as `fetch` does
                (WHATWG Fetch, section 4.5, HTTP-redirect fetch).

        Raises:
            UnknownOutcomeError: routegen does not request the target of a redirect, but the client does.
        """
        visited = [url]
        while True:
            answer = self.send(method, visited[-1])
            if isinstance(answer, Failure) or (target := redirect_target(answer)) is None:
                return answer
            if policy == "any-origin":
                if target in visited:
                    return Failure(method, url, "refused", "its redirects form a loop")
                self._require_known_origin(visited[-1], target)
                method = "GET" if answer.status in {301, 302, 303} else method
            elif not _keeps_origin(method, answer, parse_url(target)) or len(visited) > _MAX_REDIRECTS:
                return answer
            visited.append(target)

    def look_up(self, method: str, url: str) -> Answer | Failure:
        """Look up an answer that shows how an endpoint behaves; the client does not send this request."""
        if not is_http_url(url):
            return Failure(method, url, "not-asked", "it is not an http or https URL")
        return self.answers.get(method, url)

    def assume(self, condition: str) -> None:
        """Add an assumption of the prediction."""
        if condition not in self.assumptions:
            self.assumptions.append(condition)

    def rely_on(self, claim_id: str) -> None:
        """Add a claim that the prediction relies on."""
        if claim_id not in self.claims:
            self.claims.append(claim_id)

    def _require_known_origin(self, url: str, target: str) -> None:
        """Raise an error for a redirect to an origin that the client has not requested before."""
        origins = {parsed.origin for _, requested in self.requests if (parsed := parse_url(requested))}
        parsed_target = parse_url(target)
        if parsed_target is None or parsed_target.origin not in origins:
            raise UnknownOutcomeError(f"{url} redirects to {shown(target)}, which routegen does not request.", url)


def challenge_header(answer: Answer) -> str:
    """The challenges of an answer, as clients join several header fields of one name."""
    return ", ".join(value for name, value in answer.headers if name == "www-authenticate")


def challenge_value(answer: Answer, name: str) -> str | None:
    """The value of a parameter of the challenge, as both SDKs of the project read it."""
    match = re.search(rf'{name}=(?:"([^"]+)"|([^\s,]+))', challenge_header(answer))
    return (match[1] or match[2]) if match else None


def redirect_target(answer: Answer) -> str | None:
    """The URL that a redirect names, as a browser writes it; None for an answer that is not a redirect."""
    target = redirect_location(answer)
    parsed_target = parse_url(target) if target else None
    return parsed_target.href if parsed_target else None


def no_answer_error(failure: Failure) -> UnknownOutcomeError:
    """The error for a request to which routegen has no answer, although the client would get one."""
    reason = f"routegen has no answer to {failure.method} {failure.url}: {failure.reason}."
    return UnknownOutcomeError(reason, failure.url)


def unreachable_error(failure: Failure, text: str | None) -> FlowError:
    """The error for a request that the client cannot send either.

    Args:
        failure: the reason why there is no answer.
        text: the error that the user sees, if its exact words are known.
    """
    if failure.kind == "not-asked":
        return no_answer_error(failure)
    return ClientFailsError(f"{failure.url} cannot be reached: {failure.reason}.", failure.url, text)


def complete_answer(answer: Answer | Failure) -> Answer:
    """An answer with its whole body.

    Raises:
        UnknownOutcomeError: there is no answer, or its body is longer than the limit.
    """
    if isinstance(answer, Failure):
        raise no_answer_error(answer)
    if answer.truncated:
        raise UnknownOutcomeError(f"{answer.url} answers with more bytes than routegen reads.", answer.url)
    return answer


def _keeps_origin(method: str, answer: Answer, target: ParsedUrl | None) -> bool:
    """Whether a redirect keeps the method and the origin; https instead of http on the default ports is allowed."""
    source = parse_url(answer.url)
    if source is None or target is None or target.userinfo or (method != "GET" and answer.status not in {307, 308}):
        return False
    upgrade = (source.scheme, target.scheme) == ("http", "https") and source.host == target.host
    return source.origin == target.origin or (upgrade and source.port == 80 and target.port == 443)
