"""One run of `audit`: AWS's answers against the manifest, and the report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from routegen.audit.arns import short_name
from routegen.audit.checks import behind, front, routes
from routegen.audit.deployed import DEFAULT_STAGE, Deployed
from routegen.audit.owners import Placed, owners, placed
from routegen.errors import ConfigError
from routegen.manifest import Manifest
from routegen.report import Finding, Report, Section, rules

COMMAND = "routegen audit"


@dataclass(frozen=True)
class Wanted:
    """What is to be compared.

    Attributes:
        manifest: what should be deployed.
        subject: the API as the user calls it, for a report that has nothing else.
        stage: which of its stages.
        functions: what the user says of an app's function: name, `name:qualifier` or ARN, by app.
    """

    manifest: Manifest
    subject: str
    stage: str = DEFAULT_STAGE
    functions: Mapping[str, str] = field(default_factory=dict)


def audit(wanted: Wanted, deployed: Deployed) -> Report:
    """Compare.

    Raises:
        ConfigError: the user names the function of an app that the manifest doesn't have.
    """
    apps = {wanted.manifest.default, *(route.app for route in wanted.manifest.routes)}
    if unknown := sorted(wanted.functions.keys() - apps):
        raise ConfigError(f"--function: the manifest has no app {unknown[0]!r}, only {', '.join(sorted(apps))}")
    stage = (deployed.stages or {}).get(wanted.stage)
    found = placed(wanted.manifest, deployed, stage.variables if stage else {})
    known = owners(found, wanted.manifest.default, wanted.functions)
    api = deployed.api
    return Report(
        command=COMMAND,
        subject=f"{api.name} ({api.id})" if api else wanted.subject,
        rules=rules.AUDIT_RULES,
        findings=_sorted(_findings(wanted, deployed, found, known)),
        sections=(Section("Routes", tuple(_row(one) for one in found)),) if found else (),
        details=_details(wanted, deployed, found, known),
    )


def _findings(wanted: Wanted, deployed: Deployed, found: list[Placed], known: Mapping[str, str]) -> Iterator[Finding]:
    for unread in deployed.unread:
        yield Finding(rules.NOT_READ, unread.subject, unread.message, unread.fix)
    api = deployed.api
    if api is None:
        return
    yield from front.protocol(api)
    if api.protocol != "HTTP":
        return
    yield from front.cors(api)
    if deployed.mappings is not None:
        yield from front.domains(api, deployed.mappings, wanted.stage)
    if deployed.stages is not None:
        yield from front.stage(wanted.stage, deployed.stages)
    if deployed.routes is not None:
        yield from routes.there(wanted.manifest, found)
        yield from routes.lead(found, known, integrations_known=deployed.integrations is not None)
    yield from behind.integrations(found)
    yield from behind.functions(found, deployed.functions, deployed.arn, wanted.stage)


def _sorted(found: Iterator[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.rule.id, one.subject, one.message)))


def _row(one: Placed) -> tuple[str, ...]:
    return one.route.key, one.app or "not in the manifest", short_name(one.function) if one.function else "-"


def _details(wanted: Wanted, deployed: Deployed, found: list[Placed], known: Mapping[str, str]) -> dict[str, Any]:
    api = deployed.api
    return {
        "api": {"id": api.id, "name": api.name, "endpoint": api.endpoint} if api else None,
        "stage": wanted.stage,
        "functions": dict(sorted(known.items())),
        "routes": [{"route_key": one.route.key, "app": one.app, "function": one.function} for one in found],
    }
