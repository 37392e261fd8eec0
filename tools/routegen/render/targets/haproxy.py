"""A configuration for HAProxy: a reverse proxy."""

from collections.abc import Mapping
from typing import Any

from routegen.errors import ConfigError
from routegen.gateway import ANY
from routegen.render.render_target import RenderSettings, RenderTarget
from routegen.render.reverse_proxy import (
    APPROXIMATIONS,
    LARGEST_BODY,
    LISTEN_VARIABLE,
    NO_ROUTE_BODY,
    UPSTREAM_VARIABLE,
    assign_upstreams,
    check_literals,
    escape_unprintable,
    read_listen_address,
)
from routegen.render.template_data import TemplateGateway, TemplateRoute


def quote(value: Any) -> str:
    """Write a word in single quotes, in which HAProxy replaces nothing (Configuration Manual, 2.2).

    Raises:
        ConfigError: the text has a line break or a NUL, which no word can contain.
    """
    text = str(value)
    if any(char in text for char in "\n\r\0"):
        raise ConfigError(f"haproxy: a word cannot have a line break or a NUL: {text!r}")
    return "'" + text.replace("'", r"'\''") + "'"


def prepare(gateway: TemplateGateway, settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the conditions of the routes, in order.

    Raises:
        UnsupportedRouteError: a path is not UTF-8.
    """
    check_literals(gateway, settings)
    return {
        "routes": [
            {"key": route.key, "comment": route.reserved_comment, "condition": _condition(route), "app": route.app}
            for route in gateway.routes
        ],
        "no_route_body": NO_ROUTE_BODY,
        "upstreams": [
            {
                "app": upstream.app,
                "address": f'"${{UPSTREAM_{upstream.app.identifier.upper()}-{upstream.address}}}"',
            }
            for upstream in assign_upstreams(gateway, settings)
        ],
        "listen": read_listen_address(settings.variables["listen"]),
        "largest_body": LARGEST_BODY,
    }


def _condition(route: TemplateRoute) -> str:
    method = "" if route.method == ANY else f"{{ method {route.method} }} "
    regex = escape_unprintable(route.regex, _escape_bytes)
    return method + "{ var(req.path) -m reg " + quote("^" + regex + r"\z") + " }"


def _escape_bytes(char: str) -> str:
    """Escape the UTF-8 bytes of a character, because HAProxy's expressions match bytes."""
    return "".join(rf"\x{byte:02x}" for byte in char.encode())


TARGET = RenderTarget(
    summary="HAProxy: a reverse proxy with the same routing",
    template="haproxy.cfg.j2",
    quote=quote,
    prepare=prepare,
    variables={**LISTEN_VARIABLE, **UPSTREAM_VARIABLE},
    approximations=APPROXIMATIONS,
)
