"""Routes, integrations and permissions as a construct for the AWS CDK, in TypeScript."""

from collections.abc import Mapping
from typing import Any

from routegen.render.data import Gateway
from routegen.render.quote import as_json
from routegen.render.target import Asked, Target


def prepare(_gateway: Gateway, _asked: Asked) -> Mapping[str, Any]:
    """Nothing beyond what every template sees."""
    return {}


TARGET = Target(
    about="AWS CDK construct in TypeScript: routes, integrations, permissions of an HTTP API",
    template="routes.ts.j2",
    quote=as_json,
    prepare=prepare,
)
