"""A configuration for nginx: a reverse proxy."""

import re
from collections.abc import Mapping
from typing import Any

from routegen.errors import ConfigError, UnsupportedRouteError, shorten
from routegen.gateway import ANY, encoded_path_regex
from routegen.render.render_target import RenderSettings, RenderTarget, TargetLimits, TargetVariable
from routegen.render.reverse_proxy import APPROXIMATIONS, FORM_VARIABLE, PROXY_VARIABLES, proxy_data
from routegen.render.template_data import TemplateGateway, TemplateRoute

LONGEST_PARAMETER = 4000
"""Bytes; nginx reads its configuration in blocks of 4,096, and no parameter can be longer (ngx_conf_read_token)."""


def quote(value: Any) -> str:
    r"""Write a parameter in quotes. A backslash is doubled only where nginx would read an escape, so not in `\S`.

    Raises:
        ConfigError: the text has a dollar sign, which starts a variable and for which nginx has no escape.
    """
    text = str(value)
    if "$" in text:
        raise ConfigError(f"nginx: a parameter cannot have a dollar sign: {shorten(text)!r}")
    escaped = re.sub(r"""\\(?=[\\"'trn]|\Z)""", r"\\\\", text)
    return '"' + escaped.replace('"', '\\"') + '"'


def prepare(gateway: TemplateGateway, settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the expressions for the request line, in order.

    Raises:
        UnsupportedRouteError: a path is too long for nginx, or not UTF-8.
    """
    data = proxy_data(gateway, settings, "{address}", regex=_request_regex)
    return data | {"listen": data["listen"].removeprefix(":")}


def _request_regex(route: TemplateRoute) -> str:
    method = r"\S+" if route.method == ANY else route.method
    regex = rf"~^{method} {encoded_path_regex(route.path)}(?:\?|\z)"
    if len(regex) > LONGEST_PARAMETER:
        raise UnsupportedRouteError(
            f"{shorten(route.key)}: the regular expression for the path has {len(regex)} characters, more than nginx "
            "can read; shorten the path"
        )
    return regex


def _check_directory(text: str) -> None:
    if not re.fullmatch(r"/[A-Za-z0-9._/-]*", text):
        raise ValueError("must be an absolute path of letters, digits, '.', '_', '-' and '/'")


TARGET = RenderTarget(
    summary="nginx: a reverse proxy with the same routing",
    template="nginx.conf.j2",
    quote=quote,
    prepare=prepare,
    variables={
        **PROXY_VARIABLES,
        **FORM_VARIABLE,
        "run": TargetVariable(
            "/tmp",  # noqa: S108 - every user can write to it; nginx's own unprivileged image has the same default
            "the directory for the pid and temporary files of a standalone nginx",
            _check_directory,
        ),
    },
    approximations=APPROXIMATIONS,
    limits=TargetLimits(name=LONGEST_PARAMETER, source="a parameter ends with its block of 4,096 bytes"),
)
