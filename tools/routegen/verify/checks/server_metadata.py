"""Authorization servers and their metadata (RFC 8414, OpenID Connect Discovery 1.0, RFC 7636, RFC 7591)."""

from collections.abc import Iterable, Iterator

from routegen.report import Finding, rules
from routegen.verify.documents import Absent, Document
from routegen.verify.oauth_discovery import Chain, Server, is_secure, is_web
from routegen.verify.ssrf_guard import split

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "registration_endpoint")
_TOLD = {"away", "unreachable"}
_REQUIRED = ("issuer", "authorization_endpoint", "token_endpoint")
_URLS = (*_REQUIRED, "registration_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint")
_LISTS = (
    "response_types_supported",
    "grant_types_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "response_modes_supported",
    "token_endpoint_auth_methods_supported",
)


def servers(chain: Chain) -> Iterator[Finding]:
    """All that is wrong with the authorization servers that a client would use."""
    for server in chain.servers:
        yield from _server(chain, server)


def _server(chain: Chain, server: Server) -> Iterator[Finding]:
    if not server.places:
        todo = "Name its https URL; only on this machine is http allowed."
        yield Finding(
            rules.SERVER_INSECURE, server.url, "It is not https, so it was not asked, and no client should.", todo
        )
        return
    if blocked := server.blocked:
        yield _blocked(blocked)
    elif server.metadata is None:
        yield from _missing(server)
    if server.metadata:
        yield from _metadata(server, server.metadata)
        yield from _scopes(chain, server, server.metadata)


def _blocked(place: Absent) -> Finding:
    if place.reason == "page":
        todo = "Let it answer 404, or serve the metadata there: most clients stop at a page with status 200."
        return Finding(rules.SERVER_PAGE, place.url, f"It {place.said}.", todo)
    return Finding(rules.SERVER_UNREADABLE, place.url, f"It {place.said}.", "Send a JSON object, RFC 8414's section 2.")


def _missing(server: Server) -> Iterator[Finding]:
    places = [place for place in server.places if isinstance(place, Absent)]
    if all(place.reason in _TOLD for place in places):
        return
    said = "; ".join(f"{place.url} {place.said}" for place in places)
    todo = "Correct authorization_servers in the resource metadata, or have the server publish its metadata there."
    yield Finding(rules.SERVER_MISSING, server.url, f"{said}.", todo)


def _metadata(server: Server, document: Document) -> Iterator[Finding]:
    value = document.value
    malformed = dict(_malformed(value))
    for name, why in malformed.items():
        yield Finding(rules.SERVER_FIELD, document.url, f"{name} {why}.", f"Correct {name} (RFC 8414, section 2).")
    if "issuer" not in malformed and value["issuer"] != server.url:
        yield _issuer(server, document)
    for name in (*ENDPOINTS, "jwks_uri"):
        if name in value and name not in malformed and not is_secure(value[name]):
            said = f"{name} is {value[name]}, which is not https."
            yield Finding(rules.ENDPOINT_INSECURE, document.url, said, f"Publish {name} with its https URL.")
    yield from _capabilities(document, malformed)


def _malformed(value: dict[str, object]) -> Iterator[tuple[str, str]]:
    """The fields that a client can't use, with why: a wrong type makes typed clients refuse the whole document."""
    for name in _URLS:
        said = value.get(name)
        if said is None:
            if name in _REQUIRED:
                yield name, "is missing"
        elif not isinstance(said, str) or not is_web(split(said)):
            yield name, f"is {str(said)[:100]!r}, which is no URL"
    for name in _LISTS:
        said = value.get(name)
        if said is None:
            if name == "response_types_supported":
                yield name, "is missing"
        elif not isinstance(said, list) or not all(isinstance(one, str) for one in said):
            yield name, f"is {str(said)[:100]!r}, where a list of strings belongs"


def _issuer(server: Server, document: Document) -> Finding:
    issuer = document.value["issuer"]
    slash = " They differ by the final slash alone." if issuer.rstrip("/") == server.url.rstrip("/") else ""
    happened = f"issuer is {issuer!r}, but the server was named {server.url!r}.{slash}"
    todo = f"Name it {issuer!r} in authorization_servers, or have the server say {server.url!r}."
    return Finding(rules.ISSUER, document.url, happened, todo)


def _capabilities(document: Document, malformed: Iterable[str]) -> Iterator[Finding]:
    value = document.value
    if "code_challenge_methods_supported" not in malformed:
        methods = value.get("code_challenge_methods_supported")
        if methods is None or "S256" not in methods:
            said = f"code_challenge_methods_supported is {'missing' if methods is None else methods}."
            yield Finding(rules.NO_S256, document.url, said, 'Publish `"code_challenge_methods_supported": ["S256"]`.')
    if not {"response_types_supported", "grant_types_supported"}.intersection(malformed):
        yield from _grants(document)
    if not value.get("registration_endpoint") and value.get("client_id_metadata_document_supported") is not True:
        said = "There is no registration_endpoint, and client_id_metadata_document_supported is not true."
        todo = "Turn on Dynamic Client Registration (in WorkOS: Connect, Configuration), or give out ids by hand."
        yield Finding(rules.NO_REGISTRATION, document.url, said, todo)


def _grants(document: Document) -> Iterator[Finding]:
    types = document.value["response_types_supported"]
    grants = document.value.get("grant_types_supported", ["authorization_code", "implicit"])
    if "code" not in types or "authorization_code" not in grants:
        said = f"response_types_supported is {types}, grant_types_supported is {grants}."
        todo = (
            "Turn on the authorization code grant, with response type `code`: MCP clients know no other way to sign in."
        )
        yield Finding(rules.NO_CODE, document.url, said, todo)


def _scopes(chain: Chain, server: Server, document: Document) -> Iterator[Finding]:
    """Clients ask for the scopes that the resource names (MCP, "Scope Selection Strategy")."""
    used = chain.resource.used if chain.resource else None
    wanted, offered = used and used.value.get("scopes_supported"), document.value.get("scopes_supported")
    if not used or not isinstance(wanted, list) or not isinstance(offered, list):
        return
    missing = [str(scope) for scope in wanted if scope not in offered]
    if missing:
        said = f"scopes_supported names {', '.join(missing)}, which {server.url} doesn't offer."
        todo = "Take them out of the resource's scopes_supported, or add them at the authorization server."
        yield Finding(rules.SCOPES, used.url, said[:500], todo)
