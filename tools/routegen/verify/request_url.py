"""URLs that `verify` can request: their parts, their origin, and the kind of network address of their host."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
AddressKind = Literal["public", "loopback", "private", "link-local", "forbidden"]
"""`forbidden`: a metadata service of a cloud, or an address that belongs to no single machine."""

# Addresses at which clouds and container platforms give out credentials. Most of them are link-local, but not all.
_METADATA_SERVICES = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16",
                     "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"))
)  # fmt: skip
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes
_DEFAULT_PORTS = {"http": 80, "https": 443}


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL; None for a URL that has no host, has a user name, or has a character that no URL has."""
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
    """The origin as browsers write it: lower case, without a default port (RFC 6454, section 6.2)."""
    host = (parts.hostname or "").lower()
    bracketed = f"[{host}]" if ":" in host else host
    port = parts.port if parts.port != _DEFAULT_PORTS.get(parts.scheme) else None
    return f"{parts.scheme}://{bracketed}" + (f":{port}" if port else "")


def is_http_url(url: str) -> bool:
    """Whether a text is an absolute http or https URL."""
    parts = split_url(url)
    return parts is not None and parts.scheme in _DEFAULT_PORTS


def is_secure(url: str) -> bool:
    """Whether clients may send a token to a URL: https, or http on this machine (RFC 8252, section 8.3)."""
    parts = split_url(url)
    if parts is None or parts.scheme not in _DEFAULT_PORTS:
        return False
    return parts.scheme == "https" or host_kind(parts.hostname or "") == "loopback"


def host_kind(host: str) -> AddressKind | None:
    """The kind of a host that is an address or `localhost` (RFC 6761, section 6.3); None for every other name."""
    if host == "localhost" or host.endswith(".localhost"):
        return "loopback"
    try:
        return address_kind(ip_address(host))
    except ValueError:
        return None


def address_kind(address: Address) -> AddressKind:
    """The kind of an address; an IPv6 address that contains an IPv4 address has the kind of that address."""
    embedded = _embedded_ipv4(address)
    if embedded is not None:
        return address_kind(embedded)
    if address in _METADATA_SERVICES or address.is_unspecified or address.is_multicast:
        return "forbidden"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    return "public" if address.is_global else "private"


def _embedded_ipv4(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
