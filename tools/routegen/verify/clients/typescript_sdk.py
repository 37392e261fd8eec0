"""The sign-in flow of the TypeScript SDK, and of the clients that are built on it.

From the sources of `@modelcontextprotocol/sdk` 1.32.2 (`client/auth.js`, `client/streamableHttp.js`, `shared/
transport.js`), `@modelcontextprotocol/client` 2.4.0 and the inspector 2.12.0 (`core/auth`), and from the requests of
the recorded runs. `SdkTraits` holds the differences between these clients.
"""

import re
from dataclasses import dataclass
from typing import Any

from routegen.roles import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Failure, shown
from routegen.verify.clients import metadata_schemas, untested_steps
from routegen.verify.clients.javascript_json import JsonSyntaxError, parse_json, quote_string
from routegen.verify.clients.metadata_schemas import ZodSchema, zod_issues, zod_message
from routegen.verify.clients.sign_in_flow import (
    ClientFailsError,
    FlowError,
    RedirectPolicy,
    SignInFlow,
    UnknownOutcomeError,
    complete_answer,
    redirect_target,
    unreachable_error,
)
from routegen.verify.clients.whatwg_url import ParsedUrl, is_http_url, parse_url
from routegen.verify.documents import describe_answer
from routegen.verify.mcp_messages import error_of, is_message
from routegen.verify.request_url import host_kind

_INCOMPATIBLE = "Incompatible auth server: does not support"
_OAUTH_ERROR_CODES = frozenset({
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "access_denied", "server_error", "temporarily_unavailable", "unsupported_response_type",
    "unsupported_token_type", "invalid_token", "method_not_allowed", "too_many_requests", "invalid_client_metadata",
    "insufficient_scope", "invalid_target",
})  # fmt: skip


@dataclass(frozen=True)
class SdkTraits:
    """The differences between the clients that are built on the TypeScript SDK.

    Attributes:
        is_v1: whether it is major version 1 of the SDK, which checks less.
        shows_error_class: whether the user sees the class of an error before its message.
        challenge_schemes: the authentication schemes whose challenges the client reads.
        redirect_policy: the redirects that the client follows.
        accepts_oauth_at_openid_url: whether the client accepts OAuth metadata at the URLs of OpenID metadata.
        status_error: class and start of the message for an MCP endpoint that answers with an error status.
        content_type_error: class and start of the message for an MCP endpoint that answers with another content type.
    """

    is_v1: bool = False
    shows_error_class: bool = True
    challenge_schemes: frozenset[str] = frozenset({"bearer", "dpop"})
    redirect_policy: RedirectPolicy = "same-origin"
    accepts_oauth_at_openid_url: bool = False
    status_error: tuple[str, str] = ("SdkHttpError", "Error POSTing to endpoint: ")
    content_type_error: tuple[str, str] = ("SdkError", "Unexpected content type: ")

    def error_text(self, error_class: str, message: str) -> str:
        """The text of an error as the user sees it."""
        if not self.shows_error_class:
            return message
        return f"{error_class}: {message}" if message else error_class

    def tries_next_url(self, status: int) -> bool:
        """Whether the client looks for metadata at the next URL after an answer with an error status."""
        return status < 500 or (status == 502 and not self.is_v1)


V1 = SdkTraits(
    is_v1=True,
    challenge_schemes=frozenset({"bearer"}),
    status_error=("Error", "Streamable HTTP error: Error POSTing to endpoint: "),
    content_type_error=("Error", "Streamable HTTP error: Unexpected content type: "),
)
V2 = SdkTraits()
INSPECTOR = SdkTraits(
    shows_error_class=False, challenge_schemes=frozenset({"bearer"}), accepts_oauth_at_openid_url=True
)


@dataclass(frozen=True)
class DiscoveredMetadata:
    """The result of metadata discovery.

    Attributes:
        resource: the protected resource metadata; None if there is none.
        resource_url: the URL of this document, or the last URL at which the client looked for it.
        server: the URL of the authorization server.
        metadata: the authorization server metadata; None if there is none.
        metadata_url: the URL of this document.
    """

    resource: dict[str, Any] | None
    resource_url: str
    server: ParsedUrl
    metadata: dict[str, Any] | None
    metadata_url: str

    def endpoint_url(self, name: str) -> str:
        """The URL of the endpoint `authorize`, `token` or `register`; empty if the metadata does not name it.

        Without metadata, it is the default path of MCP 2025-03-26, section 2.3.3.
        """
        if self.metadata is None:
            return f"{self.server.origin}/{name}"
        field = {"authorize": "authorization_endpoint", "token": "token_endpoint", "register": "registration_endpoint"}
        return str(self.metadata.get(field[name]) or "")


