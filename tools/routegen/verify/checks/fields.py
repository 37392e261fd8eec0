"""Check the types of a metadata document's fields, and its scopes: typed clients refuse a whole document for one field.

RFC 9728 and RFC 8414, section 3.2 of each: a field without a value is left out.
"""

from collections.abc import Iterator
from typing import Any

from routegen.errors import shorten
from routegen.report import Finding, Rule, rules
from routegen.verify.answers import shown
from routegen.verify.clients.metadata_schemas import ZodSchema
from routegen.verify.documents import DocumentAnswer
from routegen.verify.oauth_discovery import MetadataSearch, OAuthDiscovery
from routegen.verify.request_url import split_url


def malformed_fields(schema: ZodSchema, value: dict[str, Any]) -> dict[str, str]:
    """The problem of each field that does not fit the schema, by its name."""
    problems = {name: _problem(kind, value.get(name, ...)) for name, kind in schema}
    return {name: problem for name, problem in problems.items() if problem}


def _problem(kind: str, value: object) -> str | None:
    if value is ...:
        return "is missing" if kind.endswith("!") else None
    if value is None:
        return "is null"
    match kind.removesuffix("!").removeprefix("web-"):
        case "string":
            expected, is_valid = "a text", isinstance(value, str)
        case "boolean":
            expected, is_valid = "true or false", isinstance(value, bool)
        case "url":
            expected, is_valid = "a URL", isinstance(value, str) and split_url(value) is not None
        case _:
            expected = "a list of strings"
            is_valid = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if is_valid else f"is {shorten(str(value), 100)!r}, which is not {expected}"


def check_fields(document: DocumentAnswer, malformed: dict[str, str], rule: Rule, standard: str) -> Iterator[Finding]:
    """Report each malformed field."""
    for field, problem in malformed.items():
        fix = f"Correct {field} in the metadata ({standard}, section 2)."
        if problem == "is null":
            fix = f"Leave {field} out: a field without a value must not be in the document ({standard}, section 3.2)."
        yield Finding(rule, document.url, f"{field} {problem}.", fix)


def check_scopes(discovery: OAuthDiscovery) -> Iterator[Finding]:
    """Check the scopes that clients ask for: of the challenge first, then of the metadata (MCP, "Scope Selection")."""
    resource = discovery.resource_document
    for document in (resource, *discovery.server_documents):
        if document and document.value.get("scopes_supported") == []:
            message = "scopes_supported is an empty list; some clients then ask for an empty scope."
            fix = "Leave scopes_supported out, or list the scopes that a sign-in needs, such as openid and email."
            yield Finding(rules.SCOPES_EMPTY, document.url, message, fix)
    challenge = discovery.challenge.parameter("scope") if discovery.challenge else None
    if challenge is not None and not challenge.strip():
        message = 'The challenge has scope="", and clients ask for a scope of two quotation marks.'
        fix = "Leave scope out of the challenge, or name the scopes that the request requires."
        yield Finding(rules.SCOPES_EMPTY, discovery.mcp_url, message, fix)
    for server in discovery.servers:
        if challenge and challenge.strip():
            yield from _not_offered(server, challenge.split(), discovery.mcp_url, "The scope of the challenge")
        elif resource and isinstance(scopes := resource.value.get("scopes_supported"), list):
            yield from _not_offered(server, scopes, resource.url, "scopes_supported of the resource")


def unlisted_scopes(server: MetadataSearch, scopes: list[Any]) -> list[str]:
    """The scopes that an authorization server does not offer; none if it does not say which it offers."""
    offered = server.document.value.get("scopes_supported") if server.document else None
    if not isinstance(offered, list) or not offered:
        return []
    offered_texts = {scope for scope in offered if isinstance(scope, str)}
    return [str(scope) for scope in scopes if not isinstance(scope, str) or scope not in offered_texts]


def _not_offered(server: MetadataSearch, scopes: list[Any], url: str, place: str) -> Iterator[Finding]:
    if missing := unlisted_scopes(server, scopes):
        message = f"{place} has {shown(', '.join(missing))}, which {server.url} does not offer."
        fix = f"Remove these scopes from {place[0].lower()}{place[1:]}, or add them at the authorization server."
        yield Finding(rules.SCOPES, url, message, fix)
