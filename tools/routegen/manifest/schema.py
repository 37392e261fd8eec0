"""The format of the manifest, version 1, as pydantic models and as JSON Schema."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from routegen.gateway import DEFAULT_ROUTE

VERSION = 1

Role = Literal[
    "mcp-endpoint",
    "protected-resource-metadata",
    "authorization-server-metadata",
    "openid-configuration",
    "misplaced-metadata",
    "authorization-endpoint",
    "token-endpoint",
    "registration-endpoint",
    "revocation-endpoint",
    "redirect-callback",
    "consent",
    "owned",
    "other",
]
"""The role of a path in OAuth and MCP terms."""

DOCUMENT_ROLES: frozenset[Role] = frozenset(
    {"protected-resource-metadata", "authorization-server-metadata", "openid-configuration"}
)
"""The roles of documents that clients read as JSON (RFC 9728, RFC 8414, OpenID Connect Discovery 1.0)."""

AppName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Method = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z-]*$")]
# One printable line: the text is written to terminals and to files of other tools.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]

_STRICT = ConfigDict(frozen=True, strict=True, extra="forbid")


class Route(BaseModel):
    """One path of one app."""

    model_config = _STRICT

    path: Annotated[Text, Field(description="The path in API Gateway's notation: {name}, {name+}")]
    methods: Annotated[
        tuple[Method, ...],
        Field(description='The methods that the app serves, sorted; ["ANY"] for all; empty for a reserved path'),
    ]
    app: Annotated[AppName, Field(description="The app that serves the path")]
    role: Annotated[Role, Field(description="The role of the path in OAuth and MCP terms")]
    spec: Annotated[Text | None, Field(description="The standard that defines the path, if there is one")] = None
    route_keys: Annotated[
        tuple[Text, ...],
        Field(min_length=1, description="The routes that a gateway creates: one for each of these keys"),
    ]
    widened: Annotated[
        Text | None,
        Field(description="Why the gateway sends more than the app serves; absent where it does not"),
    ] = None
    reserved: Annotated[
        Text | None,
        Field(description="Why the app gets a path that it does not serve: its own 404 is the right answer there"),
    ] = None


class Manifest(BaseModel):
    """The paths and the app of each path behind one gateway."""

    model_config = _STRICT

    version: Annotated[Literal[1], Field(description="The version of this format")]
    default: Annotated[
        AppName | None,
        Field(description="The app behind $default; absent where the gateway answers 404 if no route matches"),
    ] = None
    routes: Annotated[tuple[Route, ...], Field(description="Sorted by path")]

    @property
    def app_names(self) -> tuple[str, ...]:
        """The name of each app, sorted, with the default app."""
        default = set() if self.default is None else {self.default}
        return tuple(sorted(default | {route.app for route in self.routes}))

    @property
    def routes_by_key(self) -> dict[str, Route]:
        """The entry of each route key."""
        return {key: route for route in self.routes for key in route.route_keys}

    @property
    def apps_by_route_key(self) -> dict[str, str]:
        """The app of each route key, with `$default` at the end if there is a default app."""
        default = {} if self.default is None else {DEFAULT_ROUTE: self.default}
        return {key: route.app for key, route in self.routes_by_key.items()} | default


def json_schema() -> dict[str, Any]:
    """Return the manifest's JSON Schema, draft 2020-12.

    JSON Schema cannot express the rules that concern several entries (repeated keys, two owners of a path, the quota);
    `read_manifest` checks them.
    """
    schema = Manifest.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "routegen manifest"}