def connect(flow: SignInFlow, traits: SdkTraits) -> str:
    """Take the flow to the sign-in page, and return the reason why the client connects.

    Raises:
        FlowError: the client does not get there, or it is not known whether it does.
    """
    first_answer = request_endpoint(flow, traits)
    if first_answer.status == 200:
        return f"{flow.mcp_url} requires no sign-in."
    return sign_in(flow, traits, first_answer)


def request_endpoint(flow: SignInFlow, traits: SdkTraits) -> Answer:
    """Send the first message to the MCP endpoint, and return its answer: a 401, or an answer of the MCP server.

    Raises:
        FlowError: the endpoint answers with something else, or cannot be reached.
    """
    answer = flow.send_and_follow("POST", flow.mcp_url, traits.redirect_policy)
    if isinstance(answer, Failure):
        raise _unreachable(traits, answer)
    if answer.status == 401:
        return answer
    if not _is_success(answer):
        redirect_message = _redirect_message(answer, traits) if traits.redirect_policy == "same-origin" else None
        message = redirect_message or complete_answer(answer).body.decode("utf-8", "replace")
        error_class, prefix = traits.status_error
        reason = f"{answer.url} {describe_answer(answer)}, which is not a challenge."
        raise ClientFailsError(reason, answer.url, traits.error_text(error_class, prefix + message), answer.status)
    if answer.status == 200 and (error := error_of(answer)):
        reason = f"{answer.url} answers 200 with a JSON-RPC error, and only a 401 starts a sign-in."
        raise ClientFailsError(reason, answer.url, _json_rpc_error_text(traits, error))
    if answer.media_type == "application/json" and answer.status == 200 and not is_message(answer):
        reason = f"{answer.url} {describe_answer(answer)}, which is not an MCP message."
        raise ClientFailsError(reason, answer.url)
    if answer.media_type in {"application/json", "text/event-stream"} or answer.status == 202:
        return answer
    error_class, prefix = traits.content_type_error
    content_type = answer.header("content-type")
    text = traits.error_text(error_class, prefix + ("null" if content_type is None else content_type))
    raise ClientFailsError(f"{answer.url} {describe_answer(answer)}, which is not an MCP message.", answer.url, text)


def _json_rpc_error_text(traits: SdkTraits, error: dict[str, Any]) -> str | None:
    """The text of a JSON-RPC error; None if the error is not valid, so that the exact words are not known."""
    code, message = error.get("code"), error.get("message")
    if not isinstance(code, int) or not isinstance(message, str):
        return None
    return traits.error_text("McpError", f"MCP error {code}: {message}") if traits.is_v1 else None


def sign_in(flow: SignInFlow, traits: SdkTraits, challenge: Answer) -> str:
    """Take the flow from the challenge to the sign-in page, and return the reason why the client connects."""
    named = _challenge_value(traits, challenge, "resource_metadata")
    url = parse_url(named) if named else None
    discovered = _discover(flow, traits, url.href if url else None)
    _check_resource(flow, traits, discovered)
    _register(flow, traits, discovered)
    return _authorize(flow, traits, discovered, _challenge_value(traits, challenge, "scope"))


def _challenge_value(traits: SdkTraits, challenge: Answer, name: str) -> str | None:
    """The value of a parameter of the challenge (`extractWWWAuthenticateParams`)."""
    header = ", ".join(value for key, value in challenge.headers if key == "www-authenticate")
    scheme, _, parameters = header.partition(" ")
    match = re.search(rf'{name}=(?:"([^"]+)"|([^\s,]+))', header)
    if scheme.lower() not in traits.challenge_schemes or not parameters or parameters.startswith(" ") or not match:
        return None
    return match[1] or match[2]


def _get_metadata(flow: SignInFlow, traits: SdkTraits, url: str) -> Answer | None:
    """The answer to a GET request for metadata; None for a network error, which version 1 ignores."""
    answer = flow.get(url, traits.redirect_policy)
    if isinstance(answer, Answer):
        return answer
    if not traits.is_v1:
        raise _unreachable(traits, answer)
    # Version 1 tries again without headers, because the reason may be CORS.
    second_answer = flow.get(url, traits.redirect_policy)
    return second_answer if isinstance(second_answer, Answer) else None


