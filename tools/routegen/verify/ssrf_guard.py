"""Where `verify` may ask: which origins by their URLs, which machines by their addresses.

A deployment names other servers (RFC 9728, section 2; RFC 8414, section 2), and whoever follows such names from inside
a network can be sent to what only that network may reach (MCP, "Security Best Practices", on SSRF). So a URL is judged
before it is asked, and an address is judged after its name has been resolved, before anything is sent to it.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from routegen.errors import ConfigError

Address = IPv4Address | IPv6Address
Kind = Literal["public", "loopback", "private", "link-local", "never"]

# Where clouds and container platforms give out credentials: link-local for most, but not for all.
_METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16",
                     "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"))
)  # fmt: skip
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes


def kind_of(address: Address) -> Kind:
    """What kind of place an address is; an IPv4 address inside an IPv6 one is judged as itself."""
    inner = _embedded(address)
    if inner is not None:
        return kind_of(inner)
    if address in _METADATA or address.is_unspecified or address.is_multicast:
        return "never"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    return "public" if address.is_global else "private"


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


@dataclass
class Guard:
    """What may be asked, in one run.

    Attributes:
        origins: the origins that may be asked; the authorization servers join as the deployment names them.
        kinds: the kinds of address that may be connected to.
    """

    origins: set[str]
    kinds: frozenset[Kind] = field(default_factory=lambda: frozenset({"public"}))

    @classmethod
    def around(cls, url: str, *, allow_private: bool) -> "Guard":
        """A guard for the URL that a user has given: it alone may be loopback or private if it says so itself.

        Raises:
            ConfigError: it isn't a URL that can be asked.
        """
        parts = split(url)
        if parts is None or parts.scheme not in {"http", "https"}:
            raise ConfigError(f"URL: {url!r} is not one like https://dev.wikibot.io, or https://dev.wikibot.io/mcp")
        kinds: set[Kind] = {"public"}
        if allow_private:
            kinds |= {"loopback", "private", "link-local"}
        elif (own := literal_kind(parts.hostname or "")) in {"loopback", "private"}:
            kinds.add(own)
        return cls({origin_of(parts)}, frozenset(kinds))

    def allow(self, url: str) -> None:
        """Let the origin of a URL be asked, if a client may be sent to it: https, or http on loopback."""
        parts = split(url)
        if parts and (parts.scheme == "https" or is_loopback(parts)):
            self.origins.add(origin_of(parts))

    def why_not(self, url: str) -> str | None:
        """Why a URL isn't asked; None where it is."""
        parts = split(url)
        if parts is None or parts.scheme not in {"http", "https"}:
            return "it is not an http URL"
        if origin_of(parts) not in self.origins:
            return f"{origin_of(parts)} is neither the deployment nor an authorization server that it names"
        return None

    def why_not_address(self, address: Address) -> str | None:
        """Why an address isn't connected to; None where it is."""
        kind = kind_of(address)
        if kind == "never":
            return f"{address} is a cloud's metadata service or no machine's address"
        if kind not in self.kinds:
            return f"{address} is {_WORDS[kind]}; --allow-private lets it be asked"
        return None


_WORDS: dict[Kind, str] = {"loopback": "this machine", "private": "a private address", "link-local": "link-local"}


def split(url: str) -> SplitResult | None:
    """The parts of a URL that can be asked; None where it can't: no host, a user, a character that no URL has."""
    if not url.isascii() or not url.isprintable() or any(char in ' "<>\\^`{|}' for char in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None or port == 0:
        return None
    return parts


def origin_of(parts: SplitResult) -> str:
    """Scheme, host and port as browsers write an origin (RFC 6454, section 6.2): no default port, lower case."""
    host = (parts.hostname or "").lower()
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port and parts.port != default else "")


def is_loopback(parts: SplitResult) -> bool:
    """Whether the URL itself says that its host is this machine."""
    return literal_kind(parts.hostname or "") == "loopback"


def literal_kind(host: str) -> Kind | None:
    """The kind of a host that is an address, or a name that means loopback (RFC 6761, section 6.3); None for others."""
    if host == "localhost" or host.endswith(".localhost"):
        return "loopback"
    try:
        return kind_of(ip_address(host))
    except ValueError:
        return None
