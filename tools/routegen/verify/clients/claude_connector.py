"""The sign-in flow of Claude's connectors, as far as it is documented; the outcome of every other case is `unknown`.

These facts are documented, as of 2026:

- Claude supports servers without sign-in, and the MCP authorization specifications of 2025-03-26 and 2025-06-18 with
  dynamic client registration, with client ID metadata documents, or with a client ID that the user enters. The redirect
  URI is https://claude.ai/api/mcp/auth_callback (support.claude.com, "Building custom connectors via remote MCP
  servers"; claude.com/docs/connectors/building/authentication).
- Claude connects from Anthropic's servers, so a host needs a public address (claude.com/docs/connectors/building/
  troubleshooting).
- The server must answer 401 with a challenge whose `resource_metadata` leads to the protected resource metadata, and
  from there to the authorization server (claude.com/docs/connectors/building/lazy-authentication).
- Without a challenge, Claude looks for the metadata at its well-known path. If there is none, Claude registers at the
  origin of the MCP server. The metadata's `resource` must be the URL as the user entered it (the maintainers in
  github.com/anthropics/claude-ai-mcp, issue 199). A user reported that a connector failed behind API Gateway, which
  renames the challenge (issue 748), so the outcome without a challenge is not predicted.
"""

import re
from typing import Any

from routegen.roles import AUTHORIZATION_SERVER, PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import untested_steps
from routegen.verify.clients.sign_in_flow import (
    ClientFailsError,
    FlowError,
    SignInFlow,
    UnknownOutcomeError,
    complete_answer,
)
from routegen.verify.clients.typescript_sdk import server_metadata_urls
from routegen.verify.clients.whatwg_url import ParsedUrl, is_http_url, parse_url
from routegen.verify.documents import describe_answer, parse_body
from routegen.verify.request_url import host_kind

_RESOURCE_METADATA = re.compile(r'(?i)\bresource_metadata\s*=\s*"([^"]+)"')
_NOT_DOCUMENTED = "what Claude does next is not documented"


def connect(flow: SignInFlow) -> str:
    """Take the flow to the sign-in page on the documented way, and return the reason why Claude connects.

    Raises:
        FlowError: Claude does not get there, or the deployment leaves the documented way.
    """
    kind = host_kind(flow.endpoint.host.strip("[]"))
    first_answer = flow.send("POST", flow.mcp_url)
    if isinstance(first_answer, Failure):
        raise UnknownOutcomeError(f"{flow.mcp_url} cannot be reached: {first_answer.reason}.", flow.mcp_url)
    if kind not in {None, "public"}:
        reason = f"Claude connects from the internet, and {flow.endpoint.host} is not a public address."
        raise UnknownOutcomeError(reason, flow.mcp_url)
    if first_answer.status == 200 and first_answer.media_type in {"application/json", "text/event-stream"}:
        return _open_endpoint(flow)
    if first_answer.status != 401:
        reason = f"{first_answer.url} {describe_answer(first_answer)}, and {_NOT_DOCUMENTED}."
        raise UnknownOutcomeError(reason, first_answer.url)
    challenges = [value for name, value in first_answer.headers if name == "www-authenticate"]
    match = next((_RESOURCE_METADATA.search(challenge) for challenge in challenges), None)
    if match is None:
        raise _error_without_challenge(flow)
    return _sign_in(flow, _require_http_url(match[1], flow.mcp_url))


def _open_endpoint(flow: SignInFlow) -> str:
    """The reason why Claude connects to an endpoint without sign-in.

    Users report that Claude takes an HTML page at a well-known path, or another server's metadata, for a sign-in
    service, and fails when it registers there (github.com/anthropics/claude-ai-mcp, issues 457 and 925).

    Raises:
        UnknownOutcomeError: a well-known path does not answer 404.
    """
    endpoint = flow.endpoint
    root = f"{endpoint.origin}{PROTECTED_RESOURCE}"
    paths = [f"{root}{endpoint.path.removesuffix('/')}", root, f"{endpoint.origin}{AUTHORIZATION_SERVER}"]
    for url in dict.fromkeys(paths):
        answer = flow.send("GET", url)
        if isinstance(answer, Answer) and answer.status == 200:
            reason = (
                f"{flow.mcp_url} requires no sign-in, but {url} {describe_answer(answer)}, and Claude can take "
                "that for a sign-in service."
            )
            raise UnknownOutcomeError(reason, url)
    return f"{flow.mcp_url} requires no sign-in."


