"""Checks of the deployed routes against the routes of the manifest."""

from collections.abc import Iterator, Mapping

from routegen.audit.app_functions import ResolvedRoute, normalize_route_key
from routegen.audit.function_arns import short_function_name
from routegen.gateway import DEFAULT_ROUTE, ROUTE_QUOTA
from routegen.manifest import Manifest, Route
from routegen.report import Finding, rules

_NEAR_QUOTA = 0.9
_DEPLOY = "Deploy the manifest"


def check_route_keys(manifest: Manifest, routes: list[ResolvedRoute]) -> Iterator[Finding]:
    """Check that every route of the manifest is deployed, and no other route."""
    deployed_keys = {normalize_route_key(resolved.key) for resolved in routes}
    for route in manifest.routes:
        for key in route.route_keys:
            if normalize_route_key(key) not in deployed_keys:
                message = f"{key} is not deployed: {_consequence(route, manifest.default)}."
                yield Finding(rules.ROUTE_NOT_DEPLOYED, key, message, f"{_DEPLOY}.")
    for resolved in routes:
        if resolved.app is None:
            key = resolved.key
            message = f"{key} is deployed and leads to {_destination(resolved)}, but the manifest does not have it."
            fix = f"{_DEPLOY}, and delete the route if it still exists; if an app serves it, run `routegen extract`."
            yield Finding(rules.ROUTE_EXTRA, key, message, fix)
    if manifest.default is not None and DEFAULT_ROUTE not in deployed_keys:
        message = f"$default is not deployed, so {manifest.default} gets no requests, and API Gateway answers 404."
        yield Finding(rules.DEFAULT_NOT_DEPLOYED, DEFAULT_ROUTE, message, f"{_DEPLOY}.")
    if len(routes) >= ROUTE_QUOTA * _NEAR_QUOTA:
        message = f"The API has {len(routes)} routes; the quota is {ROUTE_QUOTA}."
        fix = "Let an app own a path and all paths below it (`own`), or ask AWS for a higher quota."
        yield Finding(rules.NEAR_QUOTA, f"{len(routes)} routes", message, fix)


def _consequence(route: Route, default: str | None) -> str:
    """What happens to the requests of a route that is not deployed."""
    if route.reserved and default is not None:
        return (
            f"the path is reserved for the 404 of {route.app} ({route.reserved}), and {default} gets its requests; "
            f"clients read a page of {default} as the document ({route.role})"
        )
    requests = f"the requests of {route.app} ({'reserved, ' if route.reserved else ''}{route.role})"
    return f"API Gateway answers {requests} with 404" if default is None else f"{default} gets {requests}"


def check_route_targets(
    routes: list[ResolvedRoute], functions: Mapping[str, str], integrations_were_read: bool
) -> Iterator[Finding]:
    """Check that every route leads to the function of its app, and that API Gateway does not authorize it.

    Args:
        routes: the deployed routes.
        functions: the ARN of each app's function.
        integrations_were_read: whether a missing integration does not exist, and is not only unread.
    """
    for resolved in routes:
        key, integration_id = resolved.key, resolved.route.integration_id
        if (authorization := resolved.route.authorization_type) != "NONE":
            message = f"{key} has {authorization} authorization: API Gateway refuses requests before the app gets them."
            fix = "Remove the authorizer from the route, because the app itself tells clients how to sign in."
            yield Finding(rules.AUTHORIZER, key, message, fix)
        if integration_id is None or (resolved.integration is None and integrations_were_read):
            reason = f"the integration {integration_id} does not exist" if integration_id else "it has no target"
            yield Finding(rules.ROUTE_NOWHERE, key, f"{key} leads nowhere: {reason}.", f"{_DEPLOY}.")
        else:
            yield from _check_function(resolved, functions)


def _check_function(resolved: ResolvedRoute, functions: Mapping[str, str]) -> Iterator[Finding]:
    key, app, arn = resolved.key, resolved.app, resolved.function_arn
    if not app or not arn or functions.get(app) == arn:
        return
    apps = {function: name for name, function in functions.items()}
    actual = f"{short_function_name(arn)} ({apps[arn]})" if arn in apps else short_function_name(arn)
    expected = (
        f"the function of {app} is {short_function_name(functions[app])}"
        if app in functions
        else f"no route leads to a function of {app}"
    )
    fix = f"{_DEPLOY}. If the function of {app} was found wrongly, name the right one: --function {app}=NAME."
    yield Finding(rules.ROUTE_ELSEWHERE, key, f"{key} leads to {actual}, but {expected}.", fix)


def _destination(resolved: ResolvedRoute) -> str:
    if resolved.function_arn:
        return short_function_name(resolved.function_arn)
    uri = resolved.integration and (resolved.integration.integration_uri or "an integration without a URI")
    return uri or "no integration"
