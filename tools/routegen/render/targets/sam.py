"""The HTTP API and its permissions as a SAM template, in YAML."""

from collections.abc import Mapping
from typing import Any

from routegen.render.data import Gateway
from routegen.render.openapi import APPROXIMATIONS, path_items
from routegen.render.quote import as_json
from routegen.render.target import Asked, Target


def prepare(gateway: Gateway, asked: Asked) -> Mapping[str, Any]:
    """The paths of the API's definition."""
    return {"paths": path_items(gateway, asked)}


TARGET = Target(
    about="SAM template: the HTTP API with its routes, and permissions",
    template="template.yaml.j2",
    quote=as_json,
    prepare=prepare,
    approximations=APPROXIMATIONS,
)
