"""Check authorization servers: their metadata, their endpoints, and whether clients can register.

RFC 8414, OpenID Connect Discovery 1.0, RFC 7636, RFC 7591.
"""

from collections.abc import Iterator
from itertools import product
from urllib.parse import urlsplit

from routegen.report import Finding, rules
from routegen.roles import OPENID_CONFIGURATION
from routegen.verify.answers import Answer, Answers, Failure, shown
from routegen.verify.checks.fields import check_fields, malformed_fields
from routegen.verify.clients.claims import clients_by_registration
from routegen.verify.clients.metadata_schemas import AUTHORIZATION_SERVER, OPENID
from routegen.verify.documents import DocumentAnswer, describe_answer
from routegen.verify.oauth_discovery import ENDPOINT_FIELDS, MetadataSearch, OAuthDiscovery
from routegen.verify.request_url import is_secure


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
        elif server.document is None:
            yield from _missing(server)
        if server.document:
            yield from _check_metadata(server, server.document)


def _blocked(answer: DocumentAnswer) -> Finding:
    message = f"A URL of the metadata {answer.description}."
    if answer.kind == "page":
        fix = "Let this URL answer 404, or serve the metadata there: most clients stop at a page with status 200."
        return Finding(rules.SERVER_PAGE, answer.url, message, fix)
    fix = "Send a JSON object with the fields of RFC 8414, section 2."
    return Finding(rules.SERVER_UNREADABLE, answer.url, message, fix)


def _missing(server: MetadataSearch) -> Iterator[Finding]:
    answers = [answer for answer in server.attempts if not answer.is_document]
    if all(answer.is_connection_problem for answer in answers):
        return
    message = "; ".join(f"{answer.url} {answer.description}" for answer in answers)
    fix = (
        "Correct authorization_servers in the resource metadata, or publish the server's metadata at one of these URLs."
    )
    if any(answer.needs_sign_in for answer in answers):
        fix = "Take the login or the firewall rule off this URL: clients read the metadata before they have a token."
    yield Finding(rules.SERVER_MISSING, server.url, f"{message}.", fix)


def _check_metadata(server: MetadataSearch, document: DocumentAnswer) -> Iterator[Finding]:
    value, is_openid = document.value, OPENID_CONFIGURATION in document.url
    malformed = malformed_fields(AUTHORIZATION_SERVER, value)
    malformed |= {
        field: problem
        for field, problem in malformed_fields(OPENID, value).items()
        if is_openid or (field in value and (problem != "is null" or field == "jwks_uri"))
    }
    yield from check_fields(document, malformed, rules.SERVER_FIELD, "RFC 8414")
    if "issuer" not in malformed and value["issuer"] != server.url:
        yield _issuer_mismatch(server, document)
    for field in (*ENDPOINT_FIELDS, "jwks_uri"):
        url = value.get(field)
        if url is not None and field not in malformed and not is_secure(url):
            message = f"{field} is {url}, which is not https."
            yield Finding(rules.ENDPOINT_INSECURE, document.url, message, f"Publish {field} with its https URL.")
    yield from _check_capabilities(document, malformed)
    if "token_endpoint_auth_methods_supported" not in malformed:
        yield from _check_registration(document)


def _issuer_mismatch(server: MetadataSearch, document: DocumentAnswer) -> Finding:
    issuer = document.value["issuer"]
    shown_issuer = shown(repr(issuer))
    message = f"issuer is {shown_issuer}, but authorization_servers has {server.url!r}."
    if issuer.rstrip("/") == server.url.rstrip("/"):
        message += " The only difference is the slash at the end."
    fix = f"Write {shown_issuer} in authorization_servers, or change the issuer to {server.url!r}."
    return Finding(rules.ISSUER, document.url, message, fix)


def _check_capabilities(document: DocumentAnswer, malformed: dict[str, str]) -> Iterator[Finding]:
    """Check that clients can sign in with the code grant and S256, and at an authorization endpoint without a query."""
    value, url = document.value, document.value.get("authorization_endpoint")
    methods = value.get("code_challenge_methods_supported")
    if "code_challenge_methods_supported" not in malformed and (methods is None or "S256" not in methods):
        message = f"code_challenge_methods_supported is {'missing' if methods is None else shown(methods)}."
        yield Finding(rules.NO_S256, document.url, message, 'Publish `"code_challenge_methods_supported": ["S256"]`.')
    types = value.get("response_types_supported", [])
    grants = value.get("grant_types_supported", ["authorization_code", "implicit"])
    is_readable = malformed.keys().isdisjoint({"response_types_supported", "grant_types_supported"})
    if is_readable and ("code" not in types or "authorization_code" not in grants):
        message = f"response_types_supported is {shown(types)}, and grant_types_supported is {shown(grants)}."
        fix = "Turn on the authorization code grant with response type `code`, which every MCP client needs to sign in."
        yield Finding(rules.NO_CODE, document.url, message, fix)
    if "authorization_endpoint" not in malformed and urlsplit(url).query:
        # RFC 6749, section 3.1, allows a query, and one client breaks it.
        message = f"authorization_endpoint has a query: {url}. The Python SDK adds its parameters after a second `?`."
        fix = "Publish authorization_endpoint without a query: put the value into the path."
        yield Finding(rules.AUTHORIZATION_QUERY, document.url, message, fix)


