"""Shared parts of the reverse proxy targets: addresses that a user can set, and routes that no proxy can express."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from routegen.errors import UnsupportedRouteError, shorten
from routegen.gateway import shape
from routegen.render.render_target import RenderSettings, TargetVariable
from routegen.render.template_data import TemplateGateway, TemplateRoute

NOT_UTF_8 = "not-utf-8"
APPROXIMATIONS = {
    NOT_UTF_8: "a literal path that is not UTF-8 matches U+FFFD in place of its bytes, and not the bytes",
}
LARGEST_BODY = 10 * 1024 * 1024
"""The largest request body in bytes that API Gateway accepts ("Quotas for HTTP APIs": 10 MB)."""
NO_ROUTE_BODY = '{"message":"Not Found"}'
"""API Gateway's body of a 404 to a request that no route takes."""
FIRST_PORT = 9001
"""The default port of the first app; the other apps get the next ports."""

_HOST = r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]"


def read_address(text: str) -> str:
    """Read `host:port`, where an IPv6 address is in brackets.

    Raises:
        ValueError: the text has another form, or the port is out of range.
    """
    match = re.fullmatch(rf"({_HOST}):([0-9]{{1,5}})", text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError("must be host:port")
    return f"{match[1]}:{int(match[2])}"


def read_listen_address(text: str) -> str:
    """Read `host:port`, or only a port, which means all addresses of the machine and becomes `:port`.

    Raises:
        ValueError: the text has neither form, or the port is out of range.
    """
    try:
        return read_address(f"any:{text}").removeprefix("any") if text.isdigit() else read_address(text)
    except ValueError:
        raise ValueError("must be host:port, or a port") from None


def _check_upstream(text: str) -> None:
    if text:
        read_address(text)


def read_networks(text: str) -> tuple[str, ...]:
    """Read the networks of the proxies whose headers count: addresses, or `address/bits`, separated by commas.

    Raises:
        ValueError: one of them is not a network.
    """
    # Python reads any text after a percent sign as the name of an interface.
    parts = [part.strip().replace("%", " ") for part in text.split(",") if part.strip()]
    try:
        return tuple(dict.fromkeys(str(ip_network(part)) for part in parts))
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, separated by commas") from None


def _check_form(text: str) -> None:
    if text not in {"standalone", "include"}:
        raise ValueError("must be 'standalone' or 'include'")


PROXY_VARIABLES = {
    "listen": TargetVariable(
        "127.0.0.1:8080",
        "the address to listen on: host:port, or a port for all addresses",
        read_listen_address,
    ),
    "upstream.{app}": TargetVariable(
        "",
        f"the app's address, host:port; by default 127.0.0.1:{FIRST_PORT}, and the next ports for the other apps",
        _check_upstream,
    ),
    "trusted": TargetVariable(
        "",
        "the proxies in front, such as 10.0.0.0/8,::1: the app gets the scheme and the host that they name",
        read_networks,
    ),
}
FORM_VARIABLE = {
    "form": TargetVariable(
        "standalone",
        "'standalone' for a whole configuration, 'include' for a part of your own configuration",
        _check_form,
    )
}


def proxy_data(
    gateway: TemplateGateway,
    settings: RenderSettings,
    upstream_format: str,
    **write: Callable[[TemplateRoute], str],
) -> dict[str, Any]:
    """Prepare the data that the templates of all reverse proxies use.

    Args:
        gateway: the gateway.
        settings: the user's settings.
        upstream_format: how the proxy writes an address that an environment variable can replace: a format string with
            `name` and `address`. An app, sorted by name, has the address that the user set, or the next default port.
        write: the expressions of a route in the proxy's language, by the name that the template uses.

    Raises:
        UnsupportedRouteError: a literal path is not UTF-8, and the user did not allow the approximation. The routing
            model reads each wrong byte as U+FFFD; a proxy compares the bytes as they are.
    """
    for route in gateway.routes:
        if "\ufffd" in "".join(shape(route.path)) and NOT_UTF_8 not in settings.allowed:
            raise UnsupportedRouteError(
                f"{shorten(route.key)}: the path is not UTF-8, and the proxy would compare its bytes; give the route "
                f"another path, or let the route match only U+FFFD with --allow {NOT_UTF_8}"
            )
    upstreams = []
    for port, app in enumerate(gateway.apps, FIRST_PORT):
        address = read_address(settings.variables[f"upstream.{app.name}"] or f"127.0.0.1:{port}")
        text = upstream_format.format(name=f"UPSTREAM_{app.identifier.upper()}", address=address)
        upstreams.append({"app": app, "address": text})
    return {
        "routes": [
            {"key": route.key, "comment": route.reserved_comment, "app": route.app}
            | {name: function(route) for name, function in write.items()}
            for route in gateway.routes
        ],
        "no_route_body": NO_ROUTE_BODY,
        "upstreams": upstreams,
        "listen": read_listen_address(settings.variables["listen"]),
        "standalone": settings.variables.get("form") == "standalone",
        "trusted": read_networks(settings.variables["trusted"]),
        "largest_body": LARGEST_BODY,
    }


def escape_unprintable(regex: str, escape: Callable[[str], str]) -> str:
    """Escape the characters of a regular expression that a reader of the configuration could not see."""
    return "".join(char if char.isprintable() else escape(char) for char in regex)
