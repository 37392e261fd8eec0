"""OAuth discovery: from the MCP endpoint to the authorization servers, with requests in the order of the clients.

`discover` follows RFC 9728 (section 5: the challenge; section 3.1: the well-known path), RFC 8414 (section 3.1), OpenID
Connect Discovery 1.0 (section 4), and the MCP authorization specifications of 2025-06-18 and 2025-11-25. The checks
work on its result, `OAuthDiscovery`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlsplit

from routegen.roles import PROTECTED_RESOURCE, issuer_documents
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import DocumentAnswer, read_document
from routegen.verify.mcp_messages import is_modern_answer, result_of
from routegen.verify.request_url import is_secure, origin_of, split_url

RENAMED_HEADER = "x-amzn-remapped-www-authenticate"
"""The name that AWS gives to WWW-Authenticate (API Gateway, "Important notes" on REST APIs and function URLs)."""

ENDPOINT_FIELDS = ("authorization_endpoint", "token_endpoint", "registration_endpoint")
"""The fields of authorization server metadata with the endpoints that every client uses (RFC 8414, section 2)."""

_PARAMETER = r'(?i)(?<![\w-])%s\s{0,9}=\s{0,9}(?:"([^"]*)"|([^\s,"]+))'
_MAX_SERVERS, _MAX_LISTED = 5, 100


@dataclass(frozen=True)
class Challenge:
    """The challenge of a 401: the value of its header, None without the header, and whether AWS renames it."""

    text: str | None
    is_renamed: bool = False

    @property
    def url(self) -> str | None:
        """The URL of the resource metadata (RFC 9728, section 5.1), if a client can read it."""
        return None if self.is_renamed else self.parameter("resource_metadata")

    def parameter(self, name: str) -> str | None:
        """The value of a parameter such as `scope`; None if the challenge does not have it."""
        match = re.search(_PARAMETER % name, self.text or "")
        return (match[1] if match[1] is not None else match[2]) if match else None


@dataclass(frozen=True)
class MetadataSearch:
    """The search for a metadata document at its well-known paths, in the order of the clients.

    Attributes:
        url: the URL of the MCP endpoint or the authorization server that the document is about.
        attempts: the answer of each path; empty for a URL that is not secure.
    """

    url: str
    attempts: tuple[DocumentAnswer, ...]

    @property
    def document(self) -> DocumentAnswer | None:
        """The document that a client gets if it tries every path."""
        return next((attempt for attempt in self.attempts if attempt.is_document), None)

    @property
    def blocking_answer(self) -> DocumentAnswer | None:
        """The first response with status 200 that is not JSON and is before the document: strict clients stop there."""
        end = next((attempt for attempt in self.attempts if attempt.stops_strict_clients), None)
        return end if end and not end.is_document else None


@dataclass(frozen=True)
class OAuthDiscovery:
    """The answers between the MCP endpoint and the authorization servers.

    Attributes:
        mcp_url: the URL of the MCP endpoint.
        first_answer: the answer to `initialize` without a token.
        modern_answer: the answer to `server/discover` without a token; None if it is not known.
        challenge: the challenge of a 401; None if the status is not 401.
        challenge_document: the answer of the URL in the challenge; None if the challenge names no URL.
        well_known: the search for the protected resource metadata by a client without the challenge, up to the first
            answer that ends it; None if the endpoint is open or gives no answer.
        servers: the authorization servers that clients use, in the order in which the resource metadata names them.
        misplaced: the resource metadata below a first segment of the path, such as the name of a stage, where no client
            looks for it; None if it is elsewhere.
    """

    mcp_url: str
    first_answer: Answer | Failure
    modern_answer: Answer | Failure | None = None
    challenge: Challenge | None = None
    challenge_document: DocumentAnswer | None = None
    well_known: MetadataSearch | None = None
    servers: tuple[MetadataSearch, ...] = ()
    misplaced: DocumentAnswer | None = None

    @property
    def is_open_for_modern_clients(self) -> bool:
        """Whether the endpoint answers `server/discover` without a token."""
        return bool(self.modern_answer and result_of(self.modern_answer))

    @property
    def is_mcp_endpoint(self) -> bool:
        """Whether the first answer is one of an MCP server: a challenge, or a message."""
        answer = self.first_answer
        is_message = isinstance(answer, Answer) and (answer.status in {401, 403} or is_open(answer))
        return is_message or is_modern_answer(answer) or self.is_open_for_modern_clients

    @property
    def resource_document(self) -> DocumentAnswer | None:
        """The protected resource metadata that a client gets."""
        well_known = self.well_known.document if self.well_known else None
        document = self.challenge_document
        return document if document and document.is_document else well_known

    @cached_property
    def server_documents(self) -> tuple[DocumentAnswer, ...]:
        """The metadata of each authorization server that has any."""
        return tuple(server.document for server in self.servers if server.document)

    @cached_property
    def attempts(self) -> tuple[DocumentAnswer, ...]:
        """The answer of every URL at which clients look for a document."""
        searches = [self.well_known, *self.servers] if self.well_known else self.servers
        attempts = [attempt for search in searches for attempt in search.attempts]
        return (self.challenge_document, *attempts) if self.challenge_document else tuple(attempts)

    @cached_property
    def metadata_urls(self) -> tuple[str, ...]:
        """The URL of each document that a client uses."""
        return tuple(dict.fromkeys(each.url for each in (self.resource_document, *self.server_documents) if each))

    def urls_of(self, field: str) -> tuple[str, ...]:
        """The secure URLs that the metadata of the authorization servers has in a field, without duplicates."""
        urls = [document.value.get(field) for document in self.server_documents]
        return tuple(dict.fromkeys(url for url in urls if isinstance(url, str) and is_secure(url)))


def discover(
    answers: Answers,
    mcp_url: str,
    allow: Callable[[str], None] = lambda _: None,
    modern_answer: Answer | Failure | None = None,
) -> OAuthDiscovery:
    """Follow the sign-in from the MCP endpoint to the metadata of the authorization servers.

    Args:
        answers: the answers that a client without a token gets.
        mcp_url: the URL of the MCP endpoint.
        allow: is called with the URL of each authorization server before the first request to it.
        modern_answer: the answer to `server/discover` without a token.
    """
    first = answers.get("POST", mcp_url)
    discovery = OAuthDiscovery(mcp_url, first, modern_answer)
    if isinstance(first, Failure) or is_open(first) or is_modern_answer(first):
        return discovery
    if first.status != 401 and discovery.is_open_for_modern_clients:
        return discovery
    challenge = challenge_of(first) if first.status == 401 else None
    document = read_document(answers, challenge.url) if challenge and challenge.url else None
    well_known = _search(answers, mcp_url, resource_metadata_urls(mcp_url), is_strict=True)
    discovery = replace(discovery, challenge=challenge, challenge_document=document, well_known=well_known)
    if discovery.resource_document:
        urls = authorization_servers(discovery.resource_document)[:_MAX_SERVERS]
        servers = tuple(_named_server(answers, url, allow) for url in urls)
    else:
        servers = _server_at_origin(answers, mcp_url)
    misplaced = None if well_known.document else _misplaced_metadata(answers, mcp_url)
    return replace(discovery, servers=servers, misplaced=misplaced)


def is_open(first_answer: Answer) -> bool:
    """Whether the endpoint starts a session or answers a message without a token."""
    return result_of(first_answer) is not None


def challenge_of(answer: Answer) -> Challenge:
    """The challenge in the headers of a 401 or 403 (RFC 9728, section 5.1)."""
    challenges = [Challenge(value) for name, value in answer.headers if name == "www-authenticate"]
    if challenges:
        return next((challenge for challenge in challenges if challenge.url is not None), challenges[0])
    renamed = answer.header(RENAMED_HEADER)
    return Challenge(renamed, is_renamed=renamed is not None)


def _misplaced_metadata(answers: Answers, mcp_url: str) -> DocumentAnswer | None:
    """The resource metadata below the first segment of the endpoint's path, as behind a named stage of API Gateway."""
    first, _, rest = urlsplit(mcp_url).path[1:].partition("/")
    if not rest:
        return None
    document = read_document(answers, f"{origin_of(mcp_url)}/{first}{PROTECTED_RESOURCE}/{rest.rstrip('/')}")
    return document if document.is_document and "resource" in document.value else None