def _check_registration(document: DocumentAnswer) -> Iterator[Finding]:
    """Check how a client without an id gets one (MCP 2025-11-25 and 2026-07-28, "Client Registration Approaches")."""
    value, url = document.value, document.url
    has_documents = value.get("client_id_metadata_document_supported") is True
    methods = value.get("token_endpoint_auth_methods_supported") or ()
    message = "The metadata has no registration_endpoint, and client_id_metadata_document_supported is "
    auth_methods = f"token_endpoint_auth_methods_supported is {shown(methods or 'missing')}, without `none`"
    fix_methods = (
        "Add `none` to token_endpoint_auth_methods_supported: the client of a metadata document has no secret "
        "(only a client with keys can use `private_key_jwt`)."
    )
    if value.get("registration_endpoint"):
        if has_documents and "none" not in methods:
            message = f"client_id_metadata_document_supported is true, but {auth_methods}: Claude registers instead."
            yield Finding(rules.DOCUMENTS_UNUSABLE, url, message, fix_methods)
    elif not has_documents:
        fix = "Turn on client ID metadata documents (in WorkOS: Connect, Configuration), or give each client an id."
        yield Finding(rules.NO_REGISTRATION, url, f"{message}not true.", fix)
    elif not {"none", "private_key_jwt"}.intersection(methods):
        yield Finding(rules.NO_REGISTRATION, url, f"{message}true, but {auth_methods}.", fix_methods)
    else:
        can, cannot = (", ".join(ids) for ids in clients_by_registration(with_key="none" not in methods))
        message += f"true: clients with a metadata document can sign in ({can}); others cannot ({cannot})."
        fix = "Turn on Dynamic Client Registration (RFC 7591) too, until the clients that you serve have a document."
        yield Finding(rules.DOCUMENTS_ONLY, url, message, fix)


def check_recommendations(discovery: OAuthDiscovery) -> Iterator[Finding]:
    """Check the announcements that MCP 2026-07-28 recommends ("Authorization", "Client Registration Approaches")."""
    fields = ("authorization_response_iss_parameter_supported", "client_id_metadata_document_supported")
    fix = (
        "Nothing today. MCP 2026-07-28 recommends both: `iss` in the authorization response (RFC 9207), and client ID "
        "metadata documents instead of dynamic registration, which it deprecates."
    )
    for document in discovery.server_documents:
        missing = [field for field in fields if document.value.get(field) is not True]
        if missing:
            message = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not true."
            yield Finding(rules.NOT_RECOMMENDED, document.url, message, fix)


def check_endpoints(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """Report endpoints that do not exist.

    Clients send POST to each endpoint except the authorization endpoint, and an endpoint is allowed to answer 404 to
    every other method (RFC 6749, section 3.2; RFC 7591, section 3.1). Only the authorization endpoint is allowed to be
    a web page.
    """
    for document, field in product(discovery.server_documents, ENDPOINT_FIELDS):
        url = document.value.get(field)
        if not isinstance(url, str) or not is_secure(url):
            continue
        answer, post = answers.get("GET", url), answers.get("POST", url)
        takes_post = field != "authorization_endpoint"
        is_tried = takes_post and isinstance(post, Answer)
        answer = post if is_tried else answer
        if isinstance(answer, Failure):
            continue
        if answer.status == 404 and takes_post and not is_tried:
            message = f"{field} answers GET with 404, and POST was not tried."
            yield Finding(rules.ENDPOINT_UNTESTED, url, message, "Nothing, if it answers POST: `--register` tries it.")
        elif answer.status == 404 or (answer.status == 200 and answer.is_html and takes_post):
            message = f"{field} in {document.url} is this URL, but {answer.method} {describe_answer(answer)}."
            fix = f"Correct {field}, or give its path a route to the authorization server."
            yield Finding(rules.ENDPOINT_MISSING, url, message, fix)


def check_registration(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """Register a client, and check that the answer has its id (RFC 7591, section 3.2.1)."""
    for url in discovery.urls_of("registration_endpoint"):
        answer = answers.get("POST", url)
        document = answer.document if isinstance(answer, Answer) and answer.status in {200, 201} else None
        if isinstance((document or {}).get("client_id"), str):
            continue
        problem = f"gives no answer: {answer.reason}" if isinstance(answer, Failure) else describe_answer(answer)
        fix = "Allow the registration of public clients with a loopback redirect URI, or read the server's log."
        yield Finding(rules.REGISTRATION_REFUSED, url, f"POST {problem}.", fix)
