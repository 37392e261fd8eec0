"""A reverse proxy for Caddy."""

from collections.abc import Mapping
from typing import Any

from routegen.errors import ConfigError
from routegen.gateway import ANY
from routegen.render.data import Gateway, Rule
from routegen.render.proxy import (
    APPROXIMATIONS,
    FORM,
    LARGEST_BODY,
    LISTEN,
    UPSTREAM,
    check_literals,
    read_listen,
    upstreams,
)
from routegen.render.target import Asked, Target


def quote(value: Any) -> str:
    """A token in backticks, in which Caddy reads nothing but variables of the environment.

    Raises:
        ConfigError: a backtick, or the start of such a variable; neither can be escaped.
    """
    text = str(value)
    if "`" in text or "{$" in text:
        raise ConfigError(f"a Caddyfile can't have a backtick or '{{$' in a token: {text!r}")
    return f"`{text}`"


def prepare(gateway: Gateway, asked: Asked) -> Mapping[str, Any]:
    """The expressions for method and decoded path, in order.

    Raises:
        UnsupportedRouteError: a path is not UTF-8.
    """
    check_literals(gateway, asked)
    return {
        "routes": [{"key": rule.key, "regex": _regex(rule), "app": rule.app} for rule in gateway.rules],
        "upstreams": [
            {"app": one.app, "address": f"{{$UPSTREAM_{one.app.identifier.upper()}:{one.address}}}"}
            for one in upstreams(gateway, asked)
        ],
        "listen": read_listen(asked.variables["listen"]),
        "standalone": asked.variables["form"] == "standalone",
        "largest_body": f"{LARGEST_BODY // 1024**2}MiB",
    }


def _regex(rule: Rule) -> str:
    method = r"\S+" if rule.method == ANY else rule.method
    path = "/?" if rule.path == "/" else rule.regex  # a URL may have no path (RFC 9112, section 3.2.2)
    # A line separator would be one for `caddy fmt`; a mark that turns the text around would mislead a reader.
    shown = "".join(char if char.isprintable() else rf"\x{{{ord(char):x}}}" for char in path)
    return rf"~^{method} {shown}\z"


TARGET = Target(
    about="Caddy: a reverse proxy that takes the same decisions",
    template="Caddyfile.j2",
    quote=quote,
    prepare=prepare,
    variables={**LISTEN, **UPSTREAM, **FORM},
    approximations=APPROXIMATIONS,
)
