"""A reverse proxy for nginx."""

import re
from collections.abc import Mapping
from typing import Any

from routegen.errors import ConfigError, UnsupportedRouteError
from routegen.gateway import ANY, encoded_path_regex
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
from routegen.render.target import Asked, Target, Variable

LONGEST_PARAMETER = 4000
"""Bytes; nginx reads its configuration in pieces of 4,096 and no parameter may be longer (ngx_conf_read_token)."""


def quote(value: Any) -> str:
    r"""A parameter in quotes; a backslash is doubled where nginx would read it, and stays one in `\S`.

    Raises:
        ConfigError: a dollar sign, which would be a variable where nginx knows any, and can't be escaped.
    """
    text = str(value)
    if "$" in text:
        raise ConfigError(f"nginx can't have a dollar sign in a parameter: {text!r}")
    doubled = re.sub(r"""\\(?=[\\"'trn]|\Z)""", r"\\\\", text)
    return '"' + doubled.replace('"', '\\"') + '"'


def prepare(gateway: Gateway, asked: Asked) -> Mapping[str, Any]:
    """The expressions for the request line, in order.

    Raises:
        UnsupportedRouteError: a path is too long for nginx, or not UTF-8.
    """
    check_literals(gateway, asked)
    listen = read_listen(asked.variables["listen"])
    return {
        "routes": [{"key": rule.key, "regex": _regex(rule), "app": rule.app} for rule in gateway.rules],
        "upstreams": upstreams(gateway, asked),
        "listen": listen if listen.host else listen.port,
        "standalone": asked.variables["form"] == "standalone",
        "largest_body": LARGEST_BODY,
    }


def _regex(rule: Rule) -> str:
    method = r"\S+" if rule.method == ANY else rule.method
    regex = rf"~^{method} {encoded_path_regex(rule.path)}(?:\?|\z)"
    if len(regex) > LONGEST_PARAMETER:
        raise UnsupportedRouteError(
            f"{rule.key}: as an expression the path has {len(regex)} characters, more than nginx reads; shorten it"
        )
    return regex


def _directory(text: str) -> None:
    if not re.fullmatch(r"/[A-Za-z0-9._/-]*", text):
        raise ValueError("must be an absolute path of letters, digits, '.', '_', '-' and '/'")


TARGET = Target(
    about="nginx: a reverse proxy that takes the same decisions",
    template="nginx.conf.j2",
    quote=quote,
    prepare=prepare,
    variables={
        **LISTEN,
        **UPSTREAM,
        **FORM,
        "run": Variable("/tmp", "directory for the pid and temporary files of a standalone nginx", _directory),  # noqa: S108 - a default that anyone can write to, as in nginx's own unprivileged image
    },
    approximations=APPROXIMATIONS,
)
