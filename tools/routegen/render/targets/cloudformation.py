"""Routes, integrations and permissions as a CloudFormation template, in YAML."""

from collections.abc import Mapping
from typing import Any

from routegen.render.data import Gateway
from routegen.render.quote import as_json
from routegen.render.target import Asked, Target


def prepare(_gateway: Gateway, _asked: Asked) -> Mapping[str, Any]:
    """Nothing beyond what every template sees."""
    return {}


TARGET = Target(
    about="CloudFormation template: routes, integrations, permissions of an HTTP API",
    template="template.yaml.j2",
    quote=as_json,
    prepare=prepare,
)