def resource_metadata_urls(mcp_url: str) -> tuple[str, ...]:
    """The URLs at which clients look for protected resource metadata (RFC 9728, section 3.1).

    The path of the endpoint is after the well-known path; the root document is second.
    """
    path = urlsplit(mcp_url).path.rstrip("/")
    root = f"{origin_of(mcp_url)}{PROTECTED_RESOURCE}"
    return (f"{root}{path}", root) if path else (root,)


def server_metadata_urls(server_url: str) -> tuple[str, ...]:
    """The URLs at which clients look for authorization server metadata (RFC 8414, section 3.1 and section 5)."""
    origin, path = origin_of(server_url), urlsplit(server_url).path.rstrip("/")
    return tuple(f"{origin}{document}" for document, _ in issuer_documents(path))


def authorization_servers(resource_metadata: DocumentAnswer) -> tuple[str, ...]:
    """The URLs of the authorization servers that protected resource metadata names, without duplicates."""
    value = resource_metadata.value.get("authorization_servers")
    urls = [url for url in value[:_MAX_LISTED] if isinstance(url, str)] if isinstance(value, list) else []
    return tuple(dict.fromkeys(filter(split_url, urls)))


def _server_at_origin(answers: Answers, mcp_url: str) -> tuple[MetadataSearch, ...]:
    """The MCP server's origin, if it is an authorization server (MCP 2025-03-26, "Server Metadata Discovery")."""
    origin = origin_of(mcp_url)
    server = _search(answers, origin, server_metadata_urls(origin))
    issuer = server.document.value.get("issuer") if server.document else None
    # The origin can have a copy of another server's metadata. Most clients refuse a copy.
    return (server,) if isinstance(issuer, str) and issuer.rstrip("/") == server.url else ()


def _named_server(answers: Answers, url: str, allow: Callable[[str], None]) -> MetadataSearch:
    if not is_secure(url):
        return MetadataSearch(url, ())
    allow(url)
    return _search(answers, url, server_metadata_urls(url))


def _search(answers: Answers, url: str, document_urls: tuple[str, ...], *, is_strict: bool = False) -> MetadataSearch:
    """Look for a document; only a strict search ends at an answer at which strict clients stop."""
    attempts: list[DocumentAnswer] = []
    for document_url in document_urls:
        attempt = read_document(answers, document_url)
        attempts.append(attempt)
        if attempt.is_document or (is_strict and attempt.stops_strict_clients):
            break
    return MetadataSearch(url, tuple(attempts))
