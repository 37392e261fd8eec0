"""The way from the MCP endpoint to the authorization server, walked as clients walk it; what was met, as data.

In: answers and the MCP endpoint's URL. Out: a `Chain`, over which `checks` make their findings. RFC 9728, section 5
(the challenge) and 3.1 (the well-known path); RFC 8414, section 3.1; OpenID Connect Discovery 1.0, section 4; the MCP
authorization specification of 2025-06-18 and 2025-11-25 for the order.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from routegen.roles import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import Absent, Document, read_document
from routegen.verify.ssrf_guard import is_loopback, origin_of, split

RENAMED = "x-amzn-remapped-www-authenticate"
"""What AWS makes of WWW-Authenticate (API Gateway, "Important notes" on REST APIs and function URLs)."""

_NAMED = re.compile(r'(?i)\bresource_metadata\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_SERVERS = 5
"""How many authorization servers of one resource are looked at."""


@dataclass(frozen=True)
class Challenge:
    """What a 401 says of the way on.

    Attributes:
        state: `named` has the metadata's URL; `plain` is a challenge without one; `renamed` is under AWS's name alone.
        url: the metadata's.
        text: the header as it came.
    """

    state: Literal["named", "plain", "renamed", "missing"]
    url: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Resource:
    """The protected resource metadata, where clients look for it.

    Attributes:
        named: at the URL in the challenge; None where it names none.
        places: at the well-known paths, in the order in which clients ask, up to the first that ends their search.
    """

    named: Document | Absent | None
    places: tuple[Document | Absent, ...]

    @property
    def known(self) -> Document | None:
        """What a client without the challenge finds."""
        return next((place for place in self.places if isinstance(place, Document)), None)

    @property
    def used(self) -> Document | None:
        """What a client finds."""
        return self.named if isinstance(self.named, Document) else self.known


@dataclass(frozen=True)
class Server:
    """An authorization server.

    Attributes:
        url: as the resource names it; the MCP endpoint's origin for the older discovery, which names none.
        places: its metadata where clients look for it, in their order; empty where a client must not ask.
        by_resource: whether the resource metadata names it.
    """

    url: str
    places: tuple[Document | Absent, ...]
    by_resource: bool = True

    @property
    def metadata(self) -> Document | None:
        """The metadata that a patient client finds."""
        return next((place for place in self.places if isinstance(place, Document)), None)

    @property
    def blocked(self) -> Absent | None:
        """What stands before it with status 200 and makes a client give up."""
        first = next((place for place in self.places if not _is_nothing(place)), None)
        return first if isinstance(first, Absent) else None


@dataclass(frozen=True)
class Chain:
    """What was met on the way.

    Attributes:
        mcp_url: where it began.
        first: the answer to an unauthenticated `initialize`.
        challenge: of its 401; None where it isn't one.
        resource: the metadata; None where the endpoint is open or can't be reached.
        servers: the authorization servers that clients use, in the order in which they are named.
    """

    mcp_url: str
    first: Answer | Failure
    challenge: Challenge | None = None
    resource: Resource | None = None
    servers: tuple[Server, ...] = ()


def walk(answers: Answers, mcp_url: str, allow: Callable[[str], None] = lambda _: None) -> Chain:
    """Walk the chain from its beginning.

    Args:
        answers: as a client without a token gets them.
        mcp_url: the MCP endpoint.
        allow: is told of each URL of another server before it is asked.
    """
    first = answers.get("POST", mcp_url)
    if isinstance(first, Failure) or is_open(first):
        return Chain(mcp_url, first)
    challenge = challenge_of(first) if first.status == 401 else None
    named = read_document(answers, challenge.url) if challenge and challenge.url else None
    places = _search(answers, resource_places(mcp_url))
    resource = Resource(named, places)
    if resource.used:
        servers = tuple(_named_server(answers, url, allow) for url in named_servers(resource.used)[:_SERVERS])
    else:
        servers = _old_discovery(answers, mcp_url)
    return Chain(mcp_url, first, challenge, resource, servers)


def is_open(first: Answer) -> bool:
    """Whether the endpoint answers `initialize` without a token."""
    return first.status == 200 and not first.is_html


def challenge_of(answer: Answer) -> Challenge:
    """What a 401's headers say (RFC 9728, section 5.1)."""
    texts = [value for name, value in answer.headers if name == "www-authenticate"]
    for text in texts:
        if found := _NAMED.search(text):
            return Challenge("named", found[1] or found[2] or "", text)
    if texts:
        return Challenge("plain", None, texts[0])
    renamed = answer.header(RENAMED)
    return Challenge("missing") if renamed is None else Challenge("renamed", None, renamed)