def _error_without_challenge(flow: SignInFlow) -> FlowError:
    """The outcome without a challenge that names the protected resource metadata."""
    endpoint = flow.endpoint
    root = f"{endpoint.origin}{PROTECTED_RESOURCE}"
    for url in dict.fromkeys([f"{root}{endpoint.path.removesuffix('/')}", root]):
        if _get_document(flow, url) is not None:
            reason = f"{flow.mcp_url} has no challenge that names {url}, which Claude's documentation requires."
            return UnknownOutcomeError(reason, url)
    metadata_url, metadata = _discover_server(flow, parse_url(endpoint.origin) or endpoint)
    if metadata is not None:
        reason = f"{flow.mcp_url} has no challenge, and only the older discovery leads to {metadata_url}."
        return UnknownOutcomeError(reason, metadata_url)
    registration_url = f"{endpoint.origin}/register"
    authorization_url = f"{endpoint.origin}/authorize"
    answer = untested_steps.register(flow, registration_url, authorization_url, in_metadata=False, policy="same-origin")
    if isinstance(answer, Answer) and not 200 <= answer.status < 300:
        return ClientFailsError(untested_steps.refusal_reason(flow, registration_url, answer), registration_url)
    return UnknownOutcomeError(f"{endpoint.origin} has no metadata, and {_NOT_DOCUMENTED}.", endpoint.origin)


def _sign_in(flow: SignInFlow, metadata_url: ParsedUrl) -> str:
    """Take the flow from the protected resource metadata to the sign-in page."""
    resource = _get_document(flow, metadata_url.href)
    if resource is None or resource.get("resource") != flow.mcp_url:
        reason = f"{metadata_url.href} is not metadata with exactly {flow.mcp_url} as its resource, which Claude needs."
        raise UnknownOutcomeError(reason, metadata_url.href)
    servers = resource.get("authorization_servers")
    issuer = servers[0] if isinstance(servers, list) and servers else None
    url, metadata = _discover_server(flow, _require_http_url(issuer, metadata_url.href))
    if metadata is None or metadata.get("issuer") != issuer:
        reason = f"{url} is not metadata with exactly {issuer} as its issuer, which other clients need."
        raise UnknownOutcomeError(reason, url)
    methods = metadata.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        raise UnknownOutcomeError(f"{url} does not list S256 in code_challenge_methods_supported.", url)
    authorization_url = _require_http_url(metadata.get("authorization_endpoint"), url).href
    _register(flow, metadata, url, authorization_url)
    if page := untested_steps.missing_sign_in_page(flow, authorization_url):
        raise ClientFailsError(f"The sign-in page {authorization_url} {describe_answer(page)}.", authorization_url)
    return untested_steps.sign_in_reason(flow, authorization_url)


def _register(flow: SignInFlow, metadata: dict[str, Any], metadata_url: str, authorization_url: str) -> None:
    if metadata.get("client_id_metadata_document_supported") is True:
        return
    if "registration_endpoint" not in metadata:
        reason = f"{metadata_url} names no registration_endpoint, so the user must enter a client ID."
        raise UnknownOutcomeError(reason, metadata_url)
    url = _require_http_url(metadata["registration_endpoint"], metadata_url).href
    answer = untested_steps.register(flow, url, authorization_url, in_metadata=True, policy="same-origin")
    if answer is None:
        return
    if isinstance(answer, Failure):
        raise UnknownOutcomeError(f"{url} cannot be reached: {answer.reason}.", url)
    if not 200 <= answer.status < 300:
        raise ClientFailsError(untested_steps.refusal_reason(flow, url, answer), url)


def _discover_server(flow: SignInFlow, issuer: ParsedUrl) -> tuple[str, dict[str, Any] | None]:
    """The authorization server metadata with its URL; without metadata, the first URL at which it could be."""
    urls = [url for _, url in server_metadata_urls(issuer)]
    for url in urls:
        if (metadata := _get_document(flow, url)) is not None:
            return url, metadata
    return urls[0], None


def _get_document(flow: SignInFlow, url: str) -> dict[str, Any] | None:
    """The JSON object at a URL; None for a 404.

    Raises:
        UnknownOutcomeError: the answer is something else, for which Claude's behaviour is not documented.
    """
    answer = flow.send("GET", url)
    if isinstance(answer, Answer) and answer.status == 404:
        return None
    document = (
        parse_body(complete_answer(answer)).value if isinstance(answer, Answer) and answer.status == 200 else None
    )
    if document is None:
        problem = describe_answer(answer) if isinstance(answer, Answer) else f"cannot be reached: {answer.reason}"
        raise UnknownOutcomeError(f"{url} {problem}, and {_NOT_DOCUMENTED}.", url)
    return document


def _require_http_url(value: Any, source_url: str) -> ParsedUrl:
    url = parse_url(value) if isinstance(value, str) else None
    if url is None or not is_http_url(url.href):
        raise UnknownOutcomeError(f"{source_url} names {str(value)[:200]!r}, which is not a URL.", source_url)
    return url
