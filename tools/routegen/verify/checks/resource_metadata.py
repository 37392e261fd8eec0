"""The challenge and the protected resource metadata (RFC 9728)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from routegen.report import Finding, rules
from routegen.verify.documents import Absent, Document
from routegen.verify.oauth_discovery import Chain, Challenge, Resource, is_web, named_servers
from routegen.verify.ssrf_guard import origin_of, split

# What other rules name already: redirects to elsewhere, and no answer at all.
_TOLD = {"away", "unreachable"}


def found(chain: Chain) -> Iterator[Finding]:
    """Whether clients find the metadata; a challenge that can't be used is weighed by whether they do without it."""
    resource, challenge = chain.resource, chain.challenge
    if resource is None:
        return
    if challenge and isinstance(resource.named, Document):
        if resource.known is None:
            yield from _only_by_challenge(chain, resource, challenge)
    elif challenge and isinstance(resource.named, Absent):
        yield from _named_but_absent(chain, resource.named, resource.known)
    elif blocked := next(filter(None, map(_blocking, resource.places)), None):
        yield _instead(blocked)
    elif resource.known is None:
        yield from _nowhere(chain, resource)
    elif challenge:
        yield _unusable(chain, challenge, resource.known)


def _only_by_challenge(chain: Chain, resource: Resource, challenge: Challenge) -> Iterator[Finding]:
    first = resource.places[0]
    said = f"The challenge leads to {challenge.url}, but {first.url} {first.said}." if isinstance(first, Absent) else ""
    todo = f"Serve it at {first.url} too: API Gateway renames the challenge's header, and then clients ask there."
    yield Finding(rules.CHALLENGE_ONLY, chain.mcp_url, said, todo)


def _named_but_absent(chain: Chain, named: Absent, known: Document | None) -> Iterator[Finding]:
    if named.reason in _TOLD:
        return
    if known is None:
        yield _instead(named)
        return
    todo = f"Have the challenge name {known.url}, which answers: clients ask for the URL in it and nothing else."
    yield Finding(rules.CHALLENGE_WRONG, chain.mcp_url, f"resource_metadata is {named.url}, which {named.said}.", todo)


def _instead(place: Absent) -> Finding:
    """What stands where the metadata belongs."""
    path = urlsplit(place.url).path
    if place.reason == "page":
        todo = f"Give {path} a route to the MCP server, so that the app behind $default doesn't get it."
        return Finding(rules.RESOURCE_PAGE, place.url, f"It {place.said}.", todo)
    if place.reason == "unreadable":
        return Finding(
            rules.RESOURCE_UNREADABLE, place.url, f"It {place.said}.", "Send a JSON object, RFC 9728's section 2."
        )
    todo = f"Serve the metadata at {path} and give it a route: `routegen extract` finds where the server has it."
    return Finding(rules.RESOURCE_MISSING, place.url, f"It {place.said}.", todo)


def _nowhere(chain: Chain, resource: Resource) -> Iterator[Finding]:
    first = resource.places[0]
    if not isinstance(first, Absent) or first.reason in _TOLD:
        return
    if chain.servers:
        todo = f"Serve protected resource metadata at {first.url} (RFC 9728): newer clients look there first."
        said = f"There is no protected resource metadata; clients fall back to the metadata at {chain.servers[0].url}."
        yield Finding(rules.OLD_DISCOVERY, chain.mcp_url, said, todo)
    elif chain.challenge is None:
        yield _instead(first)
    else:
        said = f"{_said(chain.challenge)}, and {first.url} {first.said}."
        todo = (
            f"Give {urlsplit(first.url).path} a route to the MCP server: it is where clients look without a challenge."
        )
        yield Finding(rules.NO_SIGN_IN, chain.mcp_url, said, todo)


def _unusable(chain: Chain, challenge: Challenge, known: Document) -> Finding:
    said = f"{_said(challenge)}; clients find {known.url} without it."
    if challenge.state == "renamed":
        todo = "Nothing needs to be done; a parameter mapping of `header.WWW-Authenticate` may bring the header back."
        return Finding(rules.CHALLENGE_RENAMED, chain.mcp_url, said, todo)
    todo = f'Send `WWW-Authenticate: Bearer resource_metadata="{known.url}"` with the 401, as RFC 9728 wants.'
    return Finding(rules.CHALLENGE_MISSING, chain.mcp_url, said, todo)


def _said(challenge: Challenge) -> str:
    if challenge.state == "renamed":
        return "The 401's challenge arrives as x-amzn-remapped-www-authenticate, which no client reads"
    if challenge.state == "plain":
        return f"The 401's challenge names no metadata ({challenge.text[:100]})"
    return "The 401 has no challenge"


def content(chain: Chain) -> Iterator[Finding]:
    """What the metadata says (RFC 9728, sections 2 and 3.3)."""
    document = chain.resource.used if chain.resource else None
    if document is None:
        return
    resource = document.value.get("resource")
    if resource != chain.mcp_url:
        yield _about_another(chain.mcp_url, document, resource)
    if not named_servers(document):
        said = document.value.get("authorization_servers")
        happened = f"authorization_servers is {_shown(said)}, where a list of https URLs belongs."
        todo = "Name the authorization server, e.g. the AuthKit domain, with its issuer as it writes it itself."
        yield Finding(rules.NO_SERVERS, document.url, happened, todo)


def _about_another(mcp_url: str, document: Document, resource: object) -> Finding:
    happened = f"resource is {_shown(resource)}, but what was asked for is {mcp_url!r}."
    todo = f"Have it say {mcp_url!r}: the server's base URL is what has to change, e.g. MCP_BASE_URL."
    rule = (
        rules.RESOURCE_PARENT if isinstance(resource, str) and _is_parent(resource, mcp_url) else rules.RESOURCE_OTHER
    )
    return Finding(rule, document.url, happened, todo)


def _is_parent(resource: str, url: str) -> bool:
    """Whether clients that compare by prefix take it: the same origin, and a path that the endpoint's begins with."""
    parts, own = split(resource), urlsplit(url)
    if parts is None or not is_web(parts) or origin_of(parts) != origin_of(own):
        return False
    return f"{own.path.rstrip('/')}/".startswith(f"{parts.path.rstrip('/')}/")


def _blocking(place: Document | Absent) -> Absent | None:
    return place if isinstance(place, Absent) and place.reason in {"page", "unreadable"} else None


def _shown(value: object) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
