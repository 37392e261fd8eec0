"""Check the answers of the MCP endpoint: without a token, with the user's token, and to GET and DELETE."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from routegen.report import Finding, rules
from routegen.roles import PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Answers, Failure, shown
from routegen.verify.checks.fields import unlisted_scopes
from routegen.verify.documents import (
    describe_answer,
    read_document,
    redirect_location,
    text_excerpt,
)
from routegen.verify.fetcher import Fetcher
from routegen.verify.mcp_messages import error_text, is_modern_answer, result_of
from routegen.verify.oauth_discovery import (
    Challenge,
    OAuthDiscovery,
    challenge_of,
    is_open,
    resource_metadata_urls,
    server_metadata_urls,
)
from routegen.verify.request_url import origin_of

_FIXES_FOR_STATUS = {
    200: "If the server requires a sign-in, answer 401 with a challenge: without a 401, no client starts a sign-in.",
    403: "Answer 401 with a challenge: most clients start no sign-in at a 403. A Lambda authorizer needs the "
    "identity source `$request.header.Authorization`; a firewall needs an exception for MCP clients.",
    421: "The MCP SDK's protection against DNS rebinding refuses the domain: add {host} to its `allowed_hosts` "
    "(TransportSecuritySettings).",
}
_SESSION_ID = re.compile(r"[\x21-\x7e]{1,256}")  # MCP 2025-11-25, "Session Management": visible ASCII characters


def check_without_token(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """Check that the endpoint answers 401 without a token (RFC 9728, section 5; MCP, "Authorization")."""
    answer, url = discovery.first_answer, discovery.mcp_url
    if isinstance(answer, Failure) or answer.status == 401 or redirect_location(answer):
        return
    message = f"POST {describe_answer(answer)}"
    if answer.is_html:
        fix = f"Add a route for {urlsplit(url).path} to the MCP server: run `routegen check`, then deploy the manifest."
        yield Finding(rules.MCP_PAGE, url, f"{message}.", fix)
    elif answer.status >= 500:
        fix = "Read the function's log: it raises an error, exceeds its time limit, or cannot be invoked."
        yield Finding(rules.MCP_FAILS, url, f"{message}.", fix)
    elif is_open(answer) or is_modern_answer(answer) or discovery.is_open_for_modern_clients:
        yield _open_endpoint(url, message, answers)
    else:
        if error := error_text(answer):
            message = f"POST answers {answer.status}, and refuses `initialize` with the error {error!r}"
        yield Finding(rules.MCP_STATUS, url, f"{message}.", _fix_for_status(answer))


def _fix_for_status(answer: Answer) -> str:
    host = urlsplit(answer.url).netloc
    if answer.status != 421 and "Missing Authentication Token" in text_excerpt(answer):
        return "API Gateway has no such path or method: check the path, and the name of the stage before it."
    if fix := _FIXES_FOR_STATUS.get(answer.status):
        return fix.format(host=host)
    fix = "Check the path and that its route takes POST: a request without a token must get status 401."
    is_named_stage = answer.status == 404 and ".execute-api." in host
    return (
        f"{fix} If the stage is not `$default`, its name is the first segment of the path." if is_named_stage else fix
    )


def _open_endpoint(url: str, message: str, answers: Answers) -> Finding:
    """The finding for an endpoint without sign-in: some clients look for a published sign-in first."""
    urls = [*resource_metadata_urls(url), server_metadata_urls(origin_of(url))[0]]
    attempts = [read_document(answers, document_url) for document_url in urls]
    documents = [attempt for attempt in attempts if attempt.is_document]
    pages = [attempt for attempt in attempts if attempt.kind == "page"]
    fix = f"Unless the server is meant to be open, give it an auth provider, which also serves {PROTECTED_RESOURCE}."
    if documents:
        lacks_registration = documents[0].url == urls[-1] and "registration_endpoint" not in documents[0].value
        problem = f"{documents[0].url} publishes a sign-in{' without registration' if lacks_registration else ''}"
    elif pages:
        problem = f"{pages[0].url} {pages[0].description}, which some clients take for a sign-in service"
    else:
        return Finding(rules.MCP_OPEN, url, f"{message}, without a token.", fix)
    message += f", without a token, but {problem}."
    message += " Clients that look there first start a sign-in that the endpoint does not ask for."
    fix = f"Answer 404 at {(documents or pages)[0].url}, or ask for the token with a 401."
    return Finding(rules.MCP_OPEN, url, message, fix)


def check_with_token(discovery: OAuthDiscovery, fetcher: Fetcher) -> Iterator[Finding]:
    """Check that the endpoint answers with the user's token, to a client of either era (MCP, "Authorization")."""
    mcp_url = discovery.mcp_url
    answer, modern = (fetcher.fetch(caller, "POST", mcp_url) for caller in ("with-token", "modern-with-token"))
    if isinstance(answer, Failure):
        message = f"POST with the token has no answer: {answer.reason}."
        fix = "Read the function's log: the endpoint answers requests without a token, and fails after the sign-in."
        yield Finding(rules.TOKEN_ANSWER, mcp_url, message, fix)
        return
    message = f"POST with the token {describe_answer(answer)}."
    challenge, error_code = challenge_of(answer), (answer.document or {}).get("error")
    if answer.status == 403 and "insufficient_scope" in (challenge.parameter("error"), error_code):
        yield _missing_scope(discovery, challenge)
    elif answer.status in {401, 403}:
        fix = f"Get a new token; its `aud` must be {mcp_url}, and its `iss` the issuer of the authorization server."
        yield Finding(rules.TOKEN_REFUSED, mcp_url, message, fix)
    elif "protocolVersion" not in (result_of(answer) or {}) and not is_modern_answer(modern):
        fix = "Read the function's log: it accepts the token, and fails after that."
        yield Finding(rules.TOKEN_ANSWER, mcp_url, message, fix)


