"""The Lambda function of each app: the one that the user names, or the one that most of the app's routes lead to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from routegen.audit.api_deployment import ApiDeployment, DeployedIntegration, DeployedRoute
from routegen.audit.function_arns import names_function, parse_function_arn
from routegen.gateway import DEFAULT_ROUTE, RouteKey, RouteKeyError
from routegen.manifest import Manifest


@dataclass(frozen=True)
class ResolvedRoute:
    """A deployed route with the app that the manifest names for it, and with the function that it invokes."""

    route: DeployedRoute
    app: str | None
    integration: DeployedIntegration | None
    function_arn: str | None

    @property
    def key(self) -> str:
        """The route key: `ANY /mcp`, `$default`."""
        return self.route.route_key


def normalize_route_key(key: str) -> object:
    """Return a value that is equal for two route keys that match the same requests."""
    try:
        route_key = RouteKey.parse(key)
    except RouteKeyError:
        return key
    return route_key.method, route_key.shape


def resolve_routes(
    manifest: Manifest, deployment: ApiDeployment, stage_variables: Mapping[str, str]
) -> list[ResolvedRoute]:
    """Find the app and the function of every deployed route, sorted by route key."""
    apps = {normalize_route_key(key): app for key, app in manifest.apps_by_route_key.items()}
    resolved = []
    for route in sorted(deployment.routes or (), key=lambda route: route.route_key):
        integration = (deployment.integrations or {}).get(route.integration_id or "")
        uri = integration.integration_uri if integration and not integration.integration_subtype else ""
        app = apps.get(normalize_route_key(route.route_key))
        resolved.append(ResolvedRoute(route, app, integration, parse_function_arn(uri, stage_variables)))
    return resolved


def assign_functions(
    routes: list[ResolvedRoute], default_app: str | None, named_functions: Mapping[str, str]
) -> dict[str, str]:
    """Find the function of each app.

    Args:
        routes: the deployed routes.
        default_app: the app behind `$default`; None if there is none.
        named_functions: the functions that the user names, by app: a name, `name:qualifier` or ARN.

    Returns:
        The ARNs by app. An app whose routes lead only to functions of other apps has the function that the user names,
        or is missing.
    """
    functions = dict(named_functions)
    for route in routes:
        for app, name in named_functions.items():
            if route.function_arn and names_function(name, route.function_arn):
                functions[app] = route.function_arn
    for route in routes:
        if default_app and route.key == DEFAULT_ROUTE and route.function_arn:
            functions.setdefault(default_app, route.function_arn)
    for app in sorted({route.app for route in routes if route.app} - functions.keys()):
        arns = (route.function_arn for route in routes if route.app == app)
        votes = Counter(arn for arn in arns if arn and arn not in functions.values())
        if votes:
            # The alphabet decides between functions with the same number of routes, so that each run has one result.
            functions[app] = min(votes, key=lambda arn: (-votes[arn], arn))
    return functions
