"""One run of `verify`: what is asked, in which order, and the report over it.

In: where the deployment is, what the manifest says of it, and a `Fetcher`. Out: a `Report`. What can be asked at once
is asked at once; everything after that works on answers that are kept, so the report depends on nothing but them.
"""

from collections.abc import Iterator
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
from routegen.verify.checks.manifest_routes import NOWHERE, Deployment
from routegen.verify.clients import CLIENTS, McpClient, Prediction, predict
from routegen.verify.documents import Absent, Document, describe, follow
from routegen.verify.fetcher import BROWSER_ORIGIN, REGISTRATION, Caller, Fetcher
from routegen.verify.oauth_discovery import Chain, resource_places, walk

COMMAND = "routegen verify"


@dataclass(frozen=True)
class Wanted:
    """What to verify.

    Attributes:
        mcp_url: the MCP endpoint.
        base: the URL before the paths of the manifest and of the wiki, without a final slash.
        deployment: what the routes are compared with; None for the sign-in alone.
        pages: what the app behind $default answers.
        clients: the clients to predict.
        register: whether a client may be registered.
    """

    mcp_url: str
    base: str
    deployment: Deployment | None = None
    pages: tuple[str, ...] = ()
    clients: tuple[McpClient, ...] = CLIENTS
    register: bool = False


def verify(wanted: Wanted, fetcher: Fetcher) -> Report:
    """Ask the deployment all that the rules need, and report."""
    first = fetcher.plain.get("POST", wanted.mcp_url)
    if isinstance(first, Failure) and first.kind in {"dns", "refused", "tls", "not-allowed"}:
        # Nothing else there would answer either.
        return _report(wanted, fetcher, Chain(wanted.mcp_url, first), sorted_findings(connections.unreached([first])))
    fetcher.ask_all(_first_requests(wanted))
    chain = walk(fetcher.plain, wanted.mcp_url, fetcher.guard.allow)
    for url in key_set.keys_urls(chain):
        fetcher.guard.allow(url)
    fetcher.ask_all(_later_requests(chain))
    if wanted.register:
        urls = [url for _, name, url in server_endpoints.named(chain) if name == "registration_endpoint"]
        fetcher.posts = {**dict.fromkeys(urls, REGISTRATION), **fetcher.posts}
    found = [*findings(chain, fetcher.plain), *_online(wanted, chain, fetcher)]
    return _report(wanted, fetcher, chain, sorted_findings(found))


def findings(chain: Chain, answers: Answers) -> Iterator[Finding]:
    """What the chain shows; nothing that is missing here needs another way of asking."""
    places = _places(chain)
    documents = [place for place in places if isinstance(place, Document)]
    first = chain.first
    yield from connections.unreached(
        [*([first] if isinstance(first, Failure) else []), *connections.failures_of(places)]
    )
    yield from connections.redirected(
        [*([first] if isinstance(first, Answer) else []), *connections.redirects_of(places)]
    )
    yield from connections.documents(documents)
    yield from mcp_endpoint.without_token(chain)
    yield from resource_metadata.found(chain)
    yield from resource_metadata.content(chain)
    yield from server_metadata.servers(chain)
    yield from server_endpoints.there(chain, answers)


def _online(wanted: Wanted, chain: Chain, fetcher: Fetcher) -> Iterator[Finding]:
    """What only a deployment can show."""
    plain = fetcher.plain
    yield from key_set.keys(chain, plain)
    yield from connections.unreached(_unread(wanted, chain, plain))
    yield from cors.shared(chain, fetcher.browser, BROWSER_ORIGIN)
    if wanted.register:
        yield from server_endpoints.registration(chain, plain)
    if fetcher.signed_in:
        yield from mcp_endpoint.with_token(wanted.mcp_url, fetcher.signed_in)
    if wanted.deployment:
        yield from manifest_routes.routes(wanted.deployment, plain)
    if wanted.deployment or wanted.pages:
        yield from manifest_routes.pages(wanted.base, wanted.pages, _default(wanted), plain)


def _unread(wanted: Wanted, chain: Chain, plain: Answers) -> list[Failure]:
    """The keys, pages and routes that gave no answer."""
    answers = [follow(plain, url)[0] for url in key_set.keys_urls(chain)]
    answers += [follow(plain, f"{wanted.base}{path}")[0] for path in wanted.pages]
    answers += [plain.get(probe.method, probe.url) for probe in _probes(wanted) if probe.method]
    return [answer for answer in answers if isinstance(answer, Failure)]


