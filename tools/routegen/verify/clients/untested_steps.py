"""The steps of a sign-in that `verify` does not try: the registration of a client, the sign-in page and the token.

`verify` registers a client only with `--register`. If it did not send the POST request, an endpoint at a default path
counts as missing if it answers GET with 404, or with the same web page as the authorization endpoint. An endpoint that
metadata names can answer only POST. The prediction says which of the two it assumes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from routegen.verify.answers import Answer, Failure, shown
from routegen.verify.clients.sign_in_flow import (
    NETWORK_FAILURES,
    ClientFailsError,
    RedirectPolicy,
    SignInFlow,
    UnknownOutcomeError,
)
from routegen.verify.documents import describe_answer


def register(
    flow: SignInFlow, registration_url: str, authorization_url: str, *, in_metadata: bool, policy: RedirectPolicy
) -> Answer | Failure | None:
    """The answer to a client's registration (RFC 7591, section 3.1); None if the prediction assumes that it works.

    If no metadata names the two URLs, they have the default paths of MCP 2025-03-26, section 2.3.3.
    """
    answer = flow.send_and_follow("POST", registration_url, policy)
    if not (isinstance(answer, Failure) and answer.kind == "not-asked"):
        return answer
    get_answer = flow.look_up("GET", registration_url)
    if isinstance(get_answer, Failure):
        if get_answer.kind in NETWORK_FAILURES:
            return get_answer
    elif not in_metadata and _has_no_authorization_server(flow, get_answer, authorization_url):
        flow.assume(f"{registration_url} answers POST as it answers GET")
        return replace(get_answer, method="POST")
    elif get_answer.status == 200 and get_answer.is_html:
        reason = f"{registration_url} answers GET with a web page, and routegen did not test its answer to POST."
        raise UnknownOutcomeError(reason, registration_url)
    flow.assume(f"a client can register at {registration_url}")
    return None


def check_sign_in_page(flow: SignInFlow, authorization_url: str, text: str | None = None) -> None:
    """Let the client fail, with the given error, if the authorization endpoint answers 404."""
    answer = flow.look_up("GET", authorization_url)
    if isinstance(answer, Answer) and answer.status == 404:
        reason = f"The sign-in page {authorization_url} {describe_answer(answer)}."
        raise ClientFailsError(reason, authorization_url, text)


def assume_response(flow: SignInFlow, server_metadata: Mapping[str, Any]) -> None:
    """Add the assumption about `iss` in the authorization response, if the server promises it (RFC 9207, 2.4)."""
    if server_metadata.get("authorization_response_iss_parameter_supported") is True:
        flow.assume("the authorization response carries `iss`")


def assume_token(
    flow: SignInFlow,
    challenge_scope: str | None,
    resource_metadata: Mapping[str, Any],
    server_metadata: Mapping[str, Any],
    *,
    names_empty_scope: bool = False,
) -> None:
    """Add the assumptions about the token that the client gets after the sign-in, which no request can test.

    The client asks for the scope of the challenge, or else for those of the resource metadata, and names the resource
    of that document (RFC 8707).

    Args:
        flow: the sign-in of the client.
        challenge_scope: the scope of the challenge.
        resource_metadata: the protected resource metadata.
        server_metadata: the metadata of the authorization server.
        names_empty_scope: whether the client registers with an empty scope if no scope is named.
    """
    token_url = server_metadata.get("token_endpoint")
    if isinstance(token_url, str) and isinstance(flow.look_up("GET", token_url), Failure):
        flow.assume(f"the token endpoint {token_url} answers the client")
    resource, listed = resource_metadata.get("resource"), server_metadata.get("scopes_supported")
    if resource is None:
        flow.assume("the MCP server accepts a token that names no resource")
    elif resource.rstrip("/") != flow.mcp_url.partition("#")[0].rstrip("/"):
        flow.assume(f"the authorization server issues a token for {resource}, and the MCP server accepts this token")
    requested = challenge_scope.split() if challenge_scope else resource_metadata.get("scopes_supported")
    if requested == [] or (requested is None and names_empty_scope):
        flow.assume("the authorization server accepts a client that asks for an empty scope")
    if unlisted := sorted({*(requested or ())} - {*(listed or requested or ())}):
        scope = shown(" ".join(unlisted))
        flow.assume(f"the authorization server accepts the scope {scope!r}, which its metadata does not list")
    if resource_metadata.get("dpop_bound_access_tokens_required") is True:
        flow.assume("the MCP server accepts a token without a DPoP proof")


def sign_in_reason(flow: SignInFlow, authorization_url: str) -> str:
    """The reason why a client connects, with the assumptions of the prediction."""
    if flow.assumptions:
        return f"The user signs in at {authorization_url}, if {' and '.join(flow.assumptions)} (not tested)."
    return f"The user signs in at {authorization_url}."


def refusal_reason(flow: SignInFlow, registration_url: str, answer: Answer) -> str:
    """The reason why a client fails whose registration has the given answer, with the assumptions of the prediction."""
    condition = f" (if {' and '.join(flow.assumptions)}; not tested)" if flow.assumptions else ""
    return f"{registration_url} does not register the client: it {describe_answer(answer)}{condition}."


def _has_no_authorization_server(flow: SignInFlow, get_answer: Answer, authorization_url: str) -> bool:
    if get_answer.status == 404:
        return True
    page = flow.look_up("GET", authorization_url)
    if isinstance(page, Failure):
        return False
    return page.status == get_answer.status == 200 and page.is_html and page.body == get_answer.body
