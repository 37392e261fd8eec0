"""Checks of the parts in front of the routes: the API, its stage and its domains."""

from collections.abc import Iterator, Mapping
from itertools import chain

from routegen.audit.api_deployment import DEFAULT_STAGE, ApiDeployment, CustomDomain, DeployedApi, DeployedStage
from routegen.report import Finding, rules


def check_protocol(api: DeployedApi) -> Iterator[Finding]:
    """Check that the API is an HTTP API; nothing else can be compared in an API of another kind."""
    if api.protocol_type != "HTTP":
        message = f"{api.name} ({api.api_id}) is a {api.protocol_type} API, whose routes have no paths."
        fix = "Give the id of the HTTP API that the manifest is deployed to, with --api-id."
        yield Finding(rules.NOT_HTTP, api.api_id, message, fix)


def check_cors(api: DeployedApi) -> Iterator[Finding]:
    """Check that the API has no CORS configuration, with which API Gateway removes the CORS headers of the apps."""
    if api.cors_configuration:
        origins = ", ".join(api.cors_configuration.get("AllowOrigins", ())) or "none"
        message = f"The API has a CORS configuration (origins: {origins}), so OPTIONS requests do not reach the apps."
        fix = "Remove the CORS configuration from the API, and let each app send its own CORS headers."
        yield Finding(rules.CORS, api.api_id, message, fix)


def check_domains(
    deployment: ApiDeployment, api: DeployedApi, stage: str, named_domain: str | None
) -> Iterator[Finding]:
    """Check that requests reach the stage, and that they reach it with the paths of the routes.

    Args:
        deployment: the deployment, whose domains and mappings were read.
        api: its API.
        stage: the stage that clients use.
        named_domain: the domain that clients use; None if the user does not name it.
    """
    domains = {domain.domain_name: domain for domain in deployment.domains or ()}
    mappings = [
        mapping for mapping in deployment.mappings or () if mapping.api_id == api.api_id and mapping.stage == stage
    ]
    if named_domain is not None:
        # A wildcard domain has all names of one more label ("Wildcard custom domain names for HTTP APIs").
        wildcard = f"*.{named_domain.partition('.')[2]}"
        custom_domain = named_domain if named_domain in domains or wildcard not in domains else wildcard
        yield from _check_named_domain(deployment, api, stage, custom_domain)
        mappings = [mapping for mapping in mappings if mapping.domain_name == custom_domain]
    elif api.disable_execute_api_endpoint and not mappings:
        message = f"The endpoint {api.api_endpoint} is disabled, and no custom domain is mapped to the stage {stage}."
        fix = f"Map a custom domain to the stage {stage}, or enable the endpoint."
        yield Finding(rules.API_UNREACHABLE, api.api_id, message, fix)
    entrances = [list(_check_entrance(domains[mapping.domain_name])) for mapping in mappings]
    has_open_entrance = not api.disable_execute_api_endpoint or [] in entrances
    if named_domain is not None or not has_open_entrance:
        yield from chain.from_iterable(entrances)
    root_domains = {mapping.domain_name for mapping in mappings if not mapping.api_mapping_key}
    for mapping in mappings:
        if mapping.api_mapping_key and mapping.domain_name not in root_domains:
            message = (
                f"Only https://{mapping.domain_name}/{mapping.api_mapping_key}/ leads to the API: clients look for "
                f"https://{mapping.domain_name}/.well-known/... first, which does not."
            )
            yield Finding(rules.BASE_PATH, mapping.domain_name, message, "Map the domain to the API without a path.")


def _check_named_domain(deployment: ApiDeployment, api: DeployedApi, stage: str, name: str) -> Iterator[Finding]:
    """Check that the domain that the user names leads to the stage."""
    mappings = [mapping for mapping in deployment.mappings or () if mapping.domain_name == name]
    if any((mapping.api_id, mapping.stage) == (api.api_id, stage) for mapping in mappings):
        return
    fix = f"Map {name} to the API {api.api_id} and its stage {stage}, or name the domain that clients use."
    if not mappings:
        exists = name in {domain.domain_name for domain in deployment.domains or ()}
        message = f"{name} has no mapping." if exists else f"{name} is no custom domain of this account and region."
    else:
        targets = ", ".join(f"the API {mapping.api_id}, stage {mapping.stage}" for mapping in mappings)
        message = f"{name} leads to {targets}, and not to {api.api_id}, stage {stage}."
    yield Finding(rules.DOMAIN_ELSEWHERE, name, message, fix)


def _check_entrance(domain: CustomDomain) -> Iterator[Finding]:
    """Check that every client can pass a domain that is mapped to the stage."""
    name = domain.domain_name
    if domain.mutual_tls_authentication:
        message = f"{name} asks for mutual TLS, and no MCP client and no visitor has a certificate."
        yield Finding(rules.MUTUAL_TLS, name, message, "Turn mutual TLS off, or map another domain to the stage.")
    if domain.routing_mode == "ROUTING_RULE_ONLY":
        message = f"{name} uses only routing rules, which lead to REST APIs: its mapping to this API has no effect."
        yield Finding(rules.ROUTING_RULES, name, message, "Set the domain's routing mode to API_MAPPING_ONLY.")


def check_stage(name: str, stages: Mapping[str, DeployedStage]) -> Iterator[Finding]:
    """Check that the stage exists and serves the latest routes under their own paths."""
    if name not in stages:
        names = ", ".join(sorted(stages)) or "none"
        fix = "Create the stage, or name another stage with --stage."
        yield Finding(rules.NO_STAGE, name, f"The API has no stage {name}; its stages: {names}.", fix)
        return
    stage = stages[name]
    if stage.failure:
        message = f"The last deployment failed, and AWS gives this reason: {stage.failure.rstrip('.')}."
        yield Finding(rules.NOT_DEPLOYED, name, message, "Correct the cause, and deploy again.")
    elif not stage.deployment_id and not stage.auto_deploy:
        message = "The stage has no deployment."
        yield Finding(rules.NOT_DEPLOYED, name, message, "Create a deployment, or turn auto-deploy on.")
    if not stage.auto_deploy:
        message = "Auto-deploy is off: a change of the routes has no effect until somebody deploys it."
        yield Finding(rules.NOT_AUTOMATIC, name, message, "Turn auto-deploy on for the stage (auto_deploy).")
    if name != DEFAULT_STAGE:
        message = f"Every path begins with /{name}, at the API's own endpoint and in the events that the apps get."
        yield Finding(rules.STAGE_PREFIX, name, message, "Use the stage $default, or let the apps remove the prefix.")
    yield from _check_throttling(stage)


def _check_throttling(stage: DeployedStage) -> Iterator[Finding]:
    """Check that no limit is 0, which some tools set for a limit that is left out."""
    for key, limit in sorted({"*": stage.default_route_settings, **stage.route_settings}.items()):
        if 0 in {limit.throttling_rate_limit, limit.throttling_burst_limit}:
            routes = "Every route" if key == "*" else f"The route {key}"
            zero_limit = "rate" if limit.throttling_rate_limit == 0 else "burst"
            message = f"{routes} answers 429, because the throttling {zero_limit} limit is 0."
            yield Finding(rules.THROTTLED, stage.stage_name, message, "Set both throttling limits, or remove both.")
