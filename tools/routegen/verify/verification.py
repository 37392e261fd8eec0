"""Verify a deployment: send the requests, run the checks, predict the clients, and build the report.

The first requests need no answer, so they run in parallel; so do the requests to the URLs that the metadata names. The
checks and the predictions work on answers that the fetcher keeps, so the same answers always give the same report.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from routegen.errors import shorten
from routegen.report import Finding, Report, Section, rules
from routegen.verify.answers import MAX_SHOWN, Answer, Answers, Failure, shown
from routegen.verify.checks import (
    authorization_servers,
    connections,
    cors,
    fields,
    key_set,
    manifest_routes,
    mcp_endpoint,
    resource_metadata,
    revisions,
)
from routegen.verify.clients import CLIENTS, RECORDED_CLIENTS, McpClient, Prediction, predict
from routegen.verify.clients.claims import CLAIMS
from routegen.verify.deployment import Deployment, RouteProbe
from routegen.verify.documents import describe_answer, follow_redirects
from routegen.verify.fetcher import REGISTRATION, Fetcher, RequestLine
from routegen.verify.oauth_discovery import ENDPOINT_FIELDS, OAuthDiscovery, discover, resource_metadata_urls

COMMAND = "routegen verify"

_NO_CONNECTION = {"dns", "refused", "tls", "not-allowed"}
_MAX_ERROR = 123
_LONG_WORD = re.compile(rf"\S{{{MAX_SHOWN + 1},}}")


@dataclass(frozen=True)
class VerifyPlan:
    """What a run of `verify` checks.

    Attributes:
        mcp_urls: the URL of each MCP endpoint.
        deployment: the routes and pages; without a manifest and pages, only the sign-in is checked.
        clients: the clients to predict.
        register: whether the run registers a client at the authorization server.
        today: the day for the review dates of what is known of the clients; None for none.
    """

    mcp_urls: tuple[str, ...]
    deployment: Deployment
    clients: tuple[McpClient, ...] = CLIENTS
    register: bool = False
    today: date | None = None


def verify(plan: VerifyPlan, fetcher: Fetcher) -> Report:
    """Check a deployment.

    Args:
        plan: the checks of the run.
        fetcher: sends the requests; its guard must allow the deployment.
    """
    answers = fetcher.answers("without-token")
    first_answer = answers.get("POST", plan.mcp_urls[0])
    if isinstance(first_answer, Failure) and first_answer.kind in _NO_CONNECTION:
        return _report(plan, fetcher, connections.check_failures([first_answer]))
    fetcher.fetch_all(_first_requests(plan, fetcher))
    findings: list[Finding] = []
    for mcp_url in plan.mcp_urls:
        modern_answer = fetcher.fetch("modern", "POST", mcp_url)
        discovery = discover(answers, mcp_url, fetcher.guard.allow, modern_answer)
        for url in discovery.urls_of("jwks_uri"):
            fetcher.guard.allow(url)
        if plan.register:
            bodies = dict.fromkeys(discovery.urls_of("token_endpoint"), b"")
            bodies |= dict.fromkeys(discovery.urls_of("registration_endpoint"), REGISTRATION)
            fetcher.post_bodies = {**bodies, **fetcher.post_bodies}
        named_urls = [url for field in (*ENDPOINT_FIELDS, "jwks_uri") for url in discovery.urls_of(field)]
        requests: list[RequestLine] = [("without-token", "GET", url) for url in named_urls]
        fetcher.fetch_all([*requests, *(("in-browser", "GET", url) for url in discovery.metadata_urls)])
        findings += sign_in_findings(discovery, answers)
        findings += _online_findings(plan, discovery, fetcher)
    return _report(plan, fetcher, findings)


def sign_in_findings(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """The findings about the sign-in that need only answers to GET, OPTIONS and `initialize`."""
    first_answer, attempts = discovery.first_answer, discovery.attempts
    yield from connections.check_failures([first_answer, *(attempt.answer for attempt in attempts)])
    redirects = (answer for attempt in attempts for answer in (*attempt.redirects, attempt.answer))
    yield from connections.check_redirects([first_answer, *redirects])
    yield from connections.check_document_format(attempts)
    yield from mcp_endpoint.check_without_token(discovery, answers)
    yield from resource_metadata.check_resource_discovery(discovery)
    yield from resource_metadata.check_resource_content(discovery)
    yield from authorization_servers.check_servers(discovery)
    yield from fields.check_scopes(discovery)
    yield from authorization_servers.check_endpoints(discovery, answers)


def _online_findings(plan: VerifyPlan, discovery: OAuthDiscovery, fetcher: Fetcher) -> Iterator[Finding]:
    """The findings that only a running deployment can have: a manifest does not show them."""
    answers, deployment, mcp_url = fetcher.answers("without-token"), plan.deployment, discovery.mcp_url
    yield from key_set.check_keys(discovery, answers)
    yield from authorization_servers.check_recommendations(discovery)
    yield from connections.check_failures(_other_results(deployment, discovery, answers))
    yield from cors.check_cors(discovery, fetcher)
    if plan.register:
        yield from authorization_servers.check_registration(discovery, answers)
    if fetcher.token:
        yield from mcp_endpoint.check_with_token(discovery, fetcher)
    if discovery.is_mcp_endpoint:
        yield from revisions.check_revisions(mcp_url, fetcher)
        yield from mcp_endpoint.check_methods(mcp_url, fetcher)
        yield from mcp_endpoint.check_session(mcp_url, fetcher)
        yield from mcp_endpoint.check_server_card(mcp_url, answers)
    if deployment.manifest:
        yield from manifest_routes.check_routes(deployment, answers)
    if deployment.manifest or deployment.pages:
        yield from manifest_routes.check_pages(deployment, answers)


def _other_results(deployment: Deployment, discovery: OAuthDiscovery, answers: Answers) -> Iterator[Answer | Failure]:
    """The answers of the key sets, pages and routes."""
    urls = [*discovery.urls_of("jwks_uri"), *(f"{deployment.base_url}{path}" for path in deployment.pages)]
    yield from (follow_redirects(answers, url)[0] for url in urls)
    yield from (answers.get(probe.method, probe.url) for probe in deployment.probes if probe.method)


def _first_requests(plan: VerifyPlan, fetcher: Fetcher) -> Iterator[RequestLine]:
    """The requests that need no earlier answer."""
    deployment = plan.deployment
    for mcp_url in plan.mcp_urls:
        yield from (("without-token", "POST", mcp_url), ("modern", "POST", mcp_url), ("listening", "GET", mcp_url))
        if fetcher.token:
            yield from (("with-token", "POST", mcp_url), ("modern-with-token", "POST", mcp_url))
        yield from (("without-token", "GET", url) for url in resource_metadata_urls(mcp_url))
        yield "in-browser", "OPTIONS", mcp_url
    if deployment.manifest or deployment.pages:
        yield from (("without-token", "GET", f"{deployment.base_url}{path}") for path in deployment.pages)
        yield "without-token", "GET", deployment.unserved_url
    yield from (("without-token", probe.method, probe.url) for probe in deployment.probes if probe.method)
    yield from (("without-token", "HEAD", url) for url in deployment.head_urls)


def sorted_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without duplicates, in the order of the rules, subjects and messages."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda finding: (finding.rule.id, finding.subject, finding.message)))


def bounded(value: Any) -> Any:
    """The same JSON value with each long word of its texts cut: the URLs of a server have any length."""
    match value:
        case str():
            return _LONG_WORD.sub(lambda word: shown(word[0]), value)
        case dict():
            return {key: bounded(item) for key, item in value.items()}
        case list() | tuple():
            return [bounded(item) for item in value]
    return value


def change_texts(finding: Finding, change: Callable[[str], str]) -> Finding:
    """The same finding with each of its texts changed."""
    return replace(finding, subject=change(finding.subject), message=change(finding.message), fix=change(finding.fix))


def add_client_findings(findings: tuple[Finding, ...], predictions: Sequence[Prediction]) -> tuple[Finding, ...]:
    """Add a finding for each cause that makes recorded clients fail, if no finding of another rule explains it."""
    if any(finding.rule.level == "error" or finding.rule in rules.EXPLAIN_FAILURES for finding in findings):
        return findings
    # What is documented or reported of the other clients is too uncertain for an error.
    recorded = {client.id for client in RECORDED_CLIENTS}
    causes: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        if prediction.outcome == "fails" and prediction.client in recorded:
            causes.setdefault(prediction.url or prediction.client, []).append(prediction)
    fix = "Compare the answer of this URL with the requests of the client: `--format json` lists them."
    messages = {url: ", ".join(item.client for item in items) + f": {items[0].reason}" for url, items in causes.items()}
    return findings + tuple(Finding(rules.CLIENT_FAILS, url, message, fix) for url, message in messages.items())


def _report(plan: VerifyPlan, fetcher: Fetcher, findings: Iterable[Finding]) -> Report:
    answers = fetcher.answers("without-token")
    is_reachable = isinstance(answers.get("POST", plan.mcp_urls[0]), Answer)
    eras = {url: revisions.era_answers(url, fetcher) for url in plan.mcp_urls} if is_reachable else {}
    routes = [_route_details(probe, answers) for probe in plan.deployment.probes] if is_reachable else []
    predictions = [
        (url, predict(client, url, answers, eras=eras.get(url), today=plan.today))
        for url in plan.mcp_urls
        for client in plan.clients
    ]
    has_many = len(plan.mcp_urls) > 1
    sections = [
        Section("Routes", tuple((route["path"], route["app"], route["answer"]) for route in routes)),
        Section("Revisions of MCP", tuple((url, era.description) for url, era in eras.items())),
    ]
    for url in plan.mcp_urls:
        predictions_for_url = [prediction for endpoint, prediction in predictions if endpoint == url]
        sections.append(predictions_section(predictions_for_url, f"Clients of {url}" if has_many else "Clients"))
    all_findings = add_client_findings(sorted_findings(findings), [prediction for _, prediction in predictions])
    return Report(
        command=COMMAND,
        subject=plan.deployment.base_url if has_many else plan.mcp_urls[0],
        rules=rules.VERIFY_RULES,
        findings=tuple(change_texts(finding, bounded) for finding in all_findings),
        sections=tuple(sections),
        details={
            "routes": routes,
            "revisions": [{"endpoint": url, **era.details} for url, era in eras.items()],
            "clients": [{"endpoint": url, **prediction_details(prediction)} for url, prediction in predictions],
        },
    )


def predictions_section(predictions: Sequence[Prediction], title: str = "Clients") -> Section:
    """The table of clients, with the outcome for each."""
    rows = tuple(
        (each.client, each.version, each.outcome, shorten(each.error or each.reason, _MAX_ERROR))
        for each in predictions
    )
    return Section(title, rows)


def claims_report(clients: Sequence[McpClient], today: date) -> Report:
    """What is known of the clients, with versions, sources and dates."""
    ids = {client.id for client in clients}
    claims = [claim for claim in CLAIMS.values() if ids.intersection(claim.clients)]
    rows = []
    for claim in claims:
        due = f"review {'was due on' if claim.review <= today else 'by'} {claim.review}"
        text = f"{claim.statement}. Source: {claim.source}, {claim.source_date}; {due}"
        rows.append((claim.id, f"{claim.version} ({claim.kind})", text))
    details = [
        {**asdict(claim), "source_date": str(claim.source_date), "review": str(claim.review)} for claim in claims
    ]
    return Report(
        command=COMMAND,
        subject="clients",
        rules=rules.VERIFY_RULES,
        findings=(),
        success=f"{len(claims)} claims about {len(ids)} clients",
        sections=(Section("Claims", tuple(rows)),),
        details={"claims": details},
    )


def prediction_details(prediction: Prediction) -> dict[str, Any]:
    """A prediction as JSON; a client's error can repeat a whole web page, of which only the beginning is shown."""
    requests = [{"method": method, "url": url} for method, url in prediction.requests]
    error = prediction.error and shorten(prediction.error, 2 * MAX_SHOWN)
    details: dict[str, Any] = bounded({**asdict(prediction), "error": error, "requests": requests})
    return details


def _route_details(probe: RouteProbe, answers: Answers) -> dict[str, Any]:
    """A route and its answer as JSON."""
    answer = answers.get(probe.method, probe.url) if probe.method else None
    description = answer.reason if isinstance(answer, Failure) else "not requested"
    status = None
    if isinstance(answer, Answer):
        status, description = answer.status, f"{probe.method} {describe_answer(answer)}"
    route = {"path": probe.route.path, "app": probe.route.app, "role": probe.route.role}
    return {**route, "method": probe.method, "url": probe.url, "status": status, "answer": description}