def _first_requests(wanted: Wanted) -> list[tuple[Caller, str, str]]:
    """All that is known to be asked before anything has answered."""
    asked: list[tuple[Caller, str, str]] = [("plain", "GET", url) for url in resource_places(wanted.mcp_url)]
    asked += [("browser", "OPTIONS", wanted.mcp_url)]
    if wanted.deployment or wanted.pages:
        asked += [("plain", "GET", f"{wanted.base}{path}") for path in (*wanted.pages, NOWHERE)]
    if wanted.deployment:
        asked += [("plain", probe.method, probe.url) for probe in _probes(wanted) if probe.method]
        asked += [("plain", "HEAD", url) for url in manifest_routes.heads(wanted.deployment)]
    return asked


def _later_requests(chain: Chain) -> list[tuple[Caller, str, str]]:
    """All that the metadata names."""
    asked: list[tuple[Caller, str, str]] = [("plain", "GET", url) for url in key_set.keys_urls(chain)]
    asked += [("plain", "GET", url) for _, _, url in server_endpoints.named(chain)]
    return asked + [("browser", "GET", url) for url in cors.documents(chain)]


def _places(chain: Chain) -> list[Document | Absent]:
    """Every document that the walk has asked for, where clients would."""
    resources = [chain.resource.named, *chain.resource.places] if chain.resource else []
    of_servers = [place for one in chain.servers for place in one.places]
    return [place for place in [*resources, *of_servers] if place is not None]


def sorted_findings(found: Iterator[Finding] | list[Finding]) -> tuple[Finding, ...]:
    """Each once, in the order of the rules, then by what they are about."""
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.rule.id, one.subject, one.message)))


def with_clients(found: tuple[Finding, ...], predictions: list[Prediction]) -> tuple[Finding, ...]:
    """A client that fails is a finding of its own where no other one says why."""
    if any(finding.rule.level == "error" for finding in found):
        return found
    todo = "Look at what that URL answers, and compare it with what `--format json` lists as asked."
    return found + tuple(
        Finding(
            rules.CLIENT_FAILS, prediction.url or prediction.client, f"{prediction.client}: {prediction.reason}", todo
        )
        for prediction in predictions
        if prediction.outcome == "fails"
    )


def _report(wanted: Wanted, fetcher: Fetcher, chain: Chain, found: tuple[Finding, ...]) -> Report:
    predictions = [predict(client, wanted.mcp_url, fetcher.plain) for client in wanted.clients]
    shown = [_shown(probe, fetcher.plain) for probe in _probes(wanted)] if isinstance(chain.first, Answer) else []
    return Report(
        command=COMMAND,
        subject=wanted.mcp_url,
        rules=rules.VERIFY_RULES,
        findings=with_clients(found, predictions),
        sections=(
            Section("Routes", tuple((one["path"], one["app"], one["said"]) for one in shown)),
            predictions_section(predictions),
        ),
        details={"routes": shown, "clients": [prediction_details(prediction) for prediction in predictions]},
    )


def predictions_section(predictions: list[Prediction], title: str = "Clients") -> Section:
    """Which client connects, for people."""
    return Section(title, tuple((one.client, one.outcome, one.error or one.reason) for one in predictions))


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


def _shown(probe: manifest_routes.Probe, answers: Answers) -> dict[str, Any]:
    """What a route has answered."""
    answer = answers.get(probe.method, probe.url) if probe.method else None
    said = "not asked" if answer is None else answer.why if isinstance(answer, Failure) else describe(answer)
    return {
        "path": probe.route.path,
        "app": probe.route.app,
        "role": probe.route.role,
        "method": probe.method,
        "url": probe.url,
        "status": answer.status if isinstance(answer, Answer) else None,
        "said": f"{probe.method} {said}" if isinstance(answer, Answer) else said,
    }


def _probes(wanted: Wanted) -> tuple[manifest_routes.Probe, ...]:
    return manifest_routes.probes(wanted.deployment) if wanted.deployment else ()


def _default(wanted: Wanted) -> str:
    return wanted.deployment.manifest.default if wanted.deployment else "the app behind $default"
