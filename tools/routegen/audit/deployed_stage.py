"""Checks of the routes that a stage serves, if they can differ from the routes that the API has.

A stage serves its deployment ("Deploying HTTP APIs", AWS). `ExportApi` with the name of the stage returns it as an
OpenAPI document, in which the method `ANY` and the integration are extensions.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from routegen.audit.app_functions import ResolvedRoute, normalize_route_key
from routegen.gateway import DEFAULT_ROUTE
from routegen.report import Finding, rules

_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_FIX = "Deploy the API to the stage, or turn auto-deploy on."


def check_export(routes: list[ResolvedRoute], exported: Mapping[str, Any]) -> Iterator[Finding]:
    """Check that a stage serves the routes that the API has.

    Args:
        routes: the routes of the API.
        exported: the OpenAPI document of the stage's deployment.
    """
    served = {normalize_route_key(key): (key, uri) for key, uri in _exported_routes(exported)}
    # A path without operations is served with unknown methods.
    paths = {_path_shape(f"ANY {path}"): path for path, methods in exported.get("paths", {}).items() if not methods}
    for resolved in routes:
        key = resolved.key
        shape = normalize_route_key(key)
        if shape not in served:
            if _path_shape(key) not in paths:
                message = f"The API has {key}, and the deployment that the stage serves does not."
                yield Finding(rules.STALE_DEPLOYMENT, key, message, _FIX)
            continue
        _, uri = served.pop(shape)
        expected = resolved.integration.integration_uri if resolved.integration else ""
        if uri and expected and uri != expected:
            message = f"{key} leads to {uri} in the deployment that the stage serves, and to {expected} in the API."
            yield Finding(rules.STALE_DEPLOYMENT, key, message, _FIX)
    for shape in {_path_shape(resolved.key) for resolved in routes}:
        paths.pop(shape, None)
    for key in [*(key for key, _ in served.values()), *paths.values()]:
        message = f"The stage still serves {key}, which the API does not have any more."
        yield Finding(rules.STALE_DEPLOYMENT, key, message, _FIX)


def _exported_routes(exported: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each route key with the URI of its integration, which is empty if the document does not have it."""
    for path, methods in exported.get("paths", {}).items():
        for name, operation in (methods or {}).items():
            if path == f"/{DEFAULT_ROUTE}":
                yield DEFAULT_ROUTE, _uri(exported, operation)
            else:
                yield f"{'ANY' if name == _ANY else name.upper()} {path}", _uri(exported, operation)


def _uri(exported: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    integration = operation.get(_INTEGRATION) or {}
    if reference := integration.get("$ref"):
        integrations = exported.get("components", {}).get("x-amazon-apigateway-integrations", {})
        integration = integrations.get(reference.rpartition("/")[2], {})
    return str(integration.get("uri", ""))


def _path_shape(key: str) -> object:
    return normalize_route_key(f"ANY {key.partition(' ')[2] or '/$default'}")
