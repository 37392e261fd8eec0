"""Protection against server-side request forgery (SSRF): the origins and addresses that `verify` may request.

A deployment names other servers (RFC 9728, section 2; RFC 8414, section 2). A client inside a network that requests
every named URL can be sent to servers that only this network can reach (MCP, "Security Best Practices"). Therefore each
URL is checked before its request, and each address is checked between the name resolution and the connection.
"""

from dataclasses import dataclass, field

from routegen.errors import ConfigError
from routegen.verify.request_url import Address, AddressKind, address_kind, host_kind, is_secure, origin_of, split_url

_KIND_IN_WORDS: dict[AddressKind, str] = {
    "loopback": "this machine",
    "private": "a private address",
    "link-local": "a link-local address",
}


@dataclass
class SsrfGuard:
    """The requests that one run may send.

    Attributes:
        origins: the allowed origins; the authorization servers that the deployment names are added during the run.
        address_kinds: the kinds of address to which the run may connect.
    """

    origins: set[str]
    address_kinds: frozenset[AddressKind] = field(default_factory=lambda: frozenset({"public"}))

    @classmethod
    def for_url(cls, url: str, *, allow_private: bool) -> "SsrfGuard":
        """Make the guard for the URL that the user gives.

        Args:
            url: the deployment or its MCP endpoint; if its host is a loopback or private address, such addresses are
                allowed.
            allow_private: whether every loopback, private and link-local address is allowed.

        Raises:
            ConfigError: the URL cannot be requested.
        """
        parts = split_url(url)
        if parts is None:
            raise ConfigError(
                f"URL: {url!r} is not an http URL; write it like https://dev.wikibot.io or https://dev.wikibot.io/mcp"
            )
        kinds: set[AddressKind] = {"public"}
        if allow_private:
            kinds |= _KIND_IN_WORDS.keys()
        elif (kind := host_kind(parts.hostname or "")) in {"loopback", "private"}:
            kinds.add(kind)
        return cls({origin_of(url)}, frozenset(kinds))

    def allow(self, url: str) -> None:
        """Allow the origin of a URL that the deployment names, if the URL is https or http on loopback."""
        if is_secure(url):
            self.origins.add(origin_of(url))

    def url_problem(self, url: str) -> str | None:
        """The reason why a URL must not be requested; None for an allowed URL."""
        if split_url(url) is None:
            return "it is not an http URL"
        origin = origin_of(url)
        is_allowed = origin in self.origins
        return None if is_allowed else f"{origin} is neither the deployment nor an authorization server that it names"

    def address_problem(self, address: Address) -> str | None:
        """The reason why an address must not be connected to; None for an allowed address."""
        kind = address_kind(address)
        if kind == "forbidden":
            return f"{address} is the metadata service of a cloud, or not the address of one machine"
        if kind not in self.address_kinds:
            return f"{address} is {_KIND_IN_WORDS[kind]}, which only --allow-private allows"
        return None
