"""Checks of the integrations, and of the functions that they invoke."""

from collections.abc import Iterator

from routegen.audit.api_deployment import ApiDeployment, DeployedFunction, DeployedIntegration
from routegen.audit.app_functions import ResolvedRoute
from routegen.audit.function_arns import short_function_name, split_function_arn
from routegen.audit.function_policy import POLICY_LIMIT, allows_every_account, allows_source, source_arns
from routegen.report import Finding, rules

_NEAR_LIMIT = 0.8
_MAX_KEYS = 3


def check_integrations(routes: list[ResolvedRoute]) -> Iterator[Finding]:
    """Check that each integration in use passes requests to a function without changing them."""
    integrations = {
        route.integration.integration_id: (route.integration, route.function_arn)
        for route in routes
        if route.integration
    }
    for integration_id, (integration, arn) in sorted(integrations.items()):
        keys = _join_keys([route.key for route in routes if route.integration is integration])
        subject = short_function_name(arn) if arn else integration_id
        if arn is None or integration.integration_type != "AWS_PROXY":
            message = f"{keys}: {_describe_backend(integration)}."
            yield Finding(rules.NOT_PROXY, subject, message, "Deploy the manifest.")
            continue
        if integration.payload_format_version != "2.0":
            message = f"{keys}: the function gets events in payload format {integration.payload_format_version}."
            fix = 'Set payload_format_version to "2.0" on the integration.'
            yield Finding(rules.PAYLOAD, subject, message, fix)
        if mappings := [name for name in integration.parameter_mappings if not _restores_challenge(name)]:
            message = f"{keys}: a parameter mapping changes {', '.join(mappings)}."
            fix = "Remove the mapping, or check that it changes no path, Host, Authorization or WWW-Authenticate."
            yield Finding(rules.PARAMETER_MAPPING, subject, message, fix)


def _restores_challenge(mapping: str) -> bool:
    """Whether a mapping of a response writes `WWW-Authenticate`, which RG031 advises where AWS renames it."""
    return mapping.lower().endswith(": overwrite:header.www-authenticate")


def check_functions(routes: list[ResolvedRoute], deployment: ApiDeployment, stage: str) -> Iterator[Finding]:
    """Check that each function can be invoked, and that API Gateway has permission to do so for all of its routes."""
    for arn, function in sorted(deployment.functions.items()):
        function_routes = [route for route in routes if route.function_arn == arn]
        if function_routes:
            yield from _check_state(function_routes, function)
            yield from _check_concurrency(function_routes, function)
            yield from _check_policy_size(function, deployment.arn)
            yield from _check_permissions(function_routes, function, deployment.arn, stage)


def _check_state(routes: list[ResolvedRoute], function: DeployedFunction) -> Iterator[Finding]:
    if function.problem:
        message = f"{_join_keys([route.key for route in routes])}: {function.problem}."
        fix = "Deploy the function, or correct the cause that its state names."
        yield Finding(rules.FUNCTION, short_function_name(function.arn), message, fix)


def _check_concurrency(routes: list[ResolvedRoute], function: DeployedFunction) -> Iterator[Finding]:
    keys = _join_keys([route.key for route in routes])
    name = short_function_name(function.arn)
    if function.reserved_concurrency == 0:
        message = f"{keys}: the reserved concurrency of the function is 0, so Lambda refuses every request."
        fix = (
            f"Remove it: aws lambda delete-function-concurrency --function-name {split_function_arn(function.arn)[0]}."
        )
        yield Finding(rules.NO_CONCURRENCY, name, message, fix)
    if function.is_inactive:
        message = f"{keys}: the function is inactive, so its next invocation fails while Lambda prepares it again."
        yield Finding(rules.INACTIVE, name, message, "Invoke the function once, and wait until its state is Active.")


def _check_policy_size(function: DeployedFunction, api_arn: str) -> Iterator[Finding]:
    if function.policy_size >= POLICY_LIMIT * _NEAR_LIMIT:
        message = f"The resource policy has {function.policy_size} of at most {POLICY_LIMIT} bytes."
        fix = f"Add one permission for the whole API, {api_arn}/*/*, instead of one for each route."
        yield Finding(rules.POLICY_SIZE, short_function_name(function.arn), message, fix)


def _check_permissions(
    routes: list[ResolvedRoute], function: DeployedFunction, api_arn: str, stage: str
) -> Iterator[Finding]:
    subject = short_function_name(function.arn)
    roles = {route.key: route.integration.credentials_arn for route in routes if route.integration}
    if role := next(filter(None, roles.values()), None):
        message = f"API Gateway invokes the function with the role {role}, and routegen does not read roles."
        fix = "Check that the role allows lambda:InvokeFunction for the function."
        yield Finding(rules.ROLE, subject, message, fix)
    if function.statements is None:
        return
    keys = [route.key for route in routes if not roles.get(route.key)]
    refused_keys = [
        key
        for key in keys
        if not all(allows_source(function.statements, source) for source in source_arns(api_arn, stage, key))
    ]
    if refused_keys:
        rule = rules.NO_PERMISSION if refused_keys == keys else rules.NARROW_PERMISSION
        message = (
            f"The function's policy does not let API Gateway invoke it: {_join_keys(refused_keys)} would answer 500."
        )
        fix = f"Add a permission: apigateway.amazonaws.com, lambda:InvokeFunction, source {api_arn}/*/*."
        qualifier = split_function_arn(function.arn)[1]
        if all(
            allows_source(function.unqualified_statements, source)
            for key in refused_keys
            for source in source_arns(api_arn, stage, key)
        ):
            fix = f"The function has the permission without the alias; add it with --qualifier {qualifier}."
        yield Finding(rule, subject, message, fix)
    if allows_every_account(function.statements):
        message = "The function's policy lets API Gateway invoke it for every API of every account."
        yield Finding(rules.WIDE_PERMISSION, subject, message, f"Limit the permission to the source {api_arn}/*/*.")


def _describe_backend(integration: DeployedIntegration) -> str:
    kind, subtype = integration.integration_type, integration.integration_subtype
    if kind != "AWS_PROXY" or subtype:
        return f"the integration is {' '.join(filter(None, (kind, subtype)))}"
    uri = integration.integration_uri
    return f"the integration's URI {uri} is not a function" if uri else "the integration has no URI"


def _join_keys(keys: list[str]) -> str:
    remaining = len(keys) - _MAX_KEYS
    return ", ".join(keys[:_MAX_KEYS]) + (f" and {remaining} more" if remaining > 0 else "")
