"""Each route of the manifest answers from its app, the rest from the app behind $default: told apart by the answers.

A document has to be JSON and an endpoint of OAuth must not be a page. For paths whose app may answer with pages too,
the page is compared with what the deployment answers for a path that can't exist: the same page is the default app's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from routegen.gateway import shape
from routegen.manifest import DOCUMENT_ROLES, Manifest, Route
from routegen.manifest.explain import Explainer
from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import describe, first_words, follow, parse, target_of

NOWHERE = "/routegen-verify/there-is-no-such-page"
"""A path that no app has."""

_SAMPLE = "routegen-verify"
_ASKED_WITH = ("GET", "HEAD", "OPTIONS")
_ENDPOINTS = {"mcp-endpoint", "token-endpoint", "registration-endpoint", "revocation-endpoint"}


@dataclass(frozen=True)
class Deployment:
    """What is compared.

    Attributes:
        base: the URL before every path of the manifest, without a final slash.
        manifest: which path belongs to which app.
        pages: paths that the app behind $default answers, as a user knows them.
    """

    base: str
    manifest: Manifest
    pages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """A route, and the request that shows who answers it.

    Attributes:
        method: None where nothing harmless reaches the app.
        url: with a sample in the place of each variable.
    """

    route: Route
    method: str | None
    url: str


def probes(deployment: Deployment) -> tuple[Probe, ...]:
    """One request a route, in the manifest's order: GET if the gateway sends it to the app, else HEAD or OPTIONS."""
    explainer = Explainer(deployment.manifest)
    found = []
    for route in deployment.manifest.routes:
        path = "/" + "/".join(_SAMPLE if part in {"{}", "{+}"} else own for part, own in _parts(route.path))
        reached = (method for method in _ASKED_WITH if explainer.explain(method, path).app == route.app)
        found.append(Probe(route, next(reached, None), f"{deployment.base}{path}"))
    return tuple(found)


def _parts(path: str) -> list[tuple[str, str]]:
    return list(zip(shape(path), path[1:].split("/"), strict=True))


def routes(deployment: Deployment, answers: Answers) -> Iterator[Finding]:
    """Whether each route of the manifest is answered by its app."""
    nowhere = answers.get("GET", f"{deployment.base}{NOWHERE}")
    for probe in probes(deployment):
        if probe.method is None:
            methods = ", ".join(probe.route.methods)
            said = f"{probe.route.app} serves {methods} there and nothing else, and that might change something."
            yield Finding(rules.NOT_ASKED, probe.url, said, "Nothing needs to be done: it was left alone.")
            continue
        answer = answers.get(probe.method, probe.url)
        if isinstance(answer, Answer):
            yield from _route(probe, answer, nowhere, deployment.manifest.default)
    yield from _heads(deployment, answers)


def _route(probe: Probe, answer: Answer, nowhere: Answer | Failure, default: str) -> Iterator[Finding]:
    route = probe.route
    said = f"{probe.method} {describe(answer)}; {route.app} should answer it as {route.role}."
    mend = f"Deploy the manifest: the gateway lacks {', '.join(route.route_keys)}, or it leads to another function."
    if _is_default_s(route, answer, nowhere):
        yield Finding(rules.ROUTE_SHADOWED, probe.url, f"{said[:-1]}, and {default} does.", mend)
    elif answer.status >= 500:
        todo = f"Read the log of {route.app}: it raises, runs out of time, or the gateway may not invoke it."
        yield Finding(rules.ROUTE_FAILS, probe.url, said, todo)
    elif _is_missing(route, answer):
        yield Finding(rules.ROUTE_MISSING, probe.url, said, mend)


def _is_default_s(route: Route, answer: Answer, nowhere: Answer | Failure) -> bool:
    if not answer.is_html:
        return False
    strict = route.role in DOCUMENT_ROLES or route.role in _ENDPOINTS
    return strict or (isinstance(nowhere, Answer) and same_page(answer, nowhere))


def _is_missing(route: Route, answer: Answer) -> bool:
    if is_gateways(answer):
        return True
    if route.role in DOCUMENT_ROLES:
        # A redirect is another rule's.
        return target_of(answer) is None and (answer.status != 200 or parse(answer)[0] is None)
    return route.role in _ENDPOINTS and answer.status == 404


def is_gateways(answer: Answer) -> bool:
    """Whether API Gateway itself has answered that it has no route."""
    value = parse(answer)[0]
    return answer.status == 404 and value == {"message": "Not Found"} and answer.header("apigw-requestid") is not None


def same_page(one: Answer, other: Answer) -> bool:
    """Whether two answers are the same page, but for what a page repeats of its URL."""
    return one.is_html and other.is_html and one.status == other.status and first_words(one) == first_words(other)


def _heads(deployment: Deployment, answers: Answers) -> Iterator[Finding]:
    """HEAD is GET without the body (RFC 9110, section 9.3.2), where the manifest says that both are served."""
    for url in heads(deployment):
        get, head = answers.get("GET", url), answers.get("HEAD", url)
        if isinstance(get, Answer) and isinstance(head, Answer) and get.status < 400 and head.status != get.status:
            said = f"GET answers {get.status}, HEAD {head.status}."
            todo = "Give HEAD to the app that has GET: a route for ANY does, one for GET alone doesn't."
            yield Finding(rules.HEAD_DIFFERS, url, said, todo)


def heads(deployment: Deployment) -> list[str]:
    """The URLs of documents that are served with HEAD too."""
    return [
        probe.url
        for probe in probes(deployment)
        if probe.method == "GET" and probe.route.role in DOCUMENT_ROLES and {"GET", "HEAD"} <= {*probe.route.methods}
    ]


def pages(base: str, paths: tuple[str, ...], default: str, answers: Answers) -> Iterator[Finding]:
    """Whether the app behind $default answers its own paths, and says so when there is nothing."""
    for path in paths:
        answer, _ = follow(answers, f"{base}{path}")
        if isinstance(answer, Answer):
            yield from _page(f"{base}{path}", answer, default)
    nowhere = answers.get("GET", f"{base}{NOWHERE}")
    if isinstance(nowhere, Answer) and nowhere.status == 200 and nowhere.is_html:
        said = f"GET {describe(nowhere)}."
        todo = f"Have {default} answer 404 for what it doesn't have: clients take a page with status 200 for metadata."
        yield Finding(rules.CATCH_ALL_200, nowhere.url, said, todo)


def _page(url: str, answer: Answer, default: str) -> Iterator[Finding]:
    said = f"GET {describe(answer)}; {default} should answer it with a page."
    if answer.status >= 500 or (answer.status in {404, 410} and (answer.is_html or is_gateways(answer))):
        todo = f"Read the log of {default}, check that $default leads to it, and that the page is there."
        yield Finding(rules.PAGE_FAILS, url, said, todo)
    elif not answer.is_html and target_of(answer) is None:
        todo = (
            f"Check that no route takes the path: `routegen explain GET {url.partition('://')[2].partition('/')[2]}`."
        )
        yield Finding(rules.PAGE_SHADOWED, url, said, todo.replace("GET ", "GET /"))
