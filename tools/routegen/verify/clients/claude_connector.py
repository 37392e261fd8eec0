"""Claude's connectors, as far as they are documented; what isn't is `unknown`.

What is known, as of 2026:

- It supports servers without sign-in, and the MCP authorization specifications of 2025-03-26 and 2025-06-18, with
  dynamic registration, client ID metadata documents, or a client ID that the user enters. The redirect URI is
  https://claude.ai/api/mcp/auth_callback (support.claude.com, "Building custom connectors via remote MCP servers";
  claude.com/docs/connectors/building/authentication).
- It connects from Anthropic's servers, so a host must have a public address (claude.com/docs/connectors/building/
  troubleshooting).
- The server must answer 401 with a challenge whose `resource_metadata` leads to the metadata, and from there to the
  authorization server (claude.com/docs/connectors/building/lazy-authentication).
- Without one, it looks for the metadata at its well-known path, and registers at the MCP server's own origin where
  there is none; the metadata's `resource` has to be the URL as it was entered (the maintainers in
  github.com/anthropics/claude-ai-mcp, issue 199). Behind API Gateway, where the challenge is renamed, a connector was
  reported to fail (issue 748), so nothing is foretold for that.
"""

import re
from typing import Any

from routegen.roles import PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import client_registration
from routegen.verify.clients.sign_in_flow import Flow, fails, is_web, known, unknown
from routegen.verify.clients.typescript_sdk import server_places
from routegen.verify.clients.whatwg_url import Web, parsed
from routegen.verify.documents import describe, parse
from routegen.verify.ssrf_guard import literal_kind

_NAMED = re.compile(r'(?i)\bresource_metadata\s*=\s*"([^"]+)"')


def connect(flow: Flow) -> str:
    """From the first request to the sign-in, on the way that is documented.

    Raises:
        FlowError: it leaves that way.
    """
    kind = literal_kind(flow.endpoint.host.strip("[]"))
    first = flow.ask("POST", flow.mcp_url)
    if isinstance(first, Failure):
        raise unknown(f"{flow.mcp_url} can't be reached: {first.why}.", flow.mcp_url)
    if kind not in {None, "public"}:
        raise unknown(f"It connects from the internet, so it can't reach {flow.endpoint.host}.", flow.mcp_url)
    if first.status == 200 and first.media_type in {"application/json", "text/event-stream"}:
        return f"{flow.mcp_url} asks for no sign-in."
    if first.status != 401:
        raise unknown(f"{first.url} {describe(first)}, and what it makes of that is not documented.", first.url)
    match = next((_NAMED.search(value) for name, value in first.headers if name == "www-authenticate"), None)
    if match is None:
        raise _without_challenge(flow)
    return _sign_in(flow, _web(match[1], flow.mcp_url))


def _without_challenge(flow: Flow) -> Exception:
    web = flow.endpoint
    path = web.path.removesuffix("/")
    places = [f"{web.origin}{PROTECTED_RESOURCE}{path}", f"{web.origin}{PROTECTED_RESOURCE}"]
    for url in dict.fromkeys(places):
        if _document(flow, url) is not None:
            return unknown(f"{flow.mcp_url} has no challenge that names {url}, which its documentation asks for.", url)
    metadata_url, metadata = _server(flow, parsed(web.origin) or web)
    if metadata is not None:
        return unknown(f"Only the older discovery leads to {metadata_url}, without a challenge.", metadata_url)
    register = f"{web.origin}/register"
    answer = client_registration.posted(flow, register, f"{web.origin}/authorize", named=False, redirects="within")
    if isinstance(answer, Answer) and not 200 <= answer.status < 300:
        guessed = client_registration.guessed(flow)
        return fails(
            f"There is no metadata, and {register} registers no client: {describe(answer)}{guessed}.", register
        )
    return unknown(f"There is no metadata, and what it does at {web.origin} is not documented.", web.origin)


def _sign_in(flow: Flow, web: Web) -> str:
    resource = _document(flow, web.href)
    if resource is None or resource.get("resource") != flow.mcp_url:
        raise unknown(f"{web.href} is not metadata about {flow.mcp_url} to the letter, which it needs.", web.href)
    servers = resource.get("authorization_servers")
    issuer = servers[0] if isinstance(servers, list) and servers else None
    url, metadata = _server(flow, _web(issuer, web.href))
    if metadata is None or metadata.get("issuer") != issuer:
        raise unknown(f"{url} is not the metadata of {issuer} to the letter, which others need at least.", url)
    methods = metadata.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        raise unknown(f"{url} doesn't list S256 as a code challenge method.", url)
    authorize = _web(metadata.get("authorization_endpoint"), url).href
    _register(flow, metadata, url, authorize)
    if page := client_registration.no_page(flow, authorize):
        raise fails(f"The page where its user would sign in {describe(page)}.", authorize)
    return client_registration.arrived(flow, authorize)


def _register(flow: Flow, metadata: dict[str, Any], url: str, authorize: str) -> None:
    if metadata.get("client_id_metadata_document_supported") is True:
        return
    if "registration_endpoint" not in metadata:
        raise unknown(f"{url} names no registration_endpoint, so its user must enter a client ID.", url)
    register = _web(metadata["registration_endpoint"], url).href
    answer = client_registration.posted(flow, register, authorize, named=True, redirects="within")
    if answer is None:
        return
    if isinstance(answer, Failure):
        raise unknown(f"{register} can't be reached: {answer.why}.", register)
    if not 200 <= answer.status < 300:
        raise fails(f"{register} registers no client: {describe(answer)}{client_registration.guessed(flow)}.", register)


def _server(flow: Flow, web: Web) -> tuple[str, dict[str, Any] | None]:
    places = [url for _, url in server_places(web)]
    for url in places:
        if (found := _document(flow, url)) is not None:
            return url, found
    return places[0], None


def _document(flow: Flow, url: str) -> dict[str, Any] | None:
    """The JSON object at a URL; None for a 404, and nothing else is documented."""
    answer = flow.ask("GET", url)
    if isinstance(answer, Answer) and answer.status == 404:
        return None
    value = parse(known(answer))[0] if isinstance(answer, Answer) and answer.status == 200 else None
    if value is None:
        said = describe(answer) if isinstance(answer, Answer) else f"gives no answer: {answer.why}"
        raise unknown(f"{url} {said}, and what it makes of that is not documented.", url)
    return value


def _web(text: Any, at: str) -> Web:
    web = parsed(text) if isinstance(text, str) else None
    if web is None or not is_web(web.href):
        raise unknown(f"{at} names {str(text)[:200]!r} where a URL should be.", at)
    return web
