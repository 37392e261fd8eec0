"""One run of the audit: compare a deployed API with the manifest, and report the findings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from routegen.audit.api_deployment import DEFAULT_STAGE, ApiDeployment
from routegen.audit.app_functions import ResolvedRoute, assign_functions, resolve_routes
from routegen.audit.deployed_routes import check_route_keys, check_route_targets
from routegen.audit.deployed_stage import check_export
from routegen.audit.entrances import check_cors, check_domains, check_protocol, check_stage
from routegen.audit.function_arns import short_function_name
from routegen.audit.integrations import check_functions, check_integrations
from routegen.errors import ConfigError
from routegen.manifest import Manifest
from routegen.report import Finding, Report, Section, rules

COMMAND = "routegen audit"


@dataclass(frozen=True)
class AuditOptions:
    """The user's part of the comparison.

    Attributes:
        manifest: the manifest that should be deployed.
        subject: the name or id that the user gave for the API, for a report about an API that could not be read.
        stage: the stage that clients use.
        functions: the functions that the user names, by app: a name, `name:qualifier` or ARN.
        domain: the custom domain that clients use; None if the user does not name it.
    """

    manifest: Manifest
    subject: str
    stage: str = DEFAULT_STAGE
    functions: Mapping[str, str] = field(default_factory=dict)
    domain: str | None = None


def audit_deployment(options: AuditOptions, deployment: ApiDeployment) -> Report:
    """Compare a deployed API with the manifest.

    Raises:
        ConfigError: the user names the function of an app that the manifest does not have.
    """
    manifest = options.manifest
    apps = manifest.app_names
    if unknown_apps := sorted(options.functions.keys() - set(apps)):
        raise ConfigError(f"--function: the manifest has no app {unknown_apps[0]!r}, only {', '.join(apps)}")
    stage = (deployment.stages or {}).get(options.stage)
    routes = resolve_routes(manifest, deployment, stage.stage_variables if stage else {})
    functions = assign_functions(routes, manifest.default, options.functions)
    api = deployment.api
    findings = dict.fromkeys(_check(options, deployment, routes, functions))
    return Report(
        command=COMMAND,
        subject=f"{api.name} ({api.api_id})" if api else options.subject,
        rules=rules.AUDIT_RULES,
        findings=tuple(sorted(findings, key=lambda finding: (finding.rule.id, finding.subject, finding.message))),
        sections=tuple(_sections(options, deployment, routes)),
        details=_report_details(options, deployment, routes, functions),
    )


def _check(
    options: AuditOptions, deployment: ApiDeployment, routes: list[ResolvedRoute], functions: Mapping[str, str]
) -> Iterator[Finding]:
    for part in deployment.unread:
        yield Finding(rules.NOT_READ, part.subject, part.message, part.fix)
    api = deployment.api
    if api is None:
        return
    yield from check_protocol(api)
    if api.protocol_type != "HTTP":
        return
    yield from check_cors(api)
    if deployment.mappings is not None:
        yield from check_domains(deployment, api, options.stage, options.domain)
    if deployment.stages is not None:
        yield from check_stage(options.stage, deployment.stages)
    if deployment.routes is not None:
        yield from check_route_keys(options.manifest, routes)
        yield from check_route_targets(routes, functions, integrations_were_read=deployment.integrations is not None)
    if deployment.exported is not None:
        yield from check_export(routes, deployment.exported)
    yield from check_integrations(routes)
    yield from check_functions(routes, deployment, options.stage)


def _sections(options: AuditOptions, deployment: ApiDeployment, routes: list[ResolvedRoute]) -> Iterator[Section]:
    if routes:
        yield Section("Routes", tuple(_table_row(route) for route in routes))
    urls = [
        (f"https://{mapping.domain_name}/{mapping.api_mapping_key}",)
        for mapping in deployment.mappings or ()
        if deployment.api and (mapping.api_id, mapping.stage) == (deployment.api.api_id, options.stage)
    ]
    if urls:
        yield Section("Domains", tuple(urls))


def _table_row(resolved: ResolvedRoute) -> tuple[str, ...]:
    function = short_function_name(resolved.function_arn) if resolved.function_arn else "-"
    return resolved.key, resolved.app or "not in the manifest", function


def _report_details(
    options: AuditOptions, deployment: ApiDeployment, routes: list[ResolvedRoute], functions: Mapping[str, str]
) -> dict[str, Any]:
    api = deployment.api
    return {
        "api": {"id": api.api_id, "name": api.name, "endpoint": api.api_endpoint} if api else None,
        "stage": options.stage,
        "functions": dict(sorted(functions.items())),
        "routes": [{"route_key": route.key, "app": route.app, "function": route.function_arn} for route in routes],
    }
