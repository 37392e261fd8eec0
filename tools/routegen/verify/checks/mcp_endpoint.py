"""Check the answers of the MCP endpoint to `initialize`, without a token and with the user's token."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from routegen.report import Finding, rules
from routegen.roles import PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import describe_answer, parse_body, redirect_location
from routegen.verify.fetcher import Fetcher
from routegen.verify.oauth_discovery import OAuthDiscovery, is_open

_SESSION_ID = re.compile(r"[\x21-\x7e]{1,256}")  # MCP 2025-11-25, "Session Management": visible ASCII characters


def check_without_token(discovery: OAuthDiscovery) -> Iterator[Finding]:
    """Check that the endpoint answers 401 without a token (RFC 9728, section 5; MCP, "Authorization")."""
    answer, url = discovery.first_answer, discovery.mcp_url
    if isinstance(answer, Failure) or answer.status == 401 or redirect_location(answer):
        return
    message = f"POST {describe_answer(answer)}"
    if answer.is_html:
        path = urlsplit(url).path
        fix = f"Add a route for {path} to the MCP server: run `routegen check`, then deploy the manifest."
        yield Finding(rules.MCP_PAGE, url, f"{message}.", fix)
    elif answer.status >= 500:
        fix = "Read the function's log: it raises an error, exceeds its time limit, or cannot be invoked."
        yield Finding(rules.MCP_FAILS, url, f"{message}.", fix)
    elif is_open(answer):
        fix = (
            f"Unless the server is meant to be open, give it an auth provider, which also serves {PROTECTED_RESOURCE}."
        )
        yield Finding(rules.MCP_OPEN, url, f"{message}, without a token.", fix)
    else:
        fix = "Check the path and that its route takes POST: a request without a token must get status 401."
        yield Finding(rules.MCP_STATUS, url, f"{message}.", fix)


def check_with_token(mcp_url: str, answers: Answers) -> Iterator[Finding]:
    """Check that the endpoint starts a session with the user's token (MCP, "Lifecycle").

    Args:
        mcp_url: the URL of the MCP endpoint.
        answers: the answers that a client with the token gets.
    """
    answer = answers.get("POST", mcp_url)
    if isinstance(answer, Failure):
        message = f"POST with the token has no answer: {answer.reason}."
        fix = "Read the function's log: the endpoint answers requests without a token, and fails after the sign-in."
        yield Finding(rules.TOKEN_ANSWER, mcp_url, message, fix)
        return
    message = f"POST with the token {describe_answer(answer)}."
    if answer.status in {401, 403}:
        fix = f"Get a new token; its `aud` must be {mcp_url}, and its `iss` the issuer of the authorization server."
        yield Finding(rules.TOKEN_REFUSED, mcp_url, message, fix)
    elif not _has_initialize_result(answer):
        fix = "Read the function's log: it accepts the token, and fails after that."
        yield Finding(rules.TOKEN_ANSWER, mcp_url, message, fix)


def check_session(mcp_url: str, fetcher: Fetcher) -> Iterator[Finding]:
    """Check that the endpoint answers a second request in the session that it has started.

    On Lambda, another instance can get the second request, and it does not know the session (MCP 2025-11-25,
    "Transports", "Session Management"). MCP 2026-07-28 has no sessions.
    """
    for answers, with_token in ((fetcher.without_token, False), (fetcher.with_token, True)):
        first_answer = answers.get("POST", mcp_url) if answers else None
        if not isinstance(first_answer, Answer) or first_answer.status != 200:
            continue
        session_id = dict(first_answer.headers).get("mcp-session-id", "")
        if not _SESSION_ID.fullmatch(session_id):
            continue
        answer = fetcher.continue_session(mcp_url, session_id, with_token=with_token)
        if isinstance(answer, Answer) and answer.status in {400, 404}:
            message = f"`initialize` starts a session, and the next request in that session {describe_answer(answer)}."
            fix = "Make the endpoint stateless: http_app(stateless_http=True), or stateless=True of a session manager."
            yield Finding(rules.SESSION_LOST, mcp_url, message, fix)


def _has_initialize_result(answer: Answer) -> bool:
    """Whether an answer has the result of `initialize`, as JSON or as the first event of a stream."""
    if answer.status != 200:
        return False
    if answer.media_type == "text/event-stream":
        lines = answer.body.replace(b"\r\n", b"\n").split(b"\n\n")[0].split(b"\n")
        data = b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
        answer = replace(answer, body=data, truncated=False)
    value = parse_body(answer).value
    result = value.get("result") if value else None
    return isinstance(result, dict) and "protocolVersion" in result
