"""The sign-in flow of the TypeScript SDK, and of the clients that are built on it.

From the sources of `@modelcontextprotocol/sdk` 1.32.2 (`client/auth.js`, `client/streamableHttp.js`, `shared/
transport.js`), `@modelcontextprotocol/client` 2.4.0 and the inspector 2.12.0 (`core/auth`), and from the requests of
the recorded runs. `SdkTraits` holds the differences between these clients.
"""

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
    challenge_header,
    challenge_value,
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
        names_empty_scope: whether the client registers with an empty scope if no scope is named.
        status_error: class and start of the message for an MCP endpoint that answers with an error status.
        content_type_error: class and start of the message for an MCP endpoint that answers with another content type.
    """

    is_v1: bool = False
    shows_error_class: bool = True
    challenge_schemes: frozenset[str] = frozenset({"bearer", "dpop"})
    redirect_policy: RedirectPolicy = "same-origin"
    accepts_oauth_at_openid_url: bool = False
    names_empty_scope: bool = False
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
    shows_error_class=False,
    challenge_schemes=frozenset({"bearer"}),
    accepts_oauth_at_openid_url=True,
    names_empty_scope=True,
)


@dataclass(frozen=True)
class DiscoveredMetadata:
    """Both metadata documents, None for a missing one, and the URL of each; `server` is the authorization server."""

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
    client = SdkClient(flow, traits)
    first_answer = client.request_endpoint()
    return f"{flow.mcp_url} requires no sign-in." if first_answer.status == 200 else client.sign_in(first_answer)


@dataclass(frozen=True)
class SdkClient:
    """A client that is built on the TypeScript SDK, with the flow that it takes."""

    flow: SignInFlow
    traits: SdkTraits

    def request_endpoint(self) -> Answer:
        """Send the first message to the MCP endpoint, and return its answer: a 401, or an answer of the MCP server.

        Raises:
            FlowError: the endpoint answers with something else, or cannot be reached.
        """
        answer = self.flow.send_and_follow("POST", self.flow.mcp_url, self.traits.redirect_policy)
        if isinstance(answer, Failure):
            raise self._unreachable(answer)
        if answer.status == 401:
            return answer
        description = f"{answer.url} {describe_answer(answer)}"
        if not answer.is_success:
            redirect_message = self._redirect_message(answer) if self.traits.redirect_policy == "same-origin" else None
            message = redirect_message or complete_answer(answer).body.decode("utf-8", "replace")
            error_class, prefix = self.traits.status_error
            reason = f"{description}, which is not a challenge."
            raise self._error(reason, answer.url, error_class, prefix + message, answer.status)
        reason = f"{description}, which is not an MCP message."
        if answer.status == 200 and (error := error_of(answer)):
            reason = f"{answer.url} answers 200 with a JSON-RPC error, and only a 401 starts a sign-in."
            raise self._error(reason, answer.url, "McpError", self._json_rpc_message(error))
        if answer.media_type == "application/json" and answer.status == 200 and not is_message(answer):
            raise self._error(reason, answer.url)
        if answer.media_type in {"application/json", "text/event-stream"} or answer.status == 202:
            return answer
        error_class, prefix = self.traits.content_type_error
        content_type = answer.header("content-type")
        raise self._error(reason, answer.url, error_class, prefix + ("null" if content_type is None else content_type))

    def sign_in(self, challenge: Answer) -> str:
        """Take the flow from the challenge to the sign-in page, and return the reason why the client connects."""
        named = self._challenge_value(challenge, "resource_metadata")
        url = parse_url(named) if named else None
        discovered = self._discover(url.href if url else None)
        self._check_resource(discovered)
        self._register(discovered)
        self._check_supported(discovered)
        authorization_url = discovered.endpoint_url("authorize")
        untested_steps.check_sign_in_page(self.flow, authorization_url)
        self._check_token_endpoint(discovered.endpoint_url("token"))
        resource, metadata = discovered.resource or {}, discovered.metadata or {}
        # Without protected resource metadata, the client names no resource (`selectResourceURL`).
        scope, names_empty_scope = self._challenge_value(challenge, "scope"), self.traits.names_empty_scope
        untested_steps.assume_token(self.flow, scope, resource, metadata, names_empty_scope=names_empty_scope)
        if not self.traits.is_v1:
            untested_steps.assume_response(self.flow, metadata)
        return untested_steps.sign_in_reason(self.flow, authorization_url)

    def _error(
        self, reason: str, url: str, error_class: str = "", message: str | None = None, status: int | None = None
    ) -> ClientFailsError:
        """The end of the flow with an error; without a message, its exact words are not known."""
        text = None if message is None else self.traits.error_text(error_class, message)
        return ClientFailsError(reason, url, text, status)

    def _unreachable(self, failure: Failure) -> FlowError:
        return unreachable_error(failure, self.traits.error_text("TypeError", "fetch failed"))

    def _json_rpc_message(self, error: dict[str, Any]) -> str | None:
        code, message = error.get("code"), error.get("message")
        is_known = self.traits.is_v1 and isinstance(code, int) and isinstance(message, str)
        return f"MCP error {code}: {message}" if is_known else None

    def _challenge_value(self, challenge: Answer, name: str) -> str | None:
        """The value of a parameter of the challenge (`extractWWWAuthenticateParams`)."""
        scheme, _, parameters = challenge_header(challenge).partition(" ")
        if scheme.lower() not in self.traits.challenge_schemes or not parameters or parameters.startswith(" "):
            return None
        return challenge_value(challenge, name)

    def _get_metadata(self, url: str) -> Answer | None:
        """The answer to a GET request for metadata; None for a network error, which version 1 ignores."""
        answer = self.flow.get(url, self.traits.redirect_policy)
        if isinstance(answer, Answer):
            return answer
        if not self.traits.is_v1:
            raise self._unreachable(answer)
        # Version 1 tries again without headers, because the reason may be CORS.
        second_answer = self.flow.get(url, self.traits.redirect_policy)
        return second_answer if isinstance(second_answer, Answer) else None

    def _discover(self, challenge_url: str | None) -> DiscoveredMetadata:
        resource_url, resource = self._discover_resource(challenge_url)
        issuers = (resource or {}).get("authorization_servers") or [f"{self.flow.endpoint.origin}/"]
        server = parse_url(issuers[0])
        if server is None or not is_http_url(server.href):
            named = shown(issuers[0])
            reason = f"{resource_url} names {named!r} as the authorization server, which is not an http or https URL."
            raise UnknownOutcomeError(reason, resource_url)
        metadata_url, metadata = self._discover_server(issuers[0], server)
        return DiscoveredMetadata(resource, resource_url, server, metadata, metadata_url)

    def _discover_resource(self, challenge_url: str | None) -> tuple[str, dict[str, Any] | None]:
        """The protected resource metadata with its URL; the client treats a wrong document like a missing one."""
        endpoint = self.flow.endpoint
        url = challenge_url or f"{endpoint.origin}{PROTECTED_RESOURCE}{endpoint.path.removesuffix('/')}{endpoint.query}"
        answer = self._get_metadata(url)
        tries_root = answer is None or (
            not answer.is_success and self.traits.tries_next_url(answer.status) and endpoint.path != "/"
        )
        if tries_root and not challenge_url:
            url = f"{endpoint.origin}{PROTECTED_RESOURCE}"
            answer = self._get_metadata(url)
        if answer is None or not answer.is_success:
            return url, None
        document = parse_json(answer)
        is_wrong = isinstance(document, JsonSyntaxError) or zod_issues(metadata_schemas.PROTECTED_RESOURCE, document)
        return url, None if is_wrong else document

    def _discover_server(self, issuer: str, server: ParsedUrl) -> tuple[str, dict[str, Any] | None]:
        """The authorization server metadata with its URL; without metadata, the origin of the server."""
        for schema, url in _server_metadata_urls(server):
            answer = self._get_metadata(url)
            if answer is None:
                continue
            if self.traits.accepts_oauth_at_openid_url and schema is metadata_schemas.AUTHORIZATION_SERVER:
                answer = self._oauth_at_openid_url(answer, server)
            if answer.is_success:
                return url, self._server_metadata(schema, answer, issuer)
            if not self.traits.tries_next_url(answer.status):
                kind = "OAuth" if schema is metadata_schemas.AUTHORIZATION_SERVER else "OpenID provider"
                message = f"HTTP {answer.status} trying to load {kind} metadata from {url}"
                reason = f"{url} {describe_answer(answer)}, and the client does not look for metadata elsewhere."
                raise self._error(reason, url, "Error", message)
        return server.origin, None

    def _oauth_at_openid_url(self, answer: Answer, server: ParsedUrl) -> Answer:
        """OAuth metadata that the inspector finds at an OpenID URL (`oidcDiscoveryCompat`), or the given answer."""
        if not _is_tried_elsewhere(answer):
            return answer
        for _, url in _server_metadata_urls(server)[1:]:
            openid_answer = self.flow.get(url, "any-origin")
            if isinstance(openid_answer, Failure):
                return answer
            if openid_answer.is_success:
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

    def _server_metadata(self, schema: ZodSchema, answer: Answer, issuer: str) -> dict[str, Any]:
        """The authorization server metadata in an answer; version 1 does not check its issuer (RFC 8414, 3.3)."""
        metadata = self._valid_document(schema, answer)
        if not self.traits.is_v1 and metadata["issuer"] not in {issuer, issuer.removesuffix("/")}:
            received, expected = quote_string(metadata["issuer"]), quote_string(issuer)
            message = (
                "Issuer mismatch in authorization server metadata (RFC 8414 §3.3): "
                f"expected {expected}, received {received}"
            )
            reason = f"{answer.url} has the issuer {shown(received)}, not {expected}."
            raise self._error(reason, answer.url, "IssuerMismatchError", message)
        return metadata

    def _valid_document(self, schema: ZodSchema, answer: Answer) -> dict[str, Any]:
        """The JSON document in an answer; the client fails if it is not JSON, or does not fit the schema."""
        document = parse_json(answer)
        if isinstance(document, JsonSyntaxError):
            kind = "a web page" if answer.is_html else "a body that is not JSON"
            reason = f"{answer.url} answers {answer.status} with {kind}, and the client requires JSON."
            raise self._error(reason, answer.url, "SyntaxError", document.message)
        if issues := zod_issues(schema, document):
            place = ".".join(map(str, issues[0]["path"])) or "the document"
            reason = f"{answer.url} has the wrong type at {place}, and the client rejects the whole document."
            raise self._error(reason, answer.url, "ZodError", zod_message(issues))
        valid_document: dict[str, Any] = document
        return valid_document

    def _check_resource(self, discovered: DiscoveredMetadata) -> None:
        """Check the resource (RFC 8707): the endpoint's origin, and the start of its path (`checkResourceAllowed`)."""
        if discovered.resource is None:
            return
        endpoint, resource = self.flow.endpoint, discovered.resource["resource"]
        url = parse_url(resource)
        is_allowed = (
            url is not None
            and endpoint.origin == url.origin
            and len(endpoint.path) >= len(url.path)
            and f"{endpoint.path.removesuffix('/')}/".startswith(f"{url.path.removesuffix('/')}/")
        )
        if not is_allowed:
            expected = endpoint.href.partition("#")[0]
            message = f"Protected resource {resource} does not match expected {expected} (or origin)"
            reason = f"{discovered.resource_url} describes the resource {resource}, not {expected}."
            raise self._error(reason, discovered.resource_url, "Error", message)

    def _register(self, discovered: DiscoveredMetadata) -> None:
        url, authorization_url = discovered.endpoint_url("register"), discovered.endpoint_url("authorize")
        if not url:
            reason = f"{discovered.metadata_url} names no registration_endpoint."
            message = f"{_INCOMPATIBLE} dynamic client registration"
            raise self._error(reason, discovered.metadata_url, "Error", message)
        in_metadata = discovered.metadata is not None
        answer = untested_steps.register(
            self.flow, url, authorization_url, in_metadata=in_metadata, policy=self.traits.redirect_policy
        )
        if isinstance(answer, Failure):
            raise self._unreachable(answer)
        if answer is not None and not answer.is_success:
            reason = untested_steps.refusal_reason(self.flow, url, answer)
            raise self._error(reason, url, *self._registration_error(complete_answer(answer)))
        if answer is not None:
            self._valid_document(metadata_schemas.REGISTRATION, answer)

    def _registration_error(self, answer: Answer) -> tuple[str, str | None]:
        """The class and the message of the error for a refused registration."""
        body = answer.body.decode("utf-8", "replace")
        if not self.traits.is_v1:
            message = f"Dynamic Client Registration rejected (HTTP {answer.status}): {body}"
            return "RegistrationRejectedError", message
        document = parse_json(answer)
        is_syntax_error = isinstance(document, JsonSyntaxError)
        issues = [] if is_syntax_error else zod_issues(metadata_schemas.OAUTH_ERROR, document)
        if not is_syntax_error and not issues:
            code = document["error"] if document["error"] in _OAUTH_ERROR_CODES else "server_error"
            error_class = "".join(part.capitalize() for part in code.removesuffix("_error").split("_")) + "Error"
            return error_class, document.get("error_description", "")
        if (redirect_message := self._redirect_message(answer, with_policy=False)) is not None:
            return "ServerError", f"HTTP {answer.status}: {redirect_message}"
        problem = document.message and f"SyntaxError: {document.message}" if is_syntax_error else zod_message(issues)
        message = f"HTTP {answer.status}: Invalid OAuth error response: {problem}. Raw body: {body}"
        return "ServerError", None if problem is None else message

    def _check_supported(self, discovered: DiscoveredMetadata) -> None:
        """Check that the server supports the response type `code` and the code challenge method `S256`."""
        metadata = discovered.metadata or {}
        for field, value, title in (
            ("response_types_supported", "code", "response type"),
            ("code_challenge_methods_supported", "S256", "code challenge method"),
        ):
            if field in metadata and value not in metadata[field]:
                reason = f"{discovered.metadata_url} does not list {value} in {field}."
                raise self._error(reason, discovered.metadata_url, "Error", f"{_INCOMPATIBLE} {title} {value}")

    def _check_token_endpoint(self, token_url: str) -> None:
        """Check that the token endpoint uses https (`assertSecureTokenEndpoint`, which version 1 does not have)."""
        url = parse_url(token_url)
        if self.traits.is_v1 or url is None or url.scheme == "https" or host_kind(url.host.strip("[]")) == "loopback":
            return
        message = (
            f"Refusing to send credentials to non-https token endpoint '{url.href}'. OAuth token requests MUST use TLS "
            "(localhost / *.localhost / 127.0.0.1 / ::1 are exempt)."
        )
        reason = f"The token endpoint {token_url} does not use https, so the client sends it no code."
        raise self._error(reason, token_url, "InsecureTokenEndpointError", message)

    def _redirect_message(self, answer: Answer, *, with_policy: bool = True) -> str | None:
        """The message for a redirect that the client does not follow; None for an answer that is not a redirect."""
        target, source_url = redirect_target(answer), parse_url(answer.url)
        target_url = parse_url(target) if target else None
        if target_url is None or source_url is None:
            return None
        is_v1, place = self.traits.is_v1, f"{target_url.origin}{target_url.path}"
        if (source_url.scheme, target_url.scheme) == ("https", "http"):
            place = f"https{place.removeprefix('http')}"
            message = (
                f"Redirect to plain http not followed; try {place} instead"
                if is_v1
                else f"Redirect from https to plain http not followed; try {place} as the endpoint"
            )
        else:
            advice = "" if is_v1 else "; use that URL as the endpoint if it is the intended server"
            message = f"Redirect to {place} not followed{advice}"
        return f"{message} (redirectPolicy: 'same-origin')" if with_policy else message


def _server_metadata_urls(server: ParsedUrl) -> list[tuple[ZodSchema, str]]:
    """The URLs at which the SDK looks for authorization server metadata, each with its schema."""
    path = server.path.removesuffix("/")
    urls = [
        (metadata_schemas.AUTHORIZATION_SERVER, f"{server.origin}{AUTHORIZATION_SERVER}{path}"),
        (metadata_schemas.OPENID, f"{server.origin}{OPENID_CONFIGURATION}{path}"),
    ]
    return [*urls, (metadata_schemas.OPENID, f"{server.origin}{path}{OPENID_CONFIGURATION}")] if path else urls


def _is_tried_elsewhere(answer: Answer) -> bool:
    return 400 <= answer.status < 500 or answer.status == 502
