"""URLs that `verify` can request: their parts, their origin, and the kind of network address of their host."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
AddressKind = Literal["public", "loopback", "private", "link-local", "forbidden"]
"""`forbidden`: a metadata service of a cloud, or an address that belongs to no single machine."""

_KINDS: tuple[AddressKind, ...] = ("public", "private", "loopback", "link-local", "forbidden")

# Addresses at which clouds and container platforms give out credentials. Most of them are link-local, but not all.
_METADATA_SERVICES = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16",
                     "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"))
)  # fmt: skip
_GLOBAL_UNICAST = ip_network("2000::/3")  # RFC 4291, section 2.4: every other public IPv6 address contains an IPv4 one
# IPv6 addresses that contain an IPv4 address, the number of bits after it, and whether they lead to that address.
_EMBEDDED_IPV4 = (
    (ip_network("::ffff:0:0/96"), 0, True),  # IPv4-mapped (RFC 4291, section 2.5.5.2)
    (ip_network("64:ff9b::/96"), 0, True),  # NAT64 (RFC 6052, section 2.1)
    (ip_network("2002::/16"), 80, True),  # 6to4 (RFC 3056, section 2)
    (ip_network("::/96"), 0, False),  # IPv4-compatible, deprecated (RFC 4291, section 2.5.5.1)
    (ip_network("::ffff:0:0:0/96"), 0, False),  # IPv4-translated (RFC 2765, section 2.1)
    (ip_network("64:ff9b:1::/48"), 0, False),  # NAT64 of the local network (RFC 8215)
    (ip_network("2001::/32"), 64, False),  # the server of Teredo (RFC 4380, section 4)
)
MAX_URL_CHARACTERS = 8000
"""The length that every server should accept (RFC 9110, section 4.1); a longer URL is not requested."""

_NOT_IN_A_URL = re.compile(r'[^!-~]|["<>\\^`{|}]')
_DEFAULT_PORTS = {"http": 80, "https": 443}


def split_url(url: str) -> SplitResult | None:
    """The parts of an http or https URL; None for one that is too long, has a user name, or has a wrong character."""
    if len(url) > MAX_URL_CHARACTERS or _NOT_IN_A_URL.search(url):
        return None
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.username is None and parts.port != 0
    except ValueError:
        return None
    return parts if is_valid else None


def origin_of(url: str) -> str:
    """The origin of a URL as browsers write it: lower case, without a default port (RFC 6454, section 6.2)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    bracketed = f"[{host}]" if ":" in host else host
    port = parts.port if parts.port != _DEFAULT_PORTS.get(parts.scheme) else None
    return f"{parts.scheme}://{bracketed}" + (f":{port}" if port else "")


def is_secure(url: str) -> bool:
    """Whether clients may send a token to a URL: https, or http on this machine (RFC 8252, section 8.3)."""
    parts = split_url(url)
    return parts is not None and (parts.scheme == "https" or host_kind(parts.hostname or "") == "loopback")


def host_kind(host: str) -> AddressKind | None:
    """The kind of a host that is an address or `localhost` (RFC 6761, section 6.3); None for every other name.

    An IPv4 address can also be written as one number, or with octal and hexadecimal parts (WHATWG URL, section 3.5). An
    IPv6 address can be in brackets, as in a URL.
    """
    host = host.strip("[]")
    if host == "localhost" or host.endswith(".localhost"):
        return "loopback"
    try:
        return address_kind(ip_address(host if ":" in host else socket.inet_ntoa(socket.inet_aton(host))))
    except (ValueError, OSError):
        return None


def address_kind(address: Address) -> AddressKind:
    """The kind of an address; an address that contains another one has the kind of the more restricted of the two."""
    if isinstance(address, IPv4Address):
        return _own_kind(address)
    address = IPv6Address(int(address))  # without its scope, which does not change the kind
    if address.is_loopback:
        return "loopback"
    kinds = [_own_kind(address)]
    for network, bits_after, leads_there in _EMBEDDED_IPV4:
        if address in network:
            kinds = [] if leads_there else kinds
            kinds.append(_own_kind(IPv4Address(int(address) >> bits_after & 0xFFFFFFFF)))
    if address.teredo:
        kinds.append(_own_kind(address.teredo[1]))
    return max(kinds, key=_KINDS.index)


def _own_kind(address: Address) -> AddressKind:
    if address in _METADATA_SERVICES or address.is_unspecified or address.is_multicast:
        return "forbidden"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    is_public = address.is_global and (isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST)
    return "public" if is_public else "private"