def resource_places(mcp_url: str) -> tuple[str, ...]:
    """Where clients look for a resource's metadata: with its path after the well-known one, then at the root."""
    parts = urlsplit(mcp_url)
    path = parts.path.rstrip("/")
    root = f"{origin_of(parts)}{PROTECTED_RESOURCE}"
    return (f"{root}{path}", root) if path else (root,)


def server_places(url: str) -> tuple[str, ...]:
    """Where clients look for an authorization server's metadata."""
    parts = urlsplit(url)
    origin, path = origin_of(parts), parts.path.rstrip("/")
    if not path:
        return f"{origin}{AUTHORIZATION_SERVER}", f"{origin}{OPENID_CONFIGURATION}"
    return (
        f"{origin}{AUTHORIZATION_SERVER}{path}",
        f"{origin}{OPENID_CONFIGURATION}{path}",
        f"{origin}{path}{OPENID_CONFIGURATION}",
    )


def named_servers(document: Document) -> tuple[str, ...]:
    """The authorization servers that a resource names and that are URLs, each once."""
    named = document.value.get("authorization_servers")
    texts = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
    return tuple(dict.fromkeys(one for one in texts if is_web(split(one))))


def is_web(parts: SplitResult | None) -> bool:
    """Whether a URL is one of the web's."""
    return parts is not None and parts.scheme in {"http", "https"}


def is_secure(url: str) -> bool:
    """Whether a token may go there: https, or this machine (RFC 8252, section 8.3)."""
    parts = split(url)
    return parts is not None and (parts.scheme == "https" or is_loopback(parts))


def _old_discovery(answers: Answers, mcp_url: str) -> tuple[Server, ...]:
    """The MCP server's origin, if it is an authorization server (MCP 2025-03-26, "Server Metadata Discovery")."""
    server = _server(answers, origin_of(urlsplit(mcp_url)), by_resource=False)
    issuer = server.metadata.value.get("issuer") if server.metadata else None
    # A copy of another server's metadata doesn't make it one: most clients refuse a copy.
    return (server,) if isinstance(issuer, str) and issuer.rstrip("/") == server.url else ()


def _named_server(answers: Answers, url: str, allow: Callable[[str], None]) -> Server:
    if not is_secure(url):
        return Server(url, ())
    allow(url)
    return _server(answers, url, by_resource=True)


def _server(answers: Answers, url: str, *, by_resource: bool) -> Server:
    # On past what blocks some clients: the others find the metadata behind it.
    places: list[Document | Absent] = []
    for place in server_places(url):
        places.append(read_document(answers, place))
        if isinstance(places[-1], Document):
            break
    return Server(url, tuple(places), by_resource)


def _search(answers: Answers, urls: tuple[str, ...]) -> tuple[Document | Absent, ...]:
    places: list[Document | Absent] = []
    for url in urls:
        places.append(read_document(answers, url))
        if not _is_nothing(places[-1]):
            break
    return tuple(places)


def _is_nothing(place: Document | Absent) -> bool:
    """Whether a client goes on to the next place: neither a document nor a 200 that isn't one."""
    return isinstance(place, Absent) and place.reason not in {"page", "unreadable"}
