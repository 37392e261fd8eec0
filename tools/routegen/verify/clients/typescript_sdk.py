"""The sign-in flow of the TypeScript SDK, and of the clients that are built on it.

From the sources of `@modelcontextprotocol/sdk` 1.32.2 (`client/auth.js`, `client/streamableHttp.js`, `shared/
transport.js`), `@modelcontextprotocol/client` 2.4.0 and the inspector 2.12.0 (`core/auth`), and from the requests of
the recorded runs. `SdkTraits` holds the differences between these clients.
"""

from dataclasses import dataclass
from typing import Any

from routegen.roles import PROTECTED_RESOURCE, issuer_documents
from routegen.verify.answers import Answer, Failure, shown
from routegen.verify.clients import metadata_schemas
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
    requested_scopes,
    unreachable_error,
)
from routegen.verify.clients.whatwg_url import ParsedUrl, parse_http_url, parse_url
from routegen.verify.documents import describe_answer
from routegen.verify.mcp_messages import error_of, is_message
from routegen.verify.request_url import host_kind

_DEFAULT_PATHS = {
    "authorization_endpoint": "/authorize", "token_endpoint": "/token", "registration_endpoint": "/register"
}  # fmt: skip
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
    """

    is_v1: bool = False
    shows_error_class: bool = True
    challenge_schemes: frozenset[str] = frozenset({"bearer"})
    redirect_policy: RedirectPolicy = "same-origin"
    accepts_oauth_at_openid_url: bool = False
    names_empty_scope: bool = False

    def error_text(self, error_class: str, message: str) -> str:
        """The text of an error as the user sees it."""
        if not self.shows_error_class:
            return message
        return f"{error_class}: {message}" if message else error_class

    def transport_error_text(self, error_class: str, message: str) -> str:
        """The text of an error of the transport, for which version 1 has one class."""
        if self.is_v1:
            error_class, message = "Error", f"Streamable HTTP error: {message}"
        return self.error_text(error_class, message)

    def tries_next_url(self, status: int) -> bool:
        """Whether the client looks for metadata at the next URL after an answer with an error status."""
        return status < 500 or (status == 502 and not self.is_v1)


V1 = SdkTraits(is_v1=True)
V2 = SdkTraits(challenge_schemes=frozenset({"bearer", "dpop"}))
MCP_REMOTE = SdkTraits(redirect_policy="any-origin")
INSPECTOR = SdkTraits(shows_error_class=False, accepts_oauth_at_openid_url=True, names_empty_scope=True)


@dataclass(kw_only=True)
class TypeScriptSdkFlow(SignInFlow):
    """The sign-in flow of a client that is built on the TypeScript SDK."""

    traits: SdkTraits

    def connect(self) -> str:
        """Follow the sources of the SDK."""
        first_answer = self.request_endpoint()
        return f"{self.mcp_url} requires no sign-in." if first_answer.status == 200 else self.sign_in(first_answer)

    def request_endpoint(self) -> Answer:
        """Send the first message to the MCP endpoint, and return its answer: a 401, or an answer of the MCP server.

        Raises:
            FlowError: the endpoint answers with something else, or cannot be reached.
        """
        answer = self.send_and_follow("POST", self.mcp_url, self.traits.redirect_policy)
        if isinstance(answer, Failure):
            raise self._unreachable(answer)
        if answer.status == 401:
            return answer
        description = f"{answer.url} {describe_answer(answer)}"
        if not answer.is_success:
            redirect_message = self._redirect_message(answer) if self.traits.redirect_policy == "same-origin" else None
            message = redirect_message or complete_answer(answer).body.decode("utf-8", "replace")
            text = self.traits.transport_error_text("SdkHttpError", f"Error POSTing to endpoint: {message}")
            raise ClientFailsError(f"{description}, which is not a challenge.", answer.url, text, answer.status)
        reason = f"{description}, which is not an MCP message."
        if answer.status == 200 and (error := error_of(answer)):
            reason = f"{answer.url} answers 200 with a JSON-RPC error, and only a 401 starts a sign-in."
            code, words = error.get("code"), error.get("message")
            is_known = self.traits.is_v1 and isinstance(code, int) and isinstance(words, str)
            raise self._error(reason, answer.url, "McpError", f"MCP error {code}: {words}" if is_known else None)
        if answer.media_type == "application/json" and answer.status == 200 and not is_message(answer):
            raise self._error(reason, answer.url)
        if answer.media_type in {"application/json", "text/event-stream"} or answer.status == 202:
            return answer
        content_type = answer.header("content-type")
        message = f"Unexpected content type: {'null' if content_type is None else content_type}"
        raise ClientFailsError(reason, answer.url, self.traits.transport_error_text("SdkError", message))

    def sign_in(self, challenge: Answer) -> str:
        """Take the flow from the challenge to the sign-in page, and return the reason why the client connects."""
        challenge_url = self._challenge_value(challenge, "resource_metadata")
        url = parse_url(challenge_url) if challenge_url else None
        resource_url, resource = self._discover_resource(url.href if url else None)
        issuer = (resource.get("authorization_servers") or [f"{self.endpoint.origin}/"])[0]
        server = parse_http_url(issuer)
        if server is None:
            place = f"{resource_url} names {shown(issuer)!r} as the authorization server"
            raise UnknownOutcomeError(f"{place}, which is not an http or https URL.", resource_url)
        metadata_url, metadata = self._discover_server(issuer, server)
        # Without metadata, the endpoints have the default paths of MCP 2025-03-26, section 2.3.3.
        endpoints = metadata or {field: f"{server.origin}{path}" for field, path in _DEFAULT_PATHS.items()}
        if resource:
            self._check_resource(resource["resource"], resource_url)
        self._register(endpoints, metadata_url, in_metadata=bool(metadata))
        self._check_supported(metadata, metadata_url)
        self.check_sign_in_page(endpoints["authorization_endpoint"])
        self._check_token_endpoint(endpoints["token_endpoint"])
        # Without protected resource metadata, the client names no resource (`selectResourceURL`).
        scopes = requested_scopes(self._challenge_value(challenge, "scope"), resource)
        if scopes is None and self.traits.names_empty_scope:
            scopes = []
        reads_issuer = not self.traits.is_v1
        return self.sign_in_reason(
            endpoints["authorization_endpoint"], scopes, resource, metadata, reads_issuer=reads_issuer
        )

    def _error(self, reason: str, url: str, error_class: str = "", message: str | None = None) -> ClientFailsError:
        """The end of the flow with an error; without a message, its exact words are not known."""
        return ClientFailsError(reason, url, None if message is None else self.traits.error_text(error_class, message))

    def _unreachable(self, failure: Failure) -> FlowError:
        return unreachable_error(failure, self.traits.error_text("TypeError", "fetch failed"))

    def _challenge_value(self, challenge: Answer, name: str) -> str | None:
        """The value of a parameter of the challenge (`extractWWWAuthenticateParams`)."""
        scheme, _, parameters = challenge_header(challenge).partition(" ")
        if scheme.lower() not in self.traits.challenge_schemes or not parameters or parameters.startswith(" "):
            return None
        return challenge_value(challenge, name)

    def _get_metadata(self, url: str) -> Answer | None:
        """The answer to a GET request for metadata; None for a network error, which version 1 ignores."""
        answer = self.get(url, self.traits.redirect_policy)
        if isinstance(answer, Failure) and not self.traits.is_v1:
            raise self._unreachable(answer)
        if isinstance(answer, Failure):  # Version 1 tries again without headers, because the reason may be CORS.
            answer = self.get(url, self.traits.redirect_policy)
        return answer if isinstance(answer, Answer) else None

    def _discover_resource(self, challenge_url: str | None) -> tuple[str, dict[str, Any]]:
        """The protected resource metadata with its URL; the client treats a wrong document like a missing one."""
        endpoint = self.endpoint
        url = challenge_url or f"{endpoint.origin}{PROTECTED_RESOURCE}{endpoint.path.removesuffix('/')}{endpoint.query}"
        answer = self._get_metadata(url)
        tries_root = answer is None or (
            not answer.is_success and self.traits.tries_next_url(answer.status) and endpoint.path != "/"
        )
        if tries_root and not challenge_url:
            url = f"{endpoint.origin}{PROTECTED_RESOURCE}"
            answer = self._get_metadata(url)
        if answer is None or not answer.is_success:
            return url, {}
        document = parse_json(answer)
        return url, document if _fits(metadata_schemas.PROTECTED_RESOURCE, document) else {}

    def _discover_server(self, issuer: str, server: ParsedUrl) -> tuple[str, dict[str, Any]]:
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
        return server.origin, {}

    def _oauth_at_openid_url(self, answer: Answer, server: ParsedUrl) -> Answer:
        """OAuth metadata that the inspector finds at an OpenID URL (`oidcDiscoveryCompat`), or the given answer."""
        last_answer: Answer | Failure = answer
        for _, url in _server_metadata_urls(server)[1:]:
            if isinstance(last_answer, Failure) or not (400 <= last_answer.status < 500 or last_answer.status == 502):
                break
            last_answer = self.get(url, "any-origin")
        if last_answer is answer or isinstance(last_answer, Failure) or not last_answer.is_success:
            return answer
        document = parse_json(last_answer)
        is_oauth = _fits(metadata_schemas.AUTHORIZATION_SERVER, document)
        return last_answer if is_oauth and not _fits(metadata_schemas.OPENID, document) else answer

    def _server_metadata(self, schema: ZodSchema, answer: Answer, issuer: str) -> dict[str, Any]:
        """The authorization server metadata in an answer; version 1 does not check its issuer (RFC 8414, 3.3)."""
        metadata = self._valid_document(schema, answer)
        if not self.traits.is_v1 and metadata["issuer"] not in {issuer, issuer.removesuffix("/")}:
            received, expected = quote_string(metadata["issuer"]), quote_string(issuer)
            values = f"expected {expected}, received {received}"
            message = f"Issuer mismatch in authorization server metadata (RFC 8414 §3.3): {values}"
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

    def _check_resource(self, resource: str, resource_url: str) -> None:
        """Check the resource (RFC 8707): the endpoint's origin, and the start of its path (`checkResourceAllowed`)."""
        endpoint, url = self.endpoint, parse_url(resource)
        if (
            url is not None
            and endpoint.origin == url.origin
            and len(endpoint.path) >= len(url.path)
            and f"{endpoint.path.removesuffix('/')}/".startswith(f"{url.path.removesuffix('/')}/")
        ):
            return
        expected = endpoint.href.partition("#")[0]
        message = f"Protected resource {resource} does not match expected {expected} (or origin)"
        reason = f"{resource_url} describes the resource {resource}, not {expected}."
        raise self._error(reason, resource_url, "Error", message)

    def _register(self, endpoints: dict[str, str], metadata_url: str, *, in_metadata: bool) -> None:
        url, policy = endpoints.get("registration_endpoint"), self.traits.redirect_policy
        if not url:
            reason = f"{metadata_url} names no registration_endpoint."
            raise self._error(reason, metadata_url, "Error", f"{_INCOMPATIBLE} dynamic client registration")
        sign_in_page = endpoints["authorization_endpoint"]
        answer = self.send_registration(url, sign_in_page, in_metadata=in_metadata, policy=policy)
        if isinstance(answer, Failure):
            raise self._unreachable(answer)
        if answer is not None and not answer.is_success:
            error_class, text = self._registration_error(complete_answer(answer))
            raise self._error(self.refusal_reason(url, answer), url, error_class, text)
        if answer is not None:
            self._valid_document(metadata_schemas.REGISTRATION, answer)

    def _registration_error(self, answer: Answer) -> tuple[str, str | None]:
        """The class and the message of the error for a refused registration."""
        body = answer.body.decode("utf-8", "replace")
        if not self.traits.is_v1:
            message = f"Dynamic Client Registration rejected (HTTP {answer.status}): {body}"
            return "RegistrationRejectedError", message
        document = parse_json(answer)
        if _fits(metadata_schemas.OAUTH_ERROR, document):
            code = document["error"] if document["error"] in _OAUTH_ERROR_CODES else "server_error"
            error_class = "".join(part.capitalize() for part in code.removesuffix("_error").split("_")) + "Error"
            return error_class, document.get("error_description", "")
        if (redirect_message := self._redirect_message(answer, with_policy=False)) is not None:
            return "ServerError", f"HTTP {answer.status}: {redirect_message}"
        if isinstance(document, JsonSyntaxError):
            problem = document.message and f"SyntaxError: {document.message}"
        else:
            problem = zod_message(zod_issues(metadata_schemas.OAUTH_ERROR, document))
        message = f"HTTP {answer.status}: Invalid OAuth error response: {problem}. Raw body: {body}"
        return "ServerError", None if problem is None else message

    def _check_supported(self, metadata: dict[str, Any], url: str) -> None:
        """Check that the server supports the response type `code` and the code challenge method `S256`."""
        for field, value, title in (
            ("response_types_supported", "code", "response type"),
            ("code_challenge_methods_supported", "S256", "code challenge method"),
        ):
            if field in metadata and value not in metadata[field]:
                reason = f"{url} does not list {value} in {field}."
                raise self._error(reason, url, "Error", f"{_INCOMPATIBLE} {title} {value}")

    def _check_token_endpoint(self, token_url: str) -> None:
        """Check that the token endpoint uses https (`assertSecureTokenEndpoint`, which version 1 does not have)."""
        url = parse_url(token_url)
        if self.traits.is_v1 or url is None or url.scheme == "https" or host_kind(url.host) == "loopback":
            return
        message = f"Refusing to send credentials to non-https token endpoint '{url.href}'. "
        message += "OAuth token requests MUST use TLS (localhost / *.localhost / 127.0.0.1 / ::1 are exempt)."
        reason = f"The token endpoint {token_url} does not use https, so the client sends it no code."
        raise self._error(reason, token_url, "InsecureTokenEndpointError", message)

    def _redirect_message(self, answer: Answer, *, with_policy: bool = True) -> str | None:
        """The message for a redirect that the client does not follow; None for an answer that is not a redirect."""
        source_url, target_url = parse_url(answer.url), parse_url(redirect_target(answer) or "")
        if target_url is None or source_url is None:
            return None
        is_v1, place = self.traits.is_v1, f"{target_url.origin}{target_url.path}"
        if (source_url.scheme, target_url.scheme) == ("https", "http"):
            place = f"https{place.removeprefix('http')}"
            first = "Redirect to plain http not followed" if is_v1 else "Redirect from https to plain http not followed"
            message = f"{first}; try {place} {'instead' if is_v1 else 'as the endpoint'}"
        else:
            advice = "" if is_v1 else "; use that URL as the endpoint if it is the intended server"
            message = f"Redirect to {place} not followed{advice}"
        return f"{message} (redirectPolicy: 'same-origin')" if with_policy else message


def _server_metadata_urls(server: ParsedUrl) -> list[tuple[ZodSchema, str]]:
    """The URLs at which the SDK looks for authorization server metadata, each with its schema."""
    schemas = metadata_schemas.AUTHORIZATION_SERVER, metadata_schemas.OPENID, metadata_schemas.OPENID
    paths = (path for path, _ in issuer_documents(server.path.removesuffix("/")))
    return [(schema, f"{server.origin}{path}") for schema, path in zip(schemas, paths, strict=False)]


def _fits(schema: ZodSchema, document: Any) -> bool:
    return not isinstance(document, JsonSyntaxError) and not zod_issues(schema, document)
