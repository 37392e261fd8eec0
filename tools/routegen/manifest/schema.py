"""The manifest's shape, version 1: data without behaviour."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

VERSION = 1

Role = Literal[
    "mcp-endpoint",
    "protected-resource-metadata",
    "authorization-server-metadata",
    "openid-configuration",
    "authorization-endpoint",
    "token-endpoint",
    "registration-endpoint",
    "revocation-endpoint",
    "redirect-callback",
    "consent",
    "owned",
    "other",
]
"""What a path is, in OAuth and MCP terms."""

AppName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Method = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z-]*$")]
# One printable line: the text reaches terminals and other tools' files.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]

_STRICT = ConfigDict(frozen=True, strict=True, extra="forbid")


class Route(BaseModel):
    """One path of one app."""

    model_config = _STRICT

    path: Annotated[Text, Field(description="The path in API Gateway's notation: {name}, {name+}")]
    methods: Annotated[
        tuple[Method, ...],
        Field(min_length=1, description='The methods that the app serves, sorted; ["ANY"] for all'),
    ]
    app: Annotated[AppName, Field(description="The app that serves it")]
    role: Annotated[Role, Field(description="What the path is, in OAuth and MCP terms")]
    spec: Annotated[Text | None, Field(description="The standard that defines it, where one does")] = None
    route_keys: Annotated[
        tuple[Text, ...],
        Field(min_length=1, description="What a gateway creates: one route for each of these keys"),
    ]
    widened: Annotated[
        Text | None,
        Field(description="Why the gateway sends more than the app serves, where it does"),
    ] = None


class Manifest(BaseModel):
    """Which paths belong to which app behind one gateway."""

    model_config = _STRICT

    version: Annotated[Literal[1], Field(description="The version of this format")]
    default: Annotated[AppName, Field(description="The app behind $default")]
    routes: Annotated[tuple[Route, ...], Field(description="Sorted by path")]


def json_schema() -> dict[str, Any]:
    """The manifest's JSON Schema, draft 2020-12.

    It states the shape; the rules across entries (doubled keys, two owners of a path, the quota) are the
    reader's, because JSON Schema can't say them.
    """
    schema = Manifest.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "routegen manifest"}