def _discover(flow: SignInFlow, traits: SdkTraits, challenge_url: str | None) -> DiscoveredMetadata:
    """Find the protected resource metadata and the authorization server metadata."""
    resource_url, resource = _discover_resource(flow, traits, challenge_url)
    issuers = (resource or {}).get("authorization_servers") or [f"{flow.endpoint.origin}/"]
    server = parse_url(issuers[0])
    if server is None or not is_http_url(server.href):
        named = shown(issuers[0])
        reason = f"{resource_url} names {named!r} as the authorization server, which is not an http or https URL."
        raise UnknownOutcomeError(reason, resource_url)
    metadata_url, metadata = _discover_server(flow, traits, issuers[0], server)
    return DiscoveredMetadata(resource, resource_url, server, metadata, metadata_url)


def _discover_resource(
    flow: SignInFlow, traits: SdkTraits, challenge_url: str | None
) -> tuple[str, dict[str, Any] | None]:
    """The protected resource metadata with its URL; the client treats a wrong document like a missing one."""
    endpoint = flow.endpoint
    url = challenge_url or f"{endpoint.origin}{PROTECTED_RESOURCE}{endpoint.path.removesuffix('/')}{endpoint.query}"
    answer = _get_metadata(flow, traits, url)
    tries_root = answer is None or (
        not _is_success(answer) and traits.tries_next_url(answer.status) and endpoint.path != "/"
    )
    if tries_root and not challenge_url:
        url = f"{endpoint.origin}{PROTECTED_RESOURCE}"
        answer = _get_metadata(flow, traits, url)
    if answer is None or not _is_success(answer):
        return url, None
    document = parse_json(answer)
    is_wrong = isinstance(document, JsonSyntaxError) or zod_issues(metadata_schemas.PROTECTED_RESOURCE, document)
    return url, None if is_wrong else document


def server_metadata_urls(server: ParsedUrl) -> list[tuple[ZodSchema, str]]:
    """The URLs at which the SDK looks for authorization server metadata, each with its schema."""
    path = server.path.removesuffix("/")
    urls = [
        (metadata_schemas.AUTHORIZATION_SERVER, f"{server.origin}{AUTHORIZATION_SERVER}{path}"),
        (metadata_schemas.OPENID, f"{server.origin}{OPENID_CONFIGURATION}{path}"),
    ]
    return [*urls, (metadata_schemas.OPENID, f"{server.origin}{path}{OPENID_CONFIGURATION}")] if path else urls


def _discover_server(
    flow: SignInFlow, traits: SdkTraits, issuer: str, server: ParsedUrl
) -> tuple[str, dict[str, Any] | None]:
    """The authorization server metadata with its URL; without metadata, the origin of the server."""
    for schema, url in server_metadata_urls(server):
        answer = _get_metadata(flow, traits, url)
        if answer is None:
            continue
        if traits.accepts_oauth_at_openid_url and schema is metadata_schemas.AUTHORIZATION_SERVER:
            answer = _oauth_at_openid_url(flow, answer, server)
        if _is_success(answer):
            return url, _server_metadata(traits, schema, answer, issuer)
        if not traits.tries_next_url(answer.status):
            kind = "OAuth" if schema is metadata_schemas.AUTHORIZATION_SERVER else "OpenID provider"
            text = traits.error_text("Error", f"HTTP {answer.status} trying to load {kind} metadata from {url}")
            reason = f"{url} {describe_answer(answer)}, and the client does not look for metadata elsewhere."
            raise ClientFailsError(reason, url, text)
    return server.origin, None


def _oauth_at_openid_url(flow: SignInFlow, answer: Answer, server: ParsedUrl) -> Answer:
    """OAuth metadata that the inspector finds at an OpenID URL (`oidcDiscoveryCompat`); if none, the given answer."""
    if not _is_tried_elsewhere(answer):
        return answer
    for _, url in server_metadata_urls(server)[1:]:
        openid_answer = flow.get(url, "any-origin")
        if isinstance(openid_answer, Failure):
            return answer
        if _is_success(openid_answer):
            document = parse_json(openid_answer)
            is_only_oauth = (
                not isinstance(document, JsonSyntaxError)
                and not zod_issues(metadata_schemas.AUTHORIZATION_SERVER, document)
                and bool(zod_issues(metadata_schemas.OPENID, document))
            )
            return openid_answer if is_only_oauth else answer
        if not _is_tried_elsewhere(openid_answer):
            return answer
    return answer


