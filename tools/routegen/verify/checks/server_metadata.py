"""Check authorization servers and their metadata (RFC 8414, OpenID Connect Discovery 1.0, RFC 7636, RFC 7591)."""

from collections.abc import Collection, Iterator

from routegen.report import Finding, rules
from routegen.verify.documents import Document, NoDocument
from routegen.verify.oauth_discovery import ENDPOINT_FIELDS, AuthorizationServer, OAuthDiscovery
from routegen.verify.request_url import is_http_url, is_secure

# The checks of connections report these.
_REPORTED_ELSEWHERE = {"other-origin", "unreachable"}
_REQUIRED_URLS = ("issuer", "authorization_endpoint", "token_endpoint")
_URL_FIELDS = (
    *_REQUIRED_URLS,
    "registration_endpoint",
    "jwks_uri",
    "revocation_endpoint",
    "introspection_endpoint",
)
_LIST_FIELDS = (
    "response_types_supported",
    "grant_types_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "response_modes_supported",
    "token_endpoint_auth_methods_supported",
)


def check_servers(discovery: OAuthDiscovery) -> Iterator[Finding]:
    """Check each authorization server that clients use."""
    for server in discovery.servers:
        if not server.attempts:
            message = "The URL is not https, so it was not requested; clients must not use it either."
            fix = "Name the https URL of the server in authorization_servers; http is allowed only on this machine."
            yield Finding(rules.SERVER_INSECURE, server.url, message, fix)
            continue
        if blocking_answer := server.blocking_answer:
            yield _blocked(blocking_answer)
        elif server.metadata is None:
            yield from _missing(server)
        if server.metadata:
            yield from _check_metadata(server, server.metadata)
            yield from _check_scopes(discovery, server, server.metadata)


def _blocked(answer: NoDocument) -> Finding:
    message = f"A URL of the metadata {answer.description}."
    if answer.reason == "page":
        fix = "Let this URL answer 404, or serve the metadata there: most clients stop at a page with status 200."
        return Finding(rules.SERVER_PAGE, answer.url, message, fix)
    fix = "Send a JSON object with the fields of RFC 8414, section 2."
    return Finding(rules.SERVER_UNREADABLE, answer.url, message, fix)


def _missing(server: AuthorizationServer) -> Iterator[Finding]:
    answers = [answer for answer in server.attempts if isinstance(answer, NoDocument)]
    if all(answer.reason in _REPORTED_ELSEWHERE for answer in answers):
        return
    message = "; ".join(f"{answer.url} {answer.description}" for answer in answers)
    fix = (
        "Correct authorization_servers in the resource metadata, or publish the server's metadata at one of these URLs."
    )
    yield Finding(rules.SERVER_MISSING, server.url, f"{message}.", fix)


def _check_metadata(server: AuthorizationServer, document: Document) -> Iterator[Finding]:
    value = document.value
    malformed = dict(_malformed_fields(value))
    for field, problem in malformed.items():
        fix = f"Correct {field} in the metadata (RFC 8414, section 2)."
        yield Finding(rules.SERVER_FIELD, document.url, f"{field} {problem}.", fix)
    if "issuer" not in malformed and value["issuer"] != server.url:
        yield _issuer_mismatch(server, document)
    for field in (*ENDPOINT_FIELDS, "jwks_uri"):
        url = value.get(field)
        if url is not None and field not in malformed and not is_secure(url):
            message = f"{field} is {url}, which is not https."
            yield Finding(rules.ENDPOINT_INSECURE, document.url, message, f"Publish {field} with its https URL.")
    yield from _check_capabilities(document, malformed)


def _malformed_fields(value: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Each field that clients cannot use, with its problem: typed clients refuse a document with a wrong type."""
    for field in _URL_FIELDS:
        url = value.get(field)
        if url is None:
            if field in _REQUIRED_URLS:
                yield field, "is missing"
        elif not isinstance(url, str) or not is_http_url(url):
            yield field, f"is {str(url)[:100]!r}, which is not a URL"
    for field in _LIST_FIELDS:
        texts = value.get(field)
        if texts is None:
            if field == "response_types_supported":
                yield field, "is missing"
        elif not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            yield field, f"is {str(texts)[:100]!r}, which is not a list of strings"


def _issuer_mismatch(server: AuthorizationServer, document: Document) -> Finding:
    issuer = document.value["issuer"]
    only_slash = issuer.rstrip("/") == server.url.rstrip("/")
    message = f"issuer is {issuer!r}, but authorization_servers has {server.url!r}."
    if only_slash:
        message += " The only difference is the slash at the end."
    fix = f"Write {issuer!r} in authorization_servers, or change the issuer to {server.url!r}."
    return Finding(rules.ISSUER, document.url, message, fix)


def _check_capabilities(document: Document, malformed: Collection[str]) -> Iterator[Finding]:
    value = document.value
    if "code_challenge_methods_supported" not in malformed:
        methods = value.get("code_challenge_methods_supported")
        if methods is None or "S256" not in methods:
            message = f"code_challenge_methods_supported is {'missing' if methods is None else methods}."
            fix = 'Publish `"code_challenge_methods_supported": ["S256"]`.'
            yield Finding(rules.NO_S256, document.url, message, fix)
    if not {"response_types_supported", "grant_types_supported"}.intersection(malformed):
        yield from _check_code_grant(document)
    if not value.get("registration_endpoint") and value.get("client_id_metadata_document_supported") is not True:
        message = "The metadata has no registration_endpoint, and client_id_metadata_document_supported is not true."
        fix = "Turn on Dynamic Client Registration (in WorkOS: Connect, Configuration), or give each client an id."
        yield Finding(rules.NO_REGISTRATION, document.url, message, fix)


def _check_code_grant(document: Document) -> Iterator[Finding]:
    types = document.value["response_types_supported"]
    grants = document.value.get("grant_types_supported", ["authorization_code", "implicit"])
    if "code" not in types or "authorization_code" not in grants:
        message = f"response_types_supported is {types}, and grant_types_supported is {grants}."
        fix = "Turn on the authorization code grant with response type `code`, which every MCP client needs to sign in."
        yield Finding(rules.NO_CODE, document.url, message, fix)


def _check_scopes(discovery: OAuthDiscovery, server: AuthorizationServer, document: Document) -> Iterator[Finding]:
    """Check that the server offers the scopes of the resource, which clients ask for (MCP, "Scope Selection")."""
    resource = discovery.resource.document if discovery.resource else None
    requested, offered = resource and resource.value.get("scopes_supported"), document.value.get("scopes_supported")
    if not resource or not isinstance(requested, list) or not isinstance(offered, list):
        return
    missing = [str(scope) for scope in requested if scope not in offered]
    if missing:
        message = f"scopes_supported of the resource has {', '.join(missing)}, which {server.url} does not offer."
        fix = "Remove these scopes from the resource's scopes_supported, or add them at the authorization server."
        yield Finding(rules.SCOPES, resource.url, message[:500], fix)
