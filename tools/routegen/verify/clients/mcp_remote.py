"""mcp-remote: a look of its own at the metadata, then the SDK's sign-in, and once more over the older transport.

From the source of mcp-remote 0.15.1 (`client.ts`, `lib/utils.ts`, `lib/protected-resource-metadata.ts`,
`lib/authorization-server-metadata.ts`, `lib/node-oauth-client-provider.ts`) with the SDK that is bundled in it, and
from what it asked when it was recorded.
"""

import re
from typing import Any

from routegen.roles import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, PROTECTED_RESOURCE
from routegen.verify.answers import Answer
from routegen.verify.clients import javascript_json, typescript_sdk
from routegen.verify.clients.javascript_json import JsonError
from routegen.verify.clients.sign_in_flow import Flow, FlowError, fails, is_web, unknown
from routegen.verify.clients.typescript_sdk import Traits
from routegen.verify.clients.whatwg_url import Web, parsed
from routegen.verify.documents import describe

BUNDLED = Traits(schemes=frozenset({"bearer"}), redirects="anywhere")

_BEARER = re.compile(r"(?i)^Bearer\s+")
_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([\w-]+))', re.ASCII)
_OLDER_TRANSPORT = ("404", "405", "Not Found", "Method Not Allowed")


def connect(flow: Flow) -> str:
    """From the first request to the sign-in.

    Raises:
        FlowError: the client doesn't get there.
    """
    flow.endpoint  # noqa: B018 - raises for what isn't a URL
    scopes = _look(flow)
    flow.get(flow.mcp_url, "anywhere")  # whether it will need a place for the browser to come back to
    try:
        first = typescript_sdk.first_answer(flow, BUNDLED)
        if first.status != 401:
            return f"{flow.mcp_url} asks for no sign-in."
        _check_scopes(flow, scopes)
        return typescript_sdk.sign_in(flow, BUNDLED, first)
    except FlowError as end:
        raise _again(flow, end) from None


def _again(flow: Flow, end: FlowError) -> FlowError:
    """What comes of an error: it tells by the words in it whether to try the older transport."""
    said = end.error or ""
    if end.outcome == "fails" and (end.status in {404, 405} or any(word in said for word in _OLDER_TRANSPORT)):
        return _older_transport(flow, end)
    if end.outcome == "fails" and "Unauthorized" in said:
        return fails(f"It takes this for a sign-in that has begun, and waits for ever: {end.reason}", end.url)
    return end


def _older_transport(flow: Flow, end: FlowError) -> FlowError:
    answer = flow.get(flow.mcp_url, "anywhere")
    if not isinstance(answer, Answer):
        return fails(f"{answer.url} can't be reached: {answer.why}.", answer.url)
    if answer.status == 401:
        try:
            typescript_sdk.sign_in(flow, BUNDLED, answer)
        except FlowError as second:
            return second
    if answer.status in {200, 401}:
        return unknown(f"It goes on with the older transport, which is not foretold, because {end.reason}", end.url)
    error = f"SseError: SSE error: Non-200 status code ({answer.status})"
    return fails(f"{answer.url} {describe(answer)} to the older transport too.", answer.url, error)


def _look(flow: Flow) -> tuple[str, Any] | None:
    """Its own discovery, of which it keeps the scopes alone: what it calls them, and what it has found for them."""
    first = flow.get(flow.mcp_url, "anywhere")
    challenge: dict[str, str] = {}
    resource: Any = None
    server: Any = None
    if not (isinstance(first, Answer) and 200 <= first.status < 300):
        if isinstance(first, Answer) and first.status == 401:
            challenge = _challenge(first)
        resource = _first(flow, _resource_places(flow, challenge.get("resource_metadata")))
        server = _server_of(resource)
    web = parsed(str(server) if server else flow.mcp_url)
    if web is None:
        named = f"The metadata names {str(server)[:200]!r} as the authorization server, which is no URL"
        raise fails(f"{named}.", flow.requests[-1][1], "TypeError: Invalid URL")
    metadata = _first(flow, _server_places(web))
    if challenge.get("scope", "").strip():
        return None
    for name, document in (("resourceScopes", resource), ("authScopes", metadata)):
        if isinstance(document, dict) and "scopes_supported" in document:
            return name, document["scopes_supported"]
    return None


def _check_scopes(flow: Flow, found: tuple[str, Any] | None) -> None:
    """It joins the scopes without a look at what they are."""
    name, scopes = found or ("", [])
    if isinstance(scopes, list) or scopes == "":
        return
    reason = "The metadata's scopes_supported is no list, and it stumbles over that."
    message = (
        "Cannot read properties of null (reading 'length')" if scopes is None else f"{name}.join is not a function"
    )
    raise fails(reason, flow.mcp_url, f"TypeError: {message}")


def _challenge(answer: Answer) -> dict[str, str]:
    header = ", ".join(value for name, value in answer.headers if name == "www-authenticate")
    found = _PARAMETER.finditer(_BEARER.sub("", header))
    return {match[1]: match[2] if match[2] is not None else match[3] for match in found}


def _resource_places(flow: Flow, named: str | None) -> list[str]:
    web = flow.endpoint
    root, path = f"{web.origin}{PROTECTED_RESOURCE}", web.path.removesuffix("/")
    return [*([named] if named else []), *([f"{root}{path}"] if path else []), root]


def _server_places(web: Web) -> list[str]:
    path = web.path.rstrip("/")
    if not path:
        return [f"{web.origin}{AUTHORIZATION_SERVER}", f"{web.origin}{OPENID_CONFIGURATION}"]
    return [
        f"{web.origin}{AUTHORIZATION_SERVER}{path}",
        f"{web.origin}{AUTHORIZATION_SERVER}",
        f"{web.origin}{OPENID_CONFIGURATION}{path}",
        f"{web.origin}{path}{OPENID_CONFIGURATION}",
    ]


def _first(flow: Flow, urls: list[str]) -> Any:
    """The first JSON that is something; whatever goes wrong, it goes on to the next place."""
    for url in urls:
        web = parsed(url)
        if web is None or not is_web(url):
            continue
        answer = flow.get(web.href, "anywhere")
        if isinstance(answer, Answer) and 200 <= answer.status < 300:
            value = javascript_json.read(answer)
            if not isinstance(value, JsonError) and (value or isinstance(value, list | dict)):
                return value
    return None


def _server_of(resource: Any) -> Any:
    servers = resource.get("authorization_servers") if isinstance(resource, dict) else None
    return servers[0] if isinstance(servers, list | str) and servers else None
