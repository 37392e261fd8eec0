"""The deployed routes against the manifest's."""

from collections.abc import Iterator, Mapping

from routegen.audit.arns import short_name
from routegen.audit.deployed import DEFAULT_ROUTE
from routegen.audit.owners import Placed, same_requests
from routegen.gateway import ROUTE_QUOTA
from routegen.manifest import Manifest
from routegen.report import Finding, rules

_NEAR = 0.9
_DEPLOY = "Deploy the manifest"


def there(manifest: Manifest, routes: list[Placed]) -> Iterator[Finding]:
    """Which are missing, and which are too many."""
    deployed = {same_requests(one.route.key) for one in routes}
    for route in manifest.routes:
        for key in route.route_keys:
            if same_requests(key) not in deployed:
                said = f"{key} isn't deployed: {manifest.default} gets what {route.app} serves ({route.role})."
                yield Finding(rules.ROUTE_NOT_DEPLOYED, key, said, f"{_DEPLOY}.")
    for one in routes:
        if one.app is None:
            said = f"{one.route.key} is deployed and not in the manifest; it leads to {_where(one)}."
            todo = f"{_DEPLOY}, and remove the route if that leaves it; if an app serves it, run `routegen extract`."
            yield Finding(rules.ROUTE_EXTRA, one.route.key, said, todo)
    if DEFAULT_ROUTE not in deployed:
        said = f"There is no $default: {manifest.default} gets nothing, and API Gateway answers 404."
        yield Finding(rules.DEFAULT_NOT_DEPLOYED, DEFAULT_ROUTE, said, f"{_DEPLOY}.")
    if len(routes) >= ROUTE_QUOTA * _NEAR:
        said = f"The API has {len(routes)} routes; the quota is {ROUTE_QUOTA}."
        todo = "Have an app own a path with all below it (`own`), or ask AWS for more."
        yield Finding(rules.NEAR_QUOTA, f"{len(routes)} routes", said, todo)


def lead(routes: list[Placed], owners: Mapping[str, str], integrations_known: bool) -> Iterator[Finding]:
    """Whether each leads to its app, with nothing in between."""
    apps = {arn: app for app, arn in owners.items()}
    for one in routes:
        key = one.route.key
        if one.route.authorization != "NONE":
            said = f"{key} asks for {one.route.authorization} authorization: API Gateway answers before the app does."
            todo = "Take the authorizer off the route: the app says itself how to sign in."
            yield Finding(rules.AUTHORIZER, key, said, todo)
        if one.route.integration is None or (one.integration is None and integrations_known):
            lacks = f"the integration {one.route.integration} doesn't exist" if one.route.integration else "no target"
            yield Finding(rules.ROUTE_NOWHERE, key, f"{key} leads nowhere: {lacks}.", f"{_DEPLOY}.")
        elif one.app and one.function and owners.get(one.app) != one.function:
            wanted = owners.get(one.app)
            expected = f"{one.app} is {short_name(wanted)}" if wanted else f"no route leads to a function of {one.app}"
            said = f"{key} leads to {_named(one.function, apps)}; {expected}."
            todo = f"{_DEPLOY}; if the function is right, say so: --function {one.app}={short_name(one.function)}."
            yield Finding(rules.ROUTE_ELSEWHERE, key, said, todo)


def _named(arn: str, apps: Mapping[str, str]) -> str:
    return f"{short_name(arn)} ({apps[arn]})" if arn in apps else short_name(arn)


def _where(one: Placed) -> str:
    if one.function:
        return short_name(one.function)
    return one.integration.uri or "an integration without a URI" if one.integration else "nothing"