def _is_tried_elsewhere(answer: Answer) -> bool:
    return 400 <= answer.status < 500 or answer.status == 502


def _server_metadata(traits: SdkTraits, schema: ZodSchema, answer: Answer, issuer: str) -> dict[str, Any]:
    """The authorization server metadata in an answer, with the right issuer (RFC 8414, section 3.3)."""
    metadata = _valid_document(traits, schema, answer)
    # Version 1 does not check the issuer.
    if not traits.is_v1 and metadata["issuer"] not in {issuer, issuer.removesuffix("/")}:
        received, expected = quote_string(metadata["issuer"]), quote_string(issuer)
        message = (
            "Issuer mismatch in authorization server metadata (RFC 8414 §3.3): "
            f"expected {expected}, received {received}"
        )
        reason = f"{answer.url} has the issuer {shown(received)}, not {expected}."
        raise ClientFailsError(reason, answer.url, traits.error_text("IssuerMismatchError", message))
    return metadata


def _valid_document(traits: SdkTraits, schema: ZodSchema, answer: Answer) -> dict[str, Any]:
    """The JSON document in an answer.

    Raises:
        ClientFailsError: it is not JSON, or does not fit the schema.
    """
    document = parse_json(answer)
    if isinstance(document, JsonSyntaxError):
        text = traits.error_text("SyntaxError", document.message) if document.message else None
        kind = "a web page" if answer.is_html else "a body that is not JSON"
        reason = f"{answer.url} answers {answer.status} with {kind}, and the client requires JSON."
        raise ClientFailsError(reason, answer.url, text)
    if issues := zod_issues(schema, document):
        place = ".".join(map(str, issues[0]["path"])) or "the document"
        reason = f"{answer.url} has the wrong type at {place}, and the client rejects the whole document."
        message = zod_message(issues)
        raise ClientFailsError(reason, answer.url, traits.error_text("ZodError", message) if message else None)
    valid_document: dict[str, Any] = document
    return valid_document


def _check_resource(flow: SignInFlow, traits: SdkTraits, discovered: DiscoveredMetadata) -> None:
    """Check the resource (RFC 8707): the endpoint's origin, and the start of its path (`checkResourceAllowed`)."""
    if discovered.resource is None:
        return
    endpoint, resource = flow.endpoint, discovered.resource["resource"]
    resource_url = parse_url(resource)
    if resource_url and _contains(resource_url, endpoint):
        return
    expected = endpoint.href.partition("#")[0]
    text = traits.error_text("Error", f"Protected resource {resource} does not match expected {expected} (or origin)")
    reason = f"{discovered.resource_url} describes the resource {resource}, not {expected}."
    raise ClientFailsError(reason, discovered.resource_url, text)


def _contains(resource: ParsedUrl, endpoint: ParsedUrl) -> bool:
    is_below = f"{endpoint.path.removesuffix('/')}/".startswith(f"{resource.path.removesuffix('/')}/")
    return endpoint.origin == resource.origin and len(endpoint.path) >= len(resource.path) and is_below


def _register(flow: SignInFlow, traits: SdkTraits, discovered: DiscoveredMetadata) -> None:
    url = discovered.endpoint_url("register")
    if not url:
        text = traits.error_text("Error", f"{_INCOMPATIBLE} dynamic client registration")
        reason = f"{discovered.metadata_url} names no registration_endpoint."
        raise ClientFailsError(reason, discovered.metadata_url, text)
    in_metadata = discovered.metadata is not None
    authorization_url = discovered.endpoint_url("authorize")
    answer = untested_steps.register(
        flow, url, authorization_url, in_metadata=in_metadata, policy=traits.redirect_policy
    )
    if answer is None:
        return
    if isinstance(answer, Failure):
        raise _unreachable(traits, answer)
    if not _is_success(answer):
        reason = untested_steps.refusal_reason(flow, url, answer)
        raise ClientFailsError(reason, url, _registration_error_text(traits, complete_answer(answer)))
    _valid_document(traits, metadata_schemas.REGISTRATION, answer)


