"""A Caddyfile: a reverse proxy."""

from collections.abc import Mapping
from typing import Any

from routegen.errors import ConfigError, shorten
from routegen.gateway import ANY
from routegen.render.render_target import RenderSettings, RenderTarget
from routegen.render.reverse_proxy import (
    APPROXIMATIONS,
    FORM_VARIABLE,
    LARGEST_BODY,
    PROXY_VARIABLES,
    escape_unprintable,
    proxy_data,
)
from routegen.render.template_data import TemplateGateway, TemplateRoute


def quote(value: Any) -> str:
    """Write a token in backticks, in which Caddy replaces only environment variables.

    Raises:
        ConfigError: the text has a backtick, or the start of an environment variable; Caddy has no escape for them.
    """
    text = str(value)
    if "`" in text or "{$" in text:
        raise ConfigError(f"caddy: a token cannot have a backtick or '{{$': {shorten(text)!r}")
    return f"`{text}`"


def prepare(gateway: TemplateGateway, settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the expressions for method and decoded path, in order; it raises the error of `proxy_data`."""
    data = proxy_data(gateway, settings, "{{${name}:{address}}}", regex=_request_regex)
    return data | {"largest_body": f"{LARGEST_BODY // 1024**2}MiB"}


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
    variables={**PROXY_VARIABLES, **FORM_VARIABLE},
    approximations=APPROXIMATIONS,
)
