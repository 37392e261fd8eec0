"""A reverse proxy for HAProxy."""

from collections.abc import Mapping
from typing import Any

from routegen.errors import ConfigError
from routegen.gateway import ANY
from routegen.render.data import Gateway, Rule
from routegen.render.proxy import (
    APPROXIMATIONS,
    LARGEST_BODY,
    LISTEN,
    UPSTREAM,
    check_literals,
    read_listen,
    upstreams,
)
from routegen.render.target import Asked, Target


def quote(value: Any) -> str:
    """A word in single quotes, in which HAProxy reads nothing (Configuration Manual, 2.2).

    Raises:
        ConfigError: a line break or a NUL, which a word can't have.
    """
    text = str(value)
    if any(char in text for char in "\n\r\0"):
        raise ConfigError(f"HAProxy can't have a line break or a NUL in a word: {text!r}")
    return "'" + text.replace("'", r"'\''") + "'"


def prepare(gateway: Gateway, asked: Asked) -> Mapping[str, Any]:
    """The conditions, in order.

    Raises:
        UnsupportedRouteError: a path is not UTF-8.
    """
    check_literals(gateway, asked)
    return {
        "routes": [{"key": rule.key, "condition": _condition(rule), "app": rule.app} for rule in gateway.rules],
        "upstreams": [
            {"app": one.app, "address": f'"${{UPSTREAM_{one.app.identifier.upper()}-{one.address}}}"'}
            for one in upstreams(gateway, asked)
        ],
        "listen": read_listen(asked.variables["listen"]),
        "largest_body": LARGEST_BODY,
    }


def _condition(rule: Rule) -> str:
    method = "" if rule.method == ANY else f"{{ method {rule.method} }} "
    regex = "".join(char if char.isprintable() else _as_bytes(char) for char in rule.regex)
    return method + "{ var(req.path) -m reg " + quote("^" + regex + r"\z") + " }"


def _as_bytes(char: str) -> str:
    """A character that a reader wouldn't see, for expressions that take bytes."""
    return "".join(rf"\x{byte:02x}" for byte in char.encode())


TARGET = Target(
    about="HAProxy: a reverse proxy that takes the same decisions",
    template="haproxy.cfg.j2",
    quote=quote,
    prepare=prepare,
    variables={**LISTEN, **UPSTREAM},
    approximations=APPROXIMATIONS,
)
