"""The routes of a manifest as the paths of an OpenAPI document with API Gateway's extensions.

Source: "x-amazon-apigateway-integration" and "OpenAPI definitions for HTTP APIs" (AWS, http-api-open-api).
"""

import re
from dataclasses import dataclass

from routegen.errors import UnsupportedRouteError, shorten
from routegen.gateway import ANY
from routegen.render.render_target import RenderSettings
from routegen.render.template_data import TemplateApp, TemplateGateway

ONE_NAME = "one-name"
APPROXIMATIONS = {
    ONE_NAME: "a path variable with a different name for each method gets the name that comes first",
}


@dataclass(frozen=True)
class OpenApiOperation:
    """One operation of a path: its field in the path item, e.g. `get`, its app, and the description of the response."""

    field: str
    app: TemplateApp
    description: str


@dataclass(frozen=True)
class OpenApiPath:
    """One path item.

    Attributes:
        path: the path in API Gateway's notation. OpenAPI has the same notation, without the plus sign of a greedy
            variable.
        parameters: the names of the path's variables; a greedy one keeps its plus sign, as in API Gateway's exports.
        operations: the operations, sorted by field.
    """

    path: str
    parameters: tuple[str, ...]
    operations: tuple[OpenApiOperation, ...]


def build_openapi_paths(gateway: TemplateGateway, settings: RenderSettings) -> tuple[OpenApiPath, ...]:
    """Build the path items of an OpenAPI document, sorted by path.

    Raises:
        UnsupportedRouteError: the variables of a path have different names for two methods, and the user did not allow
            the approximation. OpenAPI 3.0, Paths Object, treats the two as the same path.
    """
    operations_by_shape: dict[tuple[str, ...], tuple[str, list[OpenApiOperation]]] = {}
    for route in gateway.routes_by_path:
        path, operations = operations_by_shape.setdefault(route.route_key.shape, (route.path, []))
        if path != route.path and ONE_NAME not in settings.allowed:
            raise UnsupportedRouteError(
                f"{shorten(route.key)}: OpenAPI treats {shorten(route.path)} and {shorten(path)} as the same path; "
                "give their variables the same "
                f"names, or use the names of the second path for both with --allow {ONE_NAME}"
            )
        field = "x-amazon-apigateway-any-method" if route.method == ANY else route.method.lower()
        description = route.reserved_comment or f"The response of {route.app.name}"
        operations.append(OpenApiOperation(field, route.app, description))
    return tuple(
        OpenApiPath(
            path,
            tuple(re.findall(r"\{([^{}]+)\}", path)),
            tuple(sorted(operations, key=lambda operation: operation.field)),
        )
        for path, operations in operations_by_shape.values()
    )
