"""What stands before the routes: the API, its stage, its domains."""

from collections.abc import Iterator, Mapping

from routegen.audit.deployed import DEFAULT_STAGE, Api, ApiMapping, Limit, Stage
from routegen.report import Finding, rules


def protocol(api: Api) -> Iterator[Finding]:
    """Whether it is an HTTP API: of another kind, nothing else can be compared."""
    if api.protocol != "HTTP":
        said = f"{api.name} ({api.id}) is a {api.protocol} API, whose routes are no paths."
        yield Finding(rules.NOT_HTTP, api.id, said, "Give the id of the HTTP API that the manifest is deployed to.")


def cors(api: Api) -> Iterator[Finding]:
    """With CORS configured, the gateway answers preflights and drops the apps' own CORS headers."""
    if api.cors is not None:
        origins = ", ".join(api.cors) or "none"
        said = f"The API has a CORS configuration (origins: {origins}): OPTIONS doesn't reach the apps."
        yield Finding(rules.CORS, api.id, said, "Remove it from the API, and let each app say who may read it.")


def domains(api: Api, mappings: tuple[ApiMapping, ...], stage: str) -> Iterator[Finding]:
    """Whether a request gets in, and with the path that the routes have."""
    ours = [one for one in mappings if one.stage == stage]
    if not api.endpoint_on and not ours:
        said = f"The endpoint {api.endpoint} is disabled, and no custom domain is mapped to the stage {stage}."
        todo = f"Map the domain to the stage {stage}, or enable the endpoint."
        yield Finding(rules.API_UNREACHABLE, api.id, said, todo)
    at_root = {one.domain for one in ours if not one.key}
    for one in ours:
        if one.key and one.domain not in at_root:
            said = (
                f"https://{one.domain}/{one.key}/ leads here: {one.domain}/.well-known/... does not, and clients ask"
                " for it there first."
            )
            yield Finding(rules.BASE_PATH, one.domain, said, "Map the domain without a path.")


def stage(name: str, stages: Mapping[str, Stage]) -> Iterator[Finding]:
    """Whether the stage is there and has what was last deployed."""
    if name not in stages:
        known = ", ".join(sorted(stages)) or "none"
        todo = "Create it, or say which one is meant with --stage."
        yield Finding(rules.NO_STAGE, name, f"There is no stage {name}; the API's stages: {known}.", todo)
        return
    found = stages[name]
    if found.failure:
        said = f"AWS says of the last deployment: {found.failure.rstrip('.')}."
        yield Finding(rules.NOT_DEPLOYED, name, said, "Mend what it names, and deploy again.")
    elif not found.deployment and not found.automatic:
        said = "Nothing has been deployed to the stage."
        yield Finding(rules.NOT_DEPLOYED, name, said, "Create a deployment, or turn auto-deploy on.")
    if not found.automatic:
        said = "Auto-deploy is off: routes can be right in the API and not be in use."
        yield Finding(rules.NOT_AUTOMATIC, name, said, "Set auto_deploy on the stage.")
    if name != DEFAULT_STAGE:
        said = f"Paths begin with /{name}, at the API's own endpoint and in what the apps see."
        yield Finding(rules.STAGE_PREFIX, name, said, "Use the stage $default, or have the apps take the prefix off.")
    yield from _throttling(found)


def _throttling(stage_: Stage) -> Iterator[Finding]:
    """A limit of 0 refuses every request; some tools set it where none was meant."""
    for key, limit in sorted(stage_.limits.items()):
        if 0 in {limit.rate, limit.burst}:
            what = "Every route" if key == "*" else f"The route {key}"
            said = f"{what} answers 429: {_said(limit)}."
            yield Finding(rules.THROTTLED, stage_.name, said, "Give both limits, or take both away.")


def _said(limit: Limit) -> str:
    return f"the throttling rate limit is {limit.rate:g}" if limit.rate == 0 else "the throttling burst limit is 0"
