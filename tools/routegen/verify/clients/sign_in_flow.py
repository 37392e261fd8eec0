"""The sign-in flow of one MCP client: it sends requests as the client does, and records them.

Each client is a subclass of `SignInFlow`. `verify` does not sign in, and it registers a client only with `--register`.
The steps that no request has tried end in an assumption, which the prediction names.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from routegen.verify.answers import Answer, Answers, Failure, shown
from routegen.verify.clients.whatwg_url import ParsedUrl, parse_http_url, parse_url
from routegen.verify.documents import describe_answer, redirect_location

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
class SignInFlow(ABC):
    """The requests that one client sends on its way to sign in.

    Attributes:
        mcp_url: the URL of the MCP endpoint, as the user enters it.
        endpoint: the parts of this URL.
        answers: the answers of the deployment.
        modern_answer: the answer to `server/discover`; None if it is not known.
        claims: the ids of the claims that the prediction relies on.
        requests: method and URL of each request that the client has sent.
        assumptions: conditions of the prediction that no request has tested.
    """

    mcp_url: str
    endpoint: ParsedUrl
    answers: Answers
    modern_answer: Answer | Failure | None
    claims: list[str]
    requests: list[tuple[str, str]] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    @abstractmethod
    def connect(self) -> str:
        """Take the flow to the page where the user signs in, and return the reason why the client gets there.

        Raises:
            FlowError: the client does not get there, or it is not known whether it does.
        """

    def send(self, method: str, url: str) -> Answer | Failure:
        """Send one request of the client, and do not follow redirects.

        Raises:
            UnknownOutcomeError: routegen has no answer to the request, but the client would get one.
        """
        if len(self.requests) == _MAX_REQUESTS:
            raise UnknownOutcomeError(f"The client has sent {_MAX_REQUESTS} requests and would send more.", url)
        if not parse_http_url(url):
            return Failure(method, url, "refused", "it is not an http or https URL")
        self.requests.append((method, url))
        answer = self.answers.get(method, url)
        if isinstance(answer, Answer) or answer.kind in NETWORK_FAILURES:
            return answer
        if (method, answer.kind) != ("POST", "not-asked"):
            raise _no_answer_error(answer)
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

    def _require_known_origin(self, url: str, target: str) -> None:
        """Raise an error for a redirect to an origin that the client has not requested before."""
        origins = {parsed.origin for _, requested in self.requests if (parsed := parse_url(requested))}
        parsed_target = parse_url(target)
        if parsed_target is None or parsed_target.origin not in origins:
            raise UnknownOutcomeError(f"{url} redirects to {shown(target)}, which routegen does not request.", url)

    def look_up(self, url: str) -> Answer | Failure:
        """Look up the answer to GET, which shows how an endpoint behaves; the client does not send this request."""
        if not parse_http_url(url):
            return Failure("GET", url, "not-asked", "it is not an http or https URL")
        return self.answers.get("GET", url)

    def assume(self, condition: str) -> None:
        """Add an assumption of the prediction."""
        if condition not in self.assumptions:
            self.assumptions.append(condition)

    def send_registration(
        self, url: str, authorization_url: str, *, in_metadata: bool, policy: RedirectPolicy = "same-origin"
    ) -> Answer | Failure | None:
        """The answer to a registration (RFC 7591, section 3.1); None if the prediction assumes that it works.

        Without a POST request, an endpoint at a default path counts as missing if it answers GET with 404, or with the
        same web page as the authorization endpoint. An endpoint that metadata names can answer only POST.

        Args:
            url: the registration endpoint.
            authorization_url: the authorization endpoint.
            in_metadata: whether metadata names the two; if not, they have the default paths of MCP 2025-03-26, section
                2.3.3.
            policy: the redirects that the client follows.

        Raises:
            UnknownOutcomeError: the endpoint answers GET with a web page, and POST was not sent.
        """
        answer = self.send_and_follow("POST", url, policy)
        if not (isinstance(answer, Failure) and answer.kind == "not-asked"):
            return answer
        get_answer = self.look_up(url)
        if isinstance(get_answer, Failure):
            if get_answer.kind in NETWORK_FAILURES:
                return get_answer
        elif not in_metadata and self._is_no_endpoint(get_answer, authorization_url):
            self.assume(f"{url} answers POST as it answers GET")
            return replace(get_answer, method="POST")
        elif get_answer.status == 200 and get_answer.is_html:
            reason = f"{url} answers GET with a web page, and routegen did not test its answer to POST."
            raise UnknownOutcomeError(reason, url)
        self.assume(f"a client can register at {url}")
        return None

    def _is_no_endpoint(self, get_answer: Answer, authorization_url: str) -> bool:
        if get_answer.status == 404:
            return True
        page = self.look_up(authorization_url)
        if isinstance(page, Failure):
            return False
        return page.status == get_answer.status == 200 and page.is_html and page.body == get_answer.body

    def refusal_reason(self, registration_url: str, answer: Answer) -> str:
        """The reason why a client fails whose registration has the given answer, with the assumptions."""
        condition = f" (if {' and '.join(self.assumptions)}; not tested)" if self.assumptions else ""
        return f"{registration_url} does not register the client: it {describe_answer(answer)}{condition}."

    def check_sign_in_page(self, authorization_url: str, text: str | None = None) -> None:
        """Let the client fail, with the given error, if the authorization endpoint answers 404."""
        answer = self.look_up(authorization_url)
        if isinstance(answer, Answer) and answer.status == 404:
            reason = f"The sign-in page {authorization_url} {describe_answer(answer)}."
            raise ClientFailsError(reason, authorization_url, text)

    def sign_in_reason(
        self,
        authorization_url: str,
        scopes: list[str] | None,
        resource: Mapping[str, Any],
        server: Mapping[str, Any],
        *,
        reads_issuer: bool = True,
    ) -> str:
        """The reason why the client connects, with the assumptions about the sign-in and the token.

        Args:
            authorization_url: the page where the user signs in.
            scopes: the scopes that the client asks for; None if it asks for none.
            resource: the protected resource metadata, whose resource the client names (RFC 8707).
            server: the metadata of the authorization server.
            reads_issuer: whether the client requires the `iss` that the metadata promises (RFC 9207, section 2.4).
        """
        token_url = server.get("token_endpoint")
        if isinstance(token_url, str) and isinstance(self.look_up(token_url), Failure):
            self.assume(f"the token endpoint {token_url} answers the client")
        url = resource.get("resource")
        if url is None:
            self.assume("the MCP server accepts a token that names no resource")
        elif url.rstrip("/") != self.mcp_url.partition("#")[0].rstrip("/"):
            self.assume(f"the authorization server issues a token for {url}, and the MCP server accepts this token")
        if scopes == []:
            self.assume("the authorization server accepts a client that asks for an empty scope")
        if unlisted := sorted({*(scopes or ())} - {*(server.get("scopes_supported") or scopes or ())}):
            scope = shown(" ".join(unlisted))
            self.assume(f"the authorization server accepts the scope {scope!r}, which its metadata does not list")
        if resource.get("dpop_bound_access_tokens_required") is True:
            self.assume("the MCP server accepts a token without a DPoP proof")
        if reads_issuer and server.get("authorization_response_iss_parameter_supported") is True:
            self.assume("the authorization response carries `iss`")
        condition = f", if {' and '.join(self.assumptions)} (not tested)" if self.assumptions else ""
        return f"The user signs in at {authorization_url}{condition}."


def challenge_header(answer: Answer) -> str:
    """The challenges of an answer, as clients join several header fields of one name."""
    return ", ".join(value for name, value in answer.headers if name == "www-authenticate")


def requested_scopes(challenge_scope: str | None, resource: Mapping[str, Any]) -> list[str] | None:
    """The scopes that a client asks for: those of the challenge, or else those of the resource metadata."""
    return challenge_scope.split() if challenge_scope else resource.get("scopes_supported")


def challenge_value(answer: Answer, name: str) -> str | None:
    """The value of a parameter of the challenge, as both SDKs of the project read it."""
    match = re.search(rf'{name}=(?:"([^"]+)"|([^\s,]+))', challenge_header(answer))
    return (match[1] or match[2]) if match else None


def redirect_target(answer: Answer) -> str | None:
    """The URL that a redirect names, as a browser writes it; None for an answer that is not a redirect."""
    target = redirect_location(answer)
    parsed_target = parse_url(target) if target else None
    return parsed_target.href if parsed_target else None


def unreachable_error(failure: Failure, text: str | None) -> FlowError:
    """The error for a request without an answer, and the text that the user sees, if its exact words are known."""
    if failure.kind == "not-asked":
        return _no_answer_error(failure)
    return ClientFailsError(f"{failure.url} cannot be reached: {failure.reason}.", failure.url, text)


def _no_answer_error(failure: Failure) -> UnknownOutcomeError:
    """The error for a request to which routegen has no answer, although the client would get one."""
    reason = f"routegen has no answer to {failure.method} {failure.url}: {failure.reason}."
    return UnknownOutcomeError(reason, failure.url)


def complete_answer(answer: Answer) -> Answer:
    """An answer with its whole body.

    Raises:
        UnknownOutcomeError: the body is longer than the limit.
    """
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
