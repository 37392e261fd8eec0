"""A configuration for HAProxy: a reverse proxy."""

from collections.abc import Mapping
from typing import Any

from routegen.errors import ConfigError, shorten
from routegen.gateway import ANY
from routegen.render.render_target import RenderSettings, RenderTarget, TargetLimits
from routegen.render.reverse_proxy import APPROXIMATIONS, PROXY_VARIABLES, escape_unprintable, proxy_data
from routegen.render.template_data import TemplateGateway, TemplateRoute


def quote(value: Any) -> str:
    """Write a word in single quotes, in which HAProxy replaces nothing (Configuration Manual, 2.2).

    Raises:
        ConfigError: the text has a line break or a NUL, which no word can contain.
    """
    text = str(value)
    if any(char in text for char in "\n\r\0"):
        raise ConfigError(f"haproxy: a word cannot have a line break or a NUL: {shorten(text)!r}")
    return "'" + text.replace("'", r"'\''") + "'"


def prepare(gateway: TemplateGateway, settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the conditions of the routes, in order; it raises the error of `proxy_data`."""
    return proxy_data(gateway, settings, '"${{{name}-{address}}}"', condition=_condition)


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
    variables=PROXY_VARIABLES,
    approximations=APPROXIMATIONS,
    limits=TargetLimits(path=10_000, source="its regular expressions and its buffer for a request are limited"),
)
