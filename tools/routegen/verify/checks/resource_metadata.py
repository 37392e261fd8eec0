"""Check the challenge and the protected resource metadata (RFC 9728)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from routegen.errors import shorten
from routegen.report import Finding, rules
from routegen.roles import DISCOVERY_DOCUMENTS
from routegen.verify.answers import Answer, shown
from routegen.verify.checks.fields import check_fields, malformed_fields
from routegen.verify.clients.metadata_schemas import PROTECTED_RESOURCE
from routegen.verify.documents import DocumentAnswer
from routegen.verify.oauth_discovery import RENAMED_HEADER, Challenge, OAuthDiscovery, authorization_servers
from routegen.verify.request_url import origin_of, split_url

_FIX_MISPLACED = (
    "Use the stage `$default`, or a custom domain that maps to the stage: well-known paths are at the root of the "
    "domain, before the name of a stage (RFC 9728, section 3.1)."
)
_FIX_PROTECTED = (
    "Take the authorizer, the firewall rule or the middleware off this path: clients read the metadata before they "
    "have a token (RFC 9728, section 3)."
)
_CHECKED_FIELDS = {"resource", "authorization_servers"}


def check_resource_discovery(discovery: OAuthDiscovery) -> Iterator[Finding]:
    """Check that clients get the metadata; a challenge without use is an error only if clients need it."""
    search, document, challenge = discovery.well_known, discovery.challenge_document, discovery.challenge
    if search is None:
        return
    well_known, first = search.document, search.attempts[0]
    if document and document.is_document:
        if well_known is None and not first.is_document:
            message = f"The challenge leads to {document.url}, but {first.url} {first.description}."
            fix = f"Serve the metadata at {first.url} too: clients look there if API Gateway renames the header."
            if discovery.misplaced:
                fix = _fix_for_no_metadata(discovery, first)
            yield Finding(rules.CHALLENGE_ONLY, discovery.mcp_url, message, fix)
    elif document and document.is_connection_problem:
        return
    elif document and well_known:
        message = f"resource_metadata in the challenge is {document.url}, which {document.description}."
        fix = f'Send `resource_metadata="{well_known.url}"` in the challenge: clients request only the URL in it.'
        yield Finding(rules.CHALLENGE_WRONG, discovery.mcp_url, message, fix)
    elif missing := document or search.blocking_answer:
        yield _no_metadata(discovery, missing)
    elif well_known and challenge:
        yield _unusable_challenge(discovery, challenge, well_known.url)
    elif not well_known and not first.is_document and not first.is_connection_problem:
        yield _no_metadata_anywhere(discovery, first)


def _no_metadata(discovery: OAuthDiscovery, answer: DocumentAnswer) -> Finding:
    """The finding for a URL that does not have the metadata."""
    special_rules = {"page": rules.RESOURCE_PAGE, "not-json": rules.RESOURCE_UNREADABLE}
    message = f"The metadata's URL {answer.description}"
    if discovery.misplaced:
        message += f"; the document is at {discovery.misplaced.url}, where no client looks for it"
    elif answer.needs_sign_in:
        message += ": it asks for a sign-in"
    rule = special_rules.get(answer.kind, rules.RESOURCE_MISSING)
    return Finding(rule, answer.url, f"{message}.", _fix_for_no_metadata(discovery, answer))


def _fix_for_no_metadata(discovery: OAuthDiscovery, answer: DocumentAnswer) -> str:
    path = urlsplit(answer.url).path
    if discovery.misplaced:
        return _FIX_MISPLACED
    if answer.needs_sign_in:
        return _FIX_PROTECTED
    if answer.kind == "page":
        routes = f"Add a route for {path} to the MCP server, so that the default app does not answer this path."
        return routes + _other_routes(path, discovery.mcp_url)
    if answer.kind == "not-json":
        return "Send a JSON object with the fields of RFC 9728, section 2."
    if isinstance(answer.answer, Answer) and answer.answer.status >= 500:
        return "Read the function's log: it raises an error, exceeds its time limit, or cannot be invoked."
    source = "`routegen extract` finds the path at which the server has it"
    return f"Serve the metadata at {path} and add its route: {source}."


def _no_metadata_anywhere(discovery: OAuthDiscovery, answer: DocumentAnswer) -> Finding:
    if discovery.servers:
        server_url = discovery.servers[0].url
        message = f"There is no protected resource metadata; clients fall back to the metadata of {server_url}."
        fix = f"Serve protected resource metadata at {answer.url} (RFC 9728), where newer clients look first."
        return Finding(rules.OLD_DISCOVERY, discovery.mcp_url, message, fix)
    if discovery.challenge is None or answer.needs_sign_in or discovery.misplaced:
        return _no_metadata(discovery, answer)
    message = f"{_describe_challenge(discovery.challenge)}, and {answer.url} {answer.description}."
    path = urlsplit(answer.url).path
    fix = f"Add a route for {path} to the MCP server: clients without a challenge look there."
    fix += _other_routes(path, discovery.mcp_url)
    return Finding(rules.NO_SIGN_IN, discovery.mcp_url, message, fix)


def _other_routes(path: str, mcp_url: str) -> str:
    """The other paths that clients ask about the endpoint; nearly always, they have no route either."""
    endpoint = urlsplit(mcp_url).path.rstrip("/")
    paths = [f"{document}{end}" for document, _ in DISCOVERY_DOCUMENTS for end in dict.fromkeys((endpoint, ""))]
    others = ", ".join(other for other in paths if other != path)
    return f" Clients also ask for {others}: `routegen extract`, in the repository of the server, writes all routes."


def _unusable_challenge(discovery: OAuthDiscovery, challenge: Challenge, document_url: str) -> Finding:
    message = f"{_describe_challenge(challenge)}; clients find {document_url} without it."
    if challenge.is_renamed:
        message += " They do not see which scope a later 403 requires, so they cannot ask the user for it (step-up)."
        fix = (
            "Request every scope in the first sign-in: list it in scopes_supported of the resource metadata. A "
            "parameter mapping that overwrites `header.WWW-Authenticate` can restore the header."
        )
        return Finding(rules.CHALLENGE_RENAMED, discovery.mcp_url, message, fix)
    fix = f'Send `WWW-Authenticate: Bearer resource_metadata="{document_url}"` with the 401.'
    return Finding(rules.CHALLENGE_MISSING, discovery.mcp_url, message, fix)


def _describe_challenge(challenge: Challenge) -> str:
    if challenge.is_renamed:
        return f"The challenge of the 401 is in the header {RENAMED_HEADER}, which no client reads"
    if challenge.text is not None and challenge.url is None:
        return f"The challenge of the 401 names no metadata ({shorten(challenge.text, 100)})"
    return "The 401 has no challenge"


def check_resource_content(discovery: OAuthDiscovery) -> Iterator[Finding]:
    """Check the fields `resource` and `authorization_servers` of the metadata (RFC 9728, sections 2 and 3.3)."""
    document = discovery.resource_document
    if document is None:
        return
    value, malformed = document.value, malformed_fields(PROTECTED_RESOURCE, document.value)
    others = {field: problem for field, problem in malformed.items() if field not in _CHECKED_FIELDS}
    yield from check_fields(document, others, rules.RESOURCE_FIELD, "RFC 9728")
    if value.get("dpop_bound_access_tokens_required") is True:
        message = (
            "dpop_bound_access_tokens_required is true, so the endpoint refuses a token without a proof (RFC 9449)."
        )
        fix = "Accept plain bearer tokens too: the known clients send no DPoP proof, which MCP does not require yet."
        yield Finding(rules.DPOP, document.url, message, fix)
    if value.get("resource") != discovery.mcp_url:
        yield _other_resource(discovery.mcp_url, document, value.get("resource"))
    if not authorization_servers(document):
        servers = _described(value.get("authorization_servers"))
        message = f"authorization_servers is {servers}, and not a list of https URLs."
        fix = (
            "Name the authorization server by its issuer, such as the AuthKit domain, exactly as the server writes it."
        )
        yield Finding(rules.NO_SERVERS, document.url, message, fix)


def _other_resource(mcp_url: str, document: DocumentAnswer, resource: object) -> Finding:
    message = f"resource is {_described(resource)}, but clients use {mcp_url!r}."
    if isinstance(resource, str) and resource.rstrip("/") == mcp_url.rstrip("/"):
        message += " They differ only in the final slash, and clients compare them exactly (RFC 9728, section 3.3)."
    fix = f"Set resource to {mcp_url!r}: change the base URL of the server, such as MCP_BASE_URL."
    is_parent = isinstance(resource, str) and _is_parent(resource, mcp_url)
    return Finding(rules.RESOURCE_PARENT if is_parent else rules.RESOURCE_OTHER, document.url, message, fix)


def _is_parent(resource: str, mcp_url: str) -> bool:
    """Whether clients that compare prefixes accept a resource: same origin, and a path above the endpoint's."""
    if split_url(resource) is None or origin_of(resource) != origin_of(mcp_url):
        return False
    return f"{urlsplit(mcp_url).path.rstrip('/')}/".startswith(f"{urlsplit(resource).path.rstrip('/')}/")


def _described(value: object) -> str:
    return "missing" if value is None else shown(repr(value))
