"""Which function is which app's: as the user says, else as most of the routes say."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from routegen.audit.arns import function_arn, is_meant
from routegen.audit.deployed import DEFAULT_ROUTE, Deployed, DeployedRoute, Integration
from routegen.gateway import RouteKey
from routegen.gateway.route_key import RouteKeyError
from routegen.manifest import Manifest


@dataclass(frozen=True)
class Placed:
    """A deployed route with what it leads to.

    Attributes:
        app: the manifest's for it; None where the manifest has no such route.
        integration: None where there is none.
        function: the ARN that it invokes; None where it invokes none.
    """

    route: DeployedRoute
    app: str | None
    integration: Integration | None
    function: str | None


def same_requests(key: str) -> object:
    """What two route keys have in common that take the same requests: method and shape; for `$default`, itself."""
    try:
        parsed = RouteKey.parse(key)
    except RouteKeyError:
        return key
    return parsed.method, parsed.shape


def placed(manifest: Manifest, deployed: Deployed, variables: Mapping[str, str]) -> list[Placed]:
    """Every deployed route, in the order of their keys."""
    apps: dict[object, str] = {same_requests(key): route.app for route in manifest.routes for key in route.route_keys}
    apps[DEFAULT_ROUTE] = manifest.default
    found = []
    for route in sorted(deployed.routes or (), key=lambda one: one.key):
        integration = (deployed.integrations or {}).get(route.integration or "")
        arn = function_arn(integration.uri, variables) if integration and not integration.subtype else None
        found.append(Placed(route, apps.get(same_requests(route.key)), integration, arn))
    return found


def owners(routes: list[Placed], default: str, said: Mapping[str, str]) -> dict[str, str]:
    """The function of each app.

    Args:
        routes: what is deployed.
        default: the app behind `$default`.
        said: what the user says: a name, `name:qualifier` or ARN, by app.

    Returns:
        ARNs by app. An app that only leads to functions of others has what its user said, or is missing.
    """
    known = dict(said)
    for one in routes:
        for app, wanted in said.items():
            if one.function and is_meant(wanted, one.function):
                known[app] = one.function
    ends = [one for one in routes if one.route.key == DEFAULT_ROUTE and one.function]
    if ends and ends[0].function and default not in known:
        known[default] = ends[0].function
    for app in sorted({one.app for one in routes if one.app} - known.keys()):
        taken = {*known.values()}
        votes = Counter(one.function for one in routes if one.app == app and one.function not in {None, *taken})
        if votes:
            # The most; of equals the first in the alphabet, so that each run says the same.
            known[app] = min(votes.items(), key=lambda vote: (-vote[1], f"{vote[0]}"))[0] or ""
    return known
