"""A Caddyfile: a reverse proxy."""

from collections.abc import Mapping
from typing import Any

from routegen.errors import ConfigError
from routegen.gateway import ANY
from routegen.render.render_target import RenderSettings, RenderTarget
from routegen.render.reverse_proxy import (
    APPROXIMATIONS,
    FORM_VARIABLE,
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
    """Write a token in backticks, in which Caddy replaces only environment variables.

    Raises:
        ConfigError: the text has a backtick, or the start of an environment variable; Caddy has no escape for them.
    """
    text = str(value)
    if "`" in text or "{$" in text:
        raise ConfigError(f"caddy: a token cannot have a backtick or '{{$': {text!r}")
    return f"`{text}`"


def prepare(gateway: TemplateGateway, settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the expressions for method and decoded path, in order.

    Raises:
        UnsupportedRouteError: a path is not UTF-8.
    """
    check_literals(gateway, settings)
    return {
        "routes": [
            {"key": route.key, "comment": route.reserved_comment, "regex": _request_regex(route), "app": route.app}
            for route in gateway.routes
        ],
        "no_route_body": NO_ROUTE_BODY,
        "upstreams": [
            {
                "app": upstream.app,
                "address": f"{{$UPSTREAM_{upstream.app.identifier.upper()}:{upstream.address}}}",
            }
            for upstream in assign_upstreams(gateway, settings)
        ],
        "listen": read_listen_address(settings.variables["listen"]),
        "standalone": settings.variables["form"] == "standalone",
        "largest_body": f"{LARGEST_BODY // 1024**2}MiB",
    }


def _request_regex(route: TemplateRoute) -> str:
    method = r"\S+" if route.method == ANY else route.method
    path = "/?" if route.path == "/" else route.regex  # a URL can have an empty path (RFC 9112, section 3.2.2)
    return rf"~^{method} {escape_unprintable(path, _escape_code_point)}\z"


def _escape_code_point(char: str) -> str:
    """Escape a character, because `caddy fmt` would treat a Unicode line separator as a line break."""
    return rf"\x{{{ord(char):x}}}"


TARGET = RenderTarget(
    summary="Caddy: a reverse proxy with the same routing",
    template="Caddyfile.j2",
    quote=quote,
    prepare=prepare,
    variables={**LISTEN_VARIABLE, **UPSTREAM_VARIABLE, **FORM_VARIABLE},
    approximations=APPROXIMATIONS,
)
