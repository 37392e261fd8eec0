"""Verify a deployment: send the requests, run the checks, predict the clients, and build the report.

The first requests need no answer, so they run in parallel; so do the requests to the URLs that the metadata names. The
checks and the predictions work on answers that the fetcher keeps, so the same answers always give the same report.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from routegen.report import Finding, Report, Section, rules
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.checks import (
    connections,
    cors,
    key_set,
    manifest_routes,
    mcp_endpoint,
    resource_metadata,
    server_endpoints,
    server_metadata,
)
from routegen.verify.clients import CLIENTS, McpClient, Prediction, predict
from routegen.verify.deployment import Deployment, RouteProbe
from routegen.verify.documents import Document, describe_answer, follow_redirects
from routegen.verify.fetcher import BROWSER_ORIGIN, REGISTRATION, Fetcher, RequestLine
from routegen.verify.oauth_discovery import OAuthDiscovery, discover, resource_metadata_urls

COMMAND = "routegen verify"

_NO_CONNECTION = {"dns", "refused", "tls", "not-allowed"}


@dataclass(frozen=True)
class VerifyPlan:
    """What a run of `verify` checks.

    Attributes:
        mcp_url: the URL of the first MCP endpoint.
        deployment: the routes and pages; without a manifest and pages, only the sign-in is checked.
        clients: the clients to predict.
        register: whether the run registers a client at the authorization server.
        more_mcp_urls: the URLs of the other MCP endpoints.
    """

    mcp_url: str
    deployment: Deployment
    clients: tuple[McpClient, ...] = CLIENTS
    register: bool = False
    more_mcp_urls: tuple[str, ...] = ()

    @property
    def mcp_urls(self) -> tuple[str, ...]:
        """The URL of each MCP endpoint."""
        return (self.mcp_url, *self.more_mcp_urls)


def verify(plan: VerifyPlan, fetcher: Fetcher) -> Report:
    """Check a deployment.

    Args:
        plan: the checks of the run.
        fetcher: sends the requests; its guard must allow the deployment.
    """
    first_answer = fetcher.without_token.get("POST", plan.mcp_url)
    if isinstance(first_answer, Failure) and first_answer.kind in _NO_CONNECTION:
        return _report(plan, fetcher, connections.check_failures([first_answer]))
    fetcher.fetch_all(_first_requests(plan))
    findings: list[Finding] = []
    for mcp_url in plan.mcp_urls:
        discovery = discover(fetcher.without_token, mcp_url, fetcher.guard.allow)
        for url in discovery.key_set_urls:
            fetcher.guard.allow(url)
        fetcher.fetch_all(_metadata_requests(discovery))
        if plan.register:
            fetcher.post_bodies = {**dict.fromkeys(discovery.registration_urls, REGISTRATION), **fetcher.post_bodies}
        findings += sign_in_findings(discovery, fetcher.without_token)
        findings += _online_findings(plan, discovery, fetcher)
    return _report(plan, fetcher, findings)


def sign_in_findings(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """The findings about the sign-in that need only answers to GET, OPTIONS and `initialize`."""
    failures = [attempt.failure for attempt in discovery.attempts if not isinstance(attempt, Document)]
    redirects = [answer for attempt in discovery.attempts for answer in attempt.redirects]
    first_answer = discovery.first_answer
    yield from connections.check_failures(
        failure for failure in (first_answer, *failures) if isinstance(failure, Failure)
    )
    yield from connections.check_redirects(
        answer for answer in (first_answer, *redirects) if isinstance(answer, Answer)
    )
    yield from connections.check_document_format(
        attempt for attempt in discovery.attempts if isinstance(attempt, Document)
    )
    yield from mcp_endpoint.check_without_token(discovery)
    yield from resource_metadata.check_resource_discovery(discovery)
    yield from resource_metadata.check_resource_content(discovery)
    yield from server_metadata.check_servers(discovery)
    yield from server_endpoints.check_endpoints(discovery, answers)


def _online_findings(plan: VerifyPlan, discovery: OAuthDiscovery, fetcher: Fetcher) -> Iterator[Finding]:
    """The findings that only a running deployment can have: a manifest does not show them."""
    answers, deployment = fetcher.without_token, plan.deployment
    yield from key_set.check_keys(discovery, answers)
    yield from connections.check_failures(_failures(deployment, discovery, answers))
    yield from cors.check_cors(discovery, fetcher.in_browser, BROWSER_ORIGIN)
    if plan.register:
        yield from server_endpoints.check_registration(discovery, answers)
    if fetcher.with_token:
        yield from mcp_endpoint.check_with_token(discovery.mcp_url, fetcher.with_token)
    yield from mcp_endpoint.check_session(discovery.mcp_url, fetcher)
    if deployment.manifest:
        yield from manifest_routes.check_routes(deployment, answers)
    if deployment.manifest or deployment.pages:
        yield from manifest_routes.check_pages(deployment, answers)


def _failures(deployment: Deployment, discovery: OAuthDiscovery, answers: Answers) -> Iterator[Failure]:
    """The key sets, pages and routes without an answer."""
    urls = [*discovery.key_set_urls, *(f"{deployment.base_url}{path}" for path in deployment.pages)]
    results = [follow_redirects(answers, url)[0] for url in urls]
    results += [answers.get(probe.method, probe.url) for probe in deployment.probes if probe.method]
    return (result for result in results if isinstance(result, Failure))


def _first_requests(plan: VerifyPlan) -> Iterator[RequestLine]:
    """The requests that need no earlier answer."""
    deployment = plan.deployment
    for mcp_url in plan.mcp_urls:
        yield "without-token", "POST", mcp_url
        yield from (("without-token", "GET", url) for url in resource_metadata_urls(mcp_url))
        yield "in-browser", "OPTIONS", mcp_url
    if deployment.manifest or deployment.pages:
        yield from (("without-token", "GET", f"{deployment.base_url}{path}") for path in deployment.pages)
        yield "without-token", "GET", deployment.unserved_url
    yield from (("without-token", probe.method, probe.url) for probe in deployment.probes if probe.method)
    yield from (("without-token", "HEAD", url) for url in deployment.head_urls)


def _metadata_requests(discovery: OAuthDiscovery) -> Iterator[RequestLine]:
    """The requests to the URLs that the metadata names, and those of a browser to the metadata."""
    yield from (("without-token", "GET", url) for url in discovery.key_set_urls)
    yield from (("without-token", "GET", endpoint.url) for endpoint in discovery.endpoints)
    yield from (("in-browser", "GET", url) for url in discovery.metadata_urls)


def sorted_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without duplicates, in the order of the rules, subjects and messages."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda finding: (finding.rule.id, finding.subject, finding.message)))


def add_client_findings(findings: tuple[Finding, ...], predictions: Sequence[Prediction]) -> tuple[Finding, ...]:
    """Add a finding for each client that fails, if no finding of another rule explains it."""
    if any(finding.rule.level == "error" for finding in findings):
        return findings
    fix = "Compare the answer of this URL with the requests of the client: `--format json` lists them."
    return findings + tuple(
        Finding(
            rules.CLIENT_FAILS, prediction.url or prediction.client, f"{prediction.client}: {prediction.reason}", fix
        )
        for prediction in predictions
        if prediction.outcome == "fails"
    )


def _report(plan: VerifyPlan, fetcher: Fetcher, findings: Iterable[Finding]) -> Report:
    answers = fetcher.without_token
    predictions = {url: [predict(client, url, answers) for client in plan.clients] for url in plan.mcp_urls}
    all_predictions = [prediction for of_endpoint in predictions.values() for prediction in of_endpoint]
    has_answer = isinstance(answers.get("POST", plan.mcp_url), Answer)
    routes = [_route_details(probe, answers) for probe in plan.deployment.probes] if has_answer else []
    return Report(
        command=COMMAND,
        subject=plan.deployment.base_url if plan.more_mcp_urls else plan.mcp_url,
        rules=rules.VERIFY_RULES,
        findings=add_client_findings(sorted_findings(findings), all_predictions),
        sections=(
            Section("Routes", tuple((route["path"], route["app"], route["answer"]) for route in routes)),
            *(
                predictions_section(of_endpoint, f"Clients of {url}" if plan.more_mcp_urls else "Clients")
                for url, of_endpoint in predictions.items()
            ),
        ),
        details={
            "routes": routes,
            "clients": [
                {"endpoint": url, **prediction_details(prediction)}
                for url, of_endpoint in predictions.items()
                for prediction in of_endpoint
            ],
        },
    )


def predictions_section(predictions: Sequence[Prediction], title: str = "Clients") -> Section:
    """The table of clients, with the outcome for each."""
    rows = [
        (prediction.client, prediction.outcome, prediction.error or prediction.reason) for prediction in predictions
    ]
    return Section(title, tuple(rows))


def prediction_details(prediction: Prediction) -> dict[str, Any]:
    """A prediction as JSON."""
    return {
        "client": prediction.client,
        "outcome": prediction.outcome,
        "error": prediction.error,
        "reason": prediction.reason,
        "url": prediction.url,
        "assumptions": list(prediction.assumptions),
        "requests": [{"method": method, "url": url} for method, url in prediction.requests],
    }


def _route_details(probe: RouteProbe, answers: Answers) -> dict[str, Any]:
    """A route and its answer as JSON."""
    answer = answers.get(probe.method, probe.url) if probe.method else None
    if isinstance(answer, Answer):
        description = f"{probe.method} {describe_answer(answer)}"
    else:
        description = answer.reason if answer else "not requested"
    return {
        "path": probe.route.path,
        "app": probe.route.app,
        "role": probe.route.role,
        "method": probe.method,
        "url": probe.url,
        "status": answer.status if isinstance(answer, Answer) else None,
        "answer": description,
    }
