"""The sign-in flow of clients that cannot be run here, as far as it is documented or reported.

`claims` has each statement with its source and its dates; `Traits` selects the statements of one client. Where nobody
knows what a client does, the outcome is `unknown`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from routegen.roles import AUTHORIZATION_SERVER
from routegen.verify.answers import Answer, Failure, shown
from routegen.verify.clients.sign_in_flow import (
    ClientFailsError,
    SignInFlow,
    UnknownOutcomeError,
    challenge_header,
    complete_answer,
    requested_scopes,
)
from routegen.verify.clients.whatwg_url import ParsedUrl, parse_http_url, parse_url
from routegen.verify.documents import describe_answer
from routegen.verify.mcp_messages import error_text, is_modern_answer, result_of
from routegen.verify.oauth_discovery import challenge_of, resource_metadata_urls, server_metadata_urls
from routegen.verify.request_url import host_kind

_RESOURCE_METADATA = re.compile(r'(?i)\bresource_metadata\s*=\s*"([^"]+)"')

Situation = Literal["403", "resource", "server-error", "protected-metadata", "no-s256", "open-page", "port"]


@dataclass(frozen=True)
class Traits:
    """The differences between the documented clients.

    Attributes:
        id: the id of the client, and of its first claim.
        name: the client in a sentence.
        is_hosted: whether the client connects from the internet.
        sign_in_statuses: the statuses that start a sign-in; none if the client does not sign in at remote servers.
        needs_challenge: whether it is not known what the client does without a challenge.
        page_is_missing: whether a page with status 200 counts as missing metadata.
        asks_host: the claim that the client looks for the server's metadata at the MCP host.
        documents: the claim that the client uses a client ID metadata document.
        document_methods: the values of token_endpoint_auth_methods_supported of which the document needs one.
        gives_up: the claim that the client gives up, for each situation that is known.
    """

    id: str
    name: str
    is_hosted: bool = False
    sign_in_statuses: frozenset[int] = frozenset({401})
    needs_challenge: bool = True
    page_is_missing: bool = False
    asks_host: str | None = None
    documents: str | None = None
    document_methods: frozenset[str] = frozenset()
    gives_up: Mapping[Situation, str] = field(default_factory=dict)


_401_OR_403 = frozenset({401, 403})
TRAITS = (
    Traits(
        "claude-ai", "Claude", is_hosted=True, documents="claude-cimd", document_methods=frozenset({"none"}),
        gives_up={
            "403": "claude-403", "resource": "claude-resource", "protected-metadata": "claude-metadata-401",
            "open-page": "claude-open-page", "port": "claude-port",
        },
    ),
    Traits(
        "claude-code", "Claude Code", sign_in_statuses=_401_OR_403, documents="claude-code-cimd",
        gives_up={"server-error": "claude-code-5xx"},
    ),
    Traits(
        "chatgpt", "ChatGPT", is_hosted=True, asks_host="chatgpt-host", documents="chatgpt",
        document_methods=frozenset({"none", "private_key_jwt"}), gives_up={"no-s256": "chatgpt-s256"},
    ),
    Traits(
        "vscode", "VS Code", sign_in_statuses=_401_OR_403, needs_challenge=False, page_is_missing=True,
        gives_up={"resource": "vscode-resource"},
    ),
    Traits("cursor", "Cursor", needs_challenge=False),
    Traits("github-copilot", "GitHub Copilot", is_hosted=True, sign_in_statuses=frozenset()),
    Traits(
        "goose", "Goose", needs_challenge=False, documents="goose-cimd", gives_up={"server-error": "goose"}
    ),
)  # fmt: skip


@dataclass(kw_only=True)
class DocumentedFlow(SignInFlow):
    """The documented way of a client to the sign-in page; an answer that leaves this way ends it."""

    traits: Traits

    def connect(self) -> str:
        """Follow the documentation of the client."""
        traits, url = self.traits, self.mcp_url
        answer = self.send("POST", url)
        if isinstance(answer, Failure):
            raise UnknownOutcomeError(f"{url} cannot be reached: {answer.reason}.", url)
        if traits.is_hosted and host_kind(self.endpoint.host) not in {None, "public"}:
            reason = f"{traits.name} connects from the internet, and {self.endpoint.host} is not a public address."
            raise UnknownOutcomeError(reason, url)
        if (self.endpoint.scheme, self.endpoint.port) != ("https", 443):
            self._give_up("port", f"{url} does not use https at port 443, the only port of {traits.name}.", url)
        if answer.status == 200 and (result_of(answer) is not None or answer.media_type == "text/event-stream"):
            return self._open_endpoint()
        if error := answer.status == 200 and error_text(answer):
            raise ClientFailsError(f"{url} answers 200 with the error {error!r}, and only a 401 starts a sign-in.", url)
        starts_sign_in = answer.status in traits.sign_in_statuses
        if not starts_sign_in and any(map(is_modern_answer, (answer, self.modern_answer or answer))):
            self.claims.append("modern-only")
            reason = f"{url} speaks only newer revisions, and reports on {traits.name} contradict each other."
            raise UnknownOutcomeError(reason, url)
        if not starts_sign_in and answer.status == 401:
            raise ClientFailsError(f"{url} requires a sign-in, which {traits.name} does not support.", url)
        if not starts_sign_in:
            self._undocumented(answer, "403" if answer.status == 403 else None)
        return self._sign_in(answer)

    def _open_endpoint(self) -> str:
        """The reason why the client connects to an endpoint without sign-in, which Claude verifies first."""
        reason = f"{self.mcp_url} requires no sign-in"
        if "open-page" not in self.traits.gives_up:
            return f"{reason}."
        self.claims.append("claude-open")
        for url in (*resource_metadata_urls(self.mcp_url), f"{self.endpoint.origin}{AUTHORIZATION_SERVER}"):
            answer = self.send("GET", url)
            if isinstance(answer, Answer) and answer.status == 200:
                self._open_with_document(answer, f"{reason}, but {url} {describe_answer(answer)}")
            elif isinstance(answer, Answer) and answer.status in {401, 403}:
                self._undocumented(answer, "protected-metadata")
        self.assume("Claude does not start a sign-in at this open server (anthropics/claude-ai-mcp#262)")
        return f"{reason} (reports contradict each other; not tested)."

    def _open_with_document(self, answer: Answer, reason: str) -> NoReturn:
        if answer.is_html:
            self._give_up("open-page", f"{reason}, and Claude takes that for a sign-in service.", answer.url)
        self.claims.append("claude-open-server")
        document = answer.document or {}
        ways_to_register = {"registration_endpoint", "client_id_metadata_document_supported"}
        if "authorization_endpoint" in document and not any(map(document.get, ways_to_register)):
            raise ClientFailsError(f"{reason}, a sign-in service where Claude cannot register.", answer.url)
        raise UnknownOutcomeError(f"{reason}, and Claude can take that for a sign-in service.", answer.url)

    def _sign_in(self, first_answer: Answer) -> str:
        traits = self.traits
        match = _RESOURCE_METADATA.search(challenge_header(first_answer))
        challenge_url = match[1] if match and parse_url(match[1]) else None
        url, resource = self._first_document(
            (challenge_url,) if challenge_url else resource_metadata_urls(self.mcp_url)
        )
        if resource is None:
            self._without_metadata()
        if challenge_url is None and traits.needs_challenge:
            reason = f"{self.mcp_url} has no challenge that names {url}, which the documentation requires."
            raise UnknownOutcomeError(reason, url)
        if resource.get("resource") != self.mcp_url:
            reason = f"{url} is not metadata with exactly {self.mcp_url} as its resource"
            self._give_up("resource", f"{reason}, which {traits.name} requires.", url)
            raise UnknownOutcomeError(f"{reason}, and {self._not_known}.", url)
        servers = resource.get("authorization_servers")
        issuer = servers[0] if isinstance(servers, list) and servers else None
        server = _http_url(issuer, url)
        metadata_url, metadata = self._first_document(server_metadata_urls(server.href))
        if metadata is None or metadata.get("issuer") != issuer:
            reason = f"{metadata_url} is not metadata with exactly {issuer} as its issuer, which other clients need."
            raise UnknownOutcomeError(reason, metadata_url)
        authorization_url = self._authorize(metadata_url, metadata, server)
        resource, metadata = _with_valid_scopes(resource), _with_valid_scopes(metadata)
        scopes = requested_scopes(challenge_of(first_answer).parameter("scope"), resource)
        return self.sign_in_reason(authorization_url, scopes, resource, metadata)

    def _authorize(self, url: str, metadata: dict[str, Any], server: ParsedUrl) -> str:
        """Go on with the metadata of the authorization server, and return the URL of the sign-in page."""
        traits = self.traits
        methods = metadata.get("code_challenge_methods_supported")
        if not isinstance(methods, list) or "S256" not in methods:
            reason = f"{url} does not list S256 in code_challenge_methods_supported."
            self._give_up("no-s256", reason, url)
            raise UnknownOutcomeError(reason, url)
        copy = f"{self.endpoint.origin}{AUTHORIZATION_SERVER}"
        if traits.asks_host and server.origin != self.endpoint.origin and self._document(copy) is None:
            self.claims.append(traits.asks_host)
            reason = f"{copy} has no copy of the server's metadata, which {traits.name} looked for in reports."
            raise UnknownOutcomeError(reason, copy)
        authorization_url = _http_url(metadata.get("authorization_endpoint"), url).href
        self._register(metadata, url, authorization_url)
        self.check_sign_in_page(authorization_url)
        return authorization_url

    def _register(self, metadata: dict[str, Any], metadata_url: str, authorization_url: str) -> None:
        traits = self.traits
        methods = metadata.get("token_endpoint_auth_methods_supported")
        listed = {method for method in methods if isinstance(method, str)} if isinstance(methods, list) else set()
        if uses_document := traits.documents and metadata.get("client_id_metadata_document_supported") is True:
            self.claims.append(traits.documents)
            if not traits.document_methods or listed & traits.document_methods:
                return
        if "registration_endpoint" not in metadata:
            reason = f"{metadata_url} names no registration_endpoint, so the user must enter a client ID."
            if uses_document:
                names = " or ".join(sorted(traits.document_methods))
                reason = f"{metadata_url} has no registration_endpoint, and its metadata documents need {names}."
                raise ClientFailsError(reason, metadata_url)
            raise UnknownOutcomeError(reason, metadata_url)
        url = _http_url(metadata["registration_endpoint"], metadata_url).href
        if traits.id == "claude-ai" and listed and "client_secret_basic" not in listed:
            self.claims.append("claude-basic")
            self.assume("Claude registers although client_secret_basic is not listed (anthropics/claude-ai-mcp#200)")
        answer = self.send_registration(url, authorization_url, in_metadata=True)
        if isinstance(answer, Failure):
            raise UnknownOutcomeError(f"{url} cannot be reached: {answer.reason}.", url)
        if answer is not None and not answer.is_success:
            raise ClientFailsError(self.refusal_reason(url, answer), url)

    def _without_metadata(self) -> NoReturn:
        """End the flow without resource metadata: the older discovery, and the default paths of MCP 2025-03-26."""
        origin = self.endpoint.origin
        metadata_url, metadata = self._first_document(server_metadata_urls(origin))
        if metadata is not None:
            reason = f"{self.mcp_url} has no challenge, and only the older discovery leads to {metadata_url}."
            raise UnknownOutcomeError(reason, metadata_url)
        if self.traits.id == "claude-ai":
            self.claims.append("claude-no-challenge")
            url = f"{origin}/register"
            answer = self.send_registration(url, f"{origin}/authorize", in_metadata=False)
            if isinstance(answer, Answer) and not answer.is_success:
                raise ClientFailsError(self.refusal_reason(url, answer), url)
        raise UnknownOutcomeError(f"{origin} has no metadata, and {self._not_known}.", origin)

    def _first_document(self, urls: tuple[str, ...]) -> tuple[str, dict[str, Any] | None]:
        """The first document with its URL; without one, the first URL."""
        for url in urls:
            if (document := self._document(url)) is not None:
                return url, document
        return urls[0], None

    def _document(self, url: str) -> dict[str, Any] | None:
        """The JSON object at a URL; None for a 404. Any other answer ends the flow."""
        answer = self.send("GET", url)
        if isinstance(answer, Failure):
            raise UnknownOutcomeError(f"{url} cannot be reached: {answer.reason}, and {self._not_known}.", url)
        if answer.status == 404 or (answer.status == 200 and answer.is_html and self.traits.page_is_missing):
            return None
        document = complete_answer(answer).document if answer.status == 200 else None
        if document is None:
            situation: Situation | None = "server-error" if answer.status >= 500 else None
            self._undocumented(answer, "protected-metadata" if answer.status in {401, 403} else situation)
        return document

    @property
    def _not_known(self) -> str:
        return f"what {self.traits.name} does next is not documented"

    def _undocumented(self, answer: Answer, situation: Situation | None) -> NoReturn:
        """End the flow at an answer: the client fails if a claim says so, and nobody knows if there is none."""
        description = f"{answer.url} {describe_answer(answer)}"
        if situation:
            self._give_up(situation, f"{description}, where {self.traits.name} gives up.", answer.url)
        raise UnknownOutcomeError(f"{description}, and {self._not_known}.", answer.url)

    def _give_up(self, situation: Situation, reason: str, url: str) -> None:
        """End the flow if a claim says that the client gives up in this situation."""
        if claim := self.traits.gives_up.get(situation):
            self.claims.append(claim)
            raise ClientFailsError(reason, url)


def _http_url(value: Any, source_url: str) -> ParsedUrl:
    url = parse_http_url(value) if isinstance(value, str) else None
    if url is None:
        raise UnknownOutcomeError(f"{source_url} names {shown(value)!r}, which is not a URL.", source_url)
    return url


def _with_valid_scopes(document: dict[str, Any]) -> dict[str, Any]:
    """The same document, without `scopes_supported` if it is not a list of texts."""
    scopes = document.get("scopes_supported")
    is_valid = isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes)
    return document if is_valid else {**document, "scopes_supported": None}
