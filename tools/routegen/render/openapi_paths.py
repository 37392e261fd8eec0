"""A manifest's routes as OpenAPI says them to API Gateway, for the targets that carry such a document.

Source: "x-amazon-apigateway-integration" and "OpenAPI definitions for HTTP APIs" (AWS, http-api-open-api).
"""

import re
from dataclasses import dataclass

from routegen.errors import UnsupportedRouteError
from routegen.gateway import ANY
from routegen.render.data import App, Gateway
from routegen.render.target import Asked

ONE_NAME = "one-name"
APPROXIMATIONS = {
    ONE_NAME: "a variable that has another name for each method gets the first one's",
}


@dataclass(frozen=True)
class Operation:
    """What a path has for one method, or for any.

    Attributes:
        field: of the path item.
        app: gets the request.
    """

    field: str
    app: App


@dataclass(frozen=True)
class PathItem:
    """One path.

    Attributes:
        path: in API Gateway's notation, which is OpenAPI's but for the plus sign of a greedy variable.
        parameters: the names of its variables, the greedy one's with its plus sign, as API Gateway exports it.
        operations: sorted by field.
    """

    path: str
    parameters: tuple[str, ...]
    operations: tuple[Operation, ...]


def path_items(gateway: Gateway, asked: Asked) -> tuple[PathItem, ...]:
    """Every path, sorted.

    Raises:
        UnsupportedRouteError: a path's variables have other names for another method, which OpenAPI takes for the same
            path twice (OpenAPI 3.0, Paths Object), and that isn't allowed.
    """
    found: dict[tuple[str, ...], tuple[str, list[Operation]]] = {}
    for rule in sorted(gateway.rules, key=lambda rule: (rule.path, rule.method)):
        path, operations = found.setdefault(rule.parsed.shape, (rule.path, []))
        if path != rule.path and ONE_NAME not in asked.allowed:
            raise UnsupportedRouteError(
                f"{rule.key}: OpenAPI takes {rule.path} and {path} for one path; give their variables the same names, "
                f"or accept the first one's with --allow {ONE_NAME}"
            )
        field = "x-amazon-apigateway-any-method" if rule.method == ANY else rule.method.lower()
        operations.append(Operation(field, rule.app))
    return tuple(
        PathItem(path, tuple(re.findall(r"\{([^{}]+)\}", path)), tuple(sorted(operations, key=lambda one: one.field)))
        for path, operations in found.values()
    )
