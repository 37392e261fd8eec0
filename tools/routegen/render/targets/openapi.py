"""The HTTP API as an OpenAPI document, for `aws apigatewayv2 import-api`, in YAML."""

import re
from collections.abc import Mapping
from typing import Any

from routegen.render.data import Gateway
from routegen.render.openapi import APPROXIMATIONS, path_items
from routegen.render.quote import as_json
from routegen.render.target import Asked, Target, Variable


def _function(value: str) -> None:
    if not re.fullmatch(r"arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?", value):
        raise ValueError("must be a Lambda function's ARN")


def prepare(gateway: Gateway, asked: Asked) -> Mapping[str, Any]:
    """The paths, and the URI that invokes each app's function."""
    functions = {app.name: asked.variables[f"function.{app.name}"] for app in gateway.apps}
    return {"paths": path_items(gateway, asked), "uris": {name: _uri(arn) for name, arn in functions.items()}}


def _uri(function: str) -> str:
    _, partition, _, region, *_ = function.split(":")
    return f"arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations"


TARGET = Target(
    about="OpenAPI document with API Gateway's extensions, to import as an HTTP API",
    template="openapi.yaml.j2",
    quote=as_json,
    prepare=prepare,
    variables={
        "function.{app}": Variable(
            "arn:aws:lambda:us-east-1:123456789012:function:name", "the ARN of the app's Lambda function", _function
        ),
        "title": Variable("routegen", "the API's name"),
    },
    approximations=APPROXIMATIONS,
)