def _registration_error_text(traits: SdkTraits, answer: Answer) -> str | None:
    """The error for a refused registration; None if its exact words are not known."""
    body = answer.body.decode("utf-8", "replace")
    if not traits.is_v1:
        message = f"Dynamic Client Registration rejected (HTTP {answer.status}): {body}"
        return traits.error_text("RegistrationRejectedError", message)
    document = parse_json(answer)
    issues = [] if isinstance(document, JsonSyntaxError) else zod_issues(metadata_schemas.OAUTH_ERROR, document)
    if not isinstance(document, JsonSyntaxError) and not issues:
        code = document["error"] if document["error"] in _OAUTH_ERROR_CODES else "server_error"
        error_class = "".join(part.capitalize() for part in code.removesuffix("_error").split("_")) + "Error"
        return traits.error_text(error_class, document.get("error_description", ""))
    if (redirect_message := _redirect_message(answer, traits, with_policy=False)) is not None:
        return traits.error_text("ServerError", f"HTTP {answer.status}: {redirect_message}")
    is_syntax_error = isinstance(document, JsonSyntaxError)
    problem = document.message and f"SyntaxError: {document.message}" if is_syntax_error else zod_message(issues)
    if problem is None:
        return None
    message = f"HTTP {answer.status}: Invalid OAuth error response: {problem}. Raw body: {body}"
    return traits.error_text("ServerError", message)


def _authorize(flow: SignInFlow, traits: SdkTraits, discovered: DiscoveredMetadata, scope: str | None) -> str:
    """Check the metadata as the client does after its registration, and return the reason why it connects."""
    _check_supported(traits, discovered)
    authorization_url = discovered.endpoint_url("authorize")
    if page := untested_steps.missing_sign_in_page(flow, authorization_url):
        raise ClientFailsError(f"The sign-in page {authorization_url} {describe_answer(page)}.", authorization_url)
    _check_token_endpoint(traits, discovered.endpoint_url("token"))
    resource, metadata = discovered.resource or {}, discovered.metadata or {}
    # Without protected resource metadata, the client names no resource (`selectResourceURL`).
    untested_steps.assume_token(flow, scope, resource, metadata)
    if not traits.is_v1:
        untested_steps.assume_response(flow, metadata)
    return untested_steps.sign_in_reason(flow, authorization_url)


def _check_supported(traits: SdkTraits, discovered: DiscoveredMetadata) -> None:
    """Check that the server supports the response type `code` and the code challenge method `S256`."""
    metadata = discovered.metadata or {}
    for field, value, title in (
        ("response_types_supported", "code", "response type"),
        ("code_challenge_methods_supported", "S256", "code challenge method"),
    ):
        if field in metadata and value not in metadata[field]:
            text = traits.error_text("Error", f"{_INCOMPATIBLE} {title} {value}")
            reason = f"{discovered.metadata_url} does not list {value} in {field}."
            raise ClientFailsError(reason, discovered.metadata_url, text)


def _check_token_endpoint(traits: SdkTraits, token_url: str) -> None:
    """Check that the token endpoint uses https (`assertSecureTokenEndpoint`, which version 1 does not have)."""
    url = parse_url(token_url)
    if traits.is_v1 or url is None or url.scheme == "https" or host_kind(url.host.strip("[]")) == "loopback":
        return
    message = (
        f"Refusing to send credentials to non-https token endpoint '{url.href}'. OAuth token requests MUST use TLS "
        "(localhost / *.localhost / 127.0.0.1 / ::1 are exempt)."
    )
    reason = f"The token endpoint {token_url} does not use https, so the client sends it no code."
    raise ClientFailsError(reason, token_url, traits.error_text("InsecureTokenEndpointError", message))


def _unreachable(traits: SdkTraits, failure: Failure) -> FlowError:
    return unreachable_error(failure, traits.error_text("TypeError", "fetch failed"))


def _redirect_message(answer: Answer, traits: SdkTraits, *, with_policy: bool = True) -> str | None:
    """The message for a redirect that the client does not follow; None for an answer that is not a redirect.

    Args:
        answer: the answer.
        traits: the traits of the client.
        with_policy: whether the message ends with the client's redirect policy.
    """
    target, source_url = redirect_target(answer), parse_url(answer.url)
    target_url = parse_url(target) if target else None
    if target_url is None or source_url is None:
        return None
    place = f"{target_url.origin}{target_url.path}"
    if (source_url.scheme, target_url.scheme) == ("https", "http"):
        place = f"https{place.removeprefix('http')}"
        message = (
            f"Redirect to plain http not followed; try {place} instead"
            if traits.is_v1
            else f"Redirect from https to plain http not followed; try {place} as the endpoint"
        )
    else:
        advice = "" if traits.is_v1 else "; use that URL as the endpoint if it is the intended server"
        message = f"Redirect to {place} not followed{advice}"
    return f"{message} (redirectPolicy: 'same-origin')" if with_policy else message


def _is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300