def _missing_scope(discovery: OAuthDiscovery, challenge: Challenge) -> Finding:
    """The finding for a 403 with `insufficient_scope` (RFC 6750, section 3.1; MCP, "Scope Challenge Handling")."""
    scopes = (challenge.parameter("scope") or "").split()
    scope = shown(" ".join(scopes))
    message = f"POST with the token answers 403: the token lacks the scope {scope!r}."
    fix = f"Ask for the scope {scope!r} in the sign-in; a new token with the same scopes meets the same answer."
    if not scopes:
        message = "POST with the token answers 403 insufficient_scope, and its challenge does not name the scope."
        fix = "Name every scope that the request requires in the challenge: `scope=...`."
    elif challenge.is_renamed:
        message += " API Gateway renames the challenge header, so no client sees which scope that is."
        fix = f"Request {scope!r} in the first sign-in: list it in scopes_supported of the resource metadata."
    for server in discovery.servers:
        if unknown := shown(", ".join(unlisted_scopes(server, scopes))):
            message += f" {server.url} does not offer {unknown}, so no client can get such a token."
            fix = f"Add {unknown} to the scopes of the authorization server, or do not require it."
    return Finding(rules.TOKEN_SCOPE, discovery.mcp_url, message, fix)


def check_methods(mcp_url: str, fetcher: Fetcher) -> Iterator[Finding]:
    """Check that GET and DELETE end with an answer of the MCP server (MCP 2026-07-28 demands neither)."""
    for method in ("GET", "DELETE"):
        answer = fetcher.fetch("listening", method, mcp_url)
        if isinstance(answer, Failure):
            if answer.kind in {"timeout", "too-large"}:
                fix = f"Answer {method} with 405: an API Gateway HTTP API cannot keep a stream open."
                yield Finding(rules.METHOD_ANSWER, mcp_url, f"{method} has no answer: {answer.reason}.", fix)
        elif answer.status >= 500 or (answer.status == 200 and answer.is_html):
            fix = f"Route {method} to the MCP server too, with a key for ANY: its 405 is the right answer."
            yield Finding(rules.METHOD_ANSWER, mcp_url, f"{method} {describe_answer(answer)}.", fix)
        elif mcp_url.startswith("https:") and (redirect_location(answer) or "").startswith("http:"):
            fix = "Let the server know that the gateway speaks https: read X-Forwarded-Proto."
            yield Finding(rules.METHOD_ANSWER, mcp_url, f"{method} {describe_answer(answer)}.", fix)


def check_server_card(mcp_url: str, answers: Answers) -> Iterator[Finding]:
    """Check that no web page is at the path of a server card, which the draft of SEP-2127 describes."""
    answer = answers.get("GET", f"{mcp_url.rstrip('/')}/server-card")
    if isinstance(answer, Answer) and answer.status == 200 and answer.is_html:
        fix = "Answer 404 there, or serve the card as JSON: nothing requires a card."
        yield Finding(rules.SERVER_CARD, answer.url, f"GET {describe_answer(answer)}.", fix)


def check_session(mcp_url: str, fetcher: Fetcher) -> Iterator[Finding]:
    """Check that the endpoint answers a second request in the session that it has started.

    On Lambda, another instance can get the second request, and it does not know the session (MCP 2025-11-25,
    "Transports", "Session Management"). MCP 2026-07-28 has no sessions.
    """
    first_answer = fetcher.fetch("with-token" if fetcher.token else "without-token", "POST", mcp_url)
    if not isinstance(first_answer, Answer) or first_answer.status != 200:
        return
    session_id = dict(first_answer.headers).get("mcp-session-id", "")
    if not _SESSION_ID.fullmatch(session_id):
        return
    revision = str((result_of(first_answer) or {}).get("protocolVersion", ""))
    headers = [("mcp-session-id", session_id), ("mcp-protocol-version", revision)]
    answer = fetcher.continue_session(mcp_url, tuple(pair for pair in headers if _SESSION_ID.fullmatch(pair[1])))
    if isinstance(answer, Answer) and answer.status in {400, 404}:
        message = f"`initialize` starts a session, and the next request in that session {describe_answer(answer)}."
        fix = "Make the endpoint stateless: http_app(stateless_http=True), or stateless=True of a session manager."
        yield Finding(rules.SESSION_LOST, mcp_url, message, fix)
