"""What the targets for reverse proxies share: addresses that a user may set, and what no such server can say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from routegen.errors import UnsupportedRouteError
from routegen.gateway import shape
from routegen.render.data import App, Gateway
from routegen.render.target import Asked, Variable

NOT_UTF_8 = "not-utf-8"
APPROXIMATIONS = {
    NOT_UTF_8: "a literal that isn't UTF-8 takes U+FFFD in the place of its bytes, and not the bytes",
}
LARGEST_BODY = 10 * 1024 * 1024
"""Bytes that API Gateway takes ("Quotas for HTTP APIs": 10 MB)."""
FIRST_PORT = 9001
"""Where the first app is by default; the others follow."""

_HOST = r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]"


@dataclass(frozen=True)
class Address:
    """Where something listens.

    Attributes:
        host: a name or an address, one of IPv6 in brackets; empty for every address of the machine.
        port: 1 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Upstream:
    """An app, and where it is."""

    app: App
    address: Address


def read_address(text: str) -> Address:
    """Read `host:port`.

    Raises:
        ValueError: it isn't.
    """
    found = re.fullmatch(rf"({_HOST}):([0-9]{{1,5}})", text)
    if found is None or not 0 < int(found[2]) < 65536:
        raise ValueError("must be host:port")
    return Address(found[1], int(found[2]))


def read_listen(text: str) -> Address:
    """Read `host:port`, or a port alone, on every address.

    Raises:
        ValueError: it is neither.
    """
    try:
        return Address("", read_address(f"any:{text}").port) if text.isdigit() else read_address(text)
    except ValueError:
        raise ValueError("must be host:port, or a port") from None


def _upstream(text: str) -> None:
    if text:
        read_address(text)


def _form(text: str) -> None:
    if text not in {"standalone", "include"}:
        raise ValueError("must be 'standalone' or 'include'")


LISTEN = {"listen": Variable("127.0.0.1:8080", "host:port, or a port on every address", read_listen)}
UPSTREAM = {
    "upstream.{app}": Variable("", f"host:port of the app; by default 127.0.0.1:{FIRST_PORT} and on", _upstream),
}
FORM = {"form": Variable("standalone", "'include' for a configuration of your own to include", _form)}


def upstreams(gateway: Gateway, asked: Asked) -> tuple[Upstream, ...]:
    """Every app by name, with the address that is set or the next one on loopback."""
    said: Mapping[str, str] = asked.variables
    return tuple(
        Upstream(app, read_address(said[f"upstream.{app.name}"] or f"127.0.0.1:{port}"))
        for app, port in zip(gateway.apps, count(FIRST_PORT), strict=False)
    )


def check_literals(gateway: Gateway, asked: Asked) -> None:
    """Refuse literals that aren't UTF-8: the model reads each wrong byte as U+FFFD, a server takes bytes as they are.

    Raises:
        UnsupportedRouteError: there is one, and that isn't allowed.
    """
    for rule in gateway.rules:
        if "\ufffd" in "".join(shape(rule.path)) and NOT_UTF_8 not in asked.allowed:
            raise UnsupportedRouteError(
                f"{rule.key}: the path isn't UTF-8, and the server would compare its bytes; give it another path, "
                f"or accept that it takes U+FFFD alone with --allow {NOT_UTF_8}"
            )
