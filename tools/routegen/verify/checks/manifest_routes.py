"""Check that each route is answered by its app, and each page by the default app.

The answers show the app: a metadata document must be JSON, and an OAuth endpoint must not be a web page. For a path
whose app can answer with pages, the page is compared with the answer to a path that no app serves; the default app
answers both paths if the pages are the same. A reserved path must have the app's own 404.
"""

from collections.abc import Iterator
from shlex import quote

from routegen.manifest import DOCUMENT_ROLES, Route
from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.deployment import Deployment, RouteProbe
from routegen.verify.documents import describe_answer, follow_redirects, redirect_location, text_excerpt

_ENDPOINT_ROLES = {"mcp-endpoint", "token-endpoint", "registration-endpoint", "revocation-endpoint"}


def check_routes(deployment: Deployment, answers: Answers) -> Iterator[Finding]:
    """Check each route of the manifest."""
    unserved = answers.get("GET", deployment.unserved_url)
    probed = [answers.get(probe.method, probe.url) for probe in deployment.probes if probe.method]
    if probed and all(isinstance(answer, Answer) and _is_gateway_404(answer) for answer in probed):
        message = f"API Gateway answers each of the {len(probed)} routes of the manifest with its own 404."
        fix = (
            "Add the name of the stage to URL, unless the stage is `$default`; or correct the mapping of the domain, "
            "which can lead to another API."
        )
        yield Finding(rules.ROUTE_MISSING, deployment.base_url, message, fix)
        return
    for probe in deployment.probes:
        if probe.method is None:
            methods = ", ".join(probe.route.methods)
            message = f"{probe.route.app} serves only {methods} here, and such a request could change something."
            fix = "Nothing; `routegen prove` checks this route without a deployment."
            yield Finding(rules.NOT_ASKED, probe.url, message, fix)
        elif isinstance(answer := answers.get(probe.method, probe.url), Answer):
            yield from _check_route(probe, answer, unserved, deployment.default_app)
    # HEAD has the status of GET (RFC 9110, section 9.3.2), if the manifest has both methods.
    fix = "Send HEAD to the app that gets GET: use a route key for ANY, because a key for GET does not take HEAD."
    for url in deployment.head_urls:
        get, head = answers.get("GET", url), answers.get("HEAD", url)
        if isinstance(get, Answer) and isinstance(head, Answer) and get.status < 400 and head.status != get.status:
            yield Finding(rules.HEAD_DIFFERS, url, f"GET answers {get.status}, but HEAD answers {head.status}.", fix)


def _check_route(probe: RouteProbe, answer: Answer, unserved: Answer | Failure, default_app: str) -> Iterator[Finding]:
    route, route_keys = probe.route, ", ".join(probe.route.route_keys)
    expected = "with its own 404" if route.reserved else f"as {route.role}"
    message = f"{probe.method} {describe_answer(answer)}; {route.app} should answer it {expected}"
    fix = f"Deploy the manifest: the gateway lacks {route_keys}, or the route leads to another function."
    if _is_from_default_app(route, answer, unserved):
        yield Finding(rules.ROUTE_SHADOWED, probe.url, f"{message}, but {default_app} does.", fix)
    elif answer.status >= 500:
        causes = "the function raises an error, exceeds its time limit, or cannot be invoked"
        yield Finding(rules.ROUTE_FAILS, probe.url, f"{message}.", f"Read the log of {route.app}: {causes}.")
    elif _is_missing(route, answer):
        yield Finding(rules.ROUTE_MISSING, probe.url, f"{message}.", fix)


def _is_from_default_app(route: Route, answer: Answer, unserved: Answer | Failure) -> bool:
    """Whether a page is at a path whose app has no pages, or is the same as at a path that no app serves."""
    has_no_pages = answer.status == 200 if route.reserved else route.role in DOCUMENT_ROLES | _ENDPOINT_ROLES
    if not answer.is_html or has_no_pages or isinstance(unserved, Failure):
        return answer.is_html and has_no_pages
    # The text after the beginning of a page can repeat the URL.
    is_similar = unserved.is_html and unserved.status == answer.status
    return is_similar and text_excerpt(unserved) == text_excerpt(answer)


def _is_missing(route: Route, answer: Answer) -> bool:
    if route.reserved or _is_gateway_404(answer):
        return _is_gateway_404(answer)
    if route.role in DOCUMENT_ROLES:
        # The checks of connections report a redirect.
        return redirect_location(answer) is None and (answer.status != 200 or answer.document is None)
    return route.role in _ENDPOINT_ROLES and answer.status == 404


def _is_gateway_404(answer: Answer) -> bool:
    """Whether API Gateway itself answers that it has no route."""
    is_own = answer.document == {"message": "Not Found"} and answer.header("apigw-requestid") is not None
    return answer.status == 404 and is_own


def check_pages(deployment: Deployment, answers: Answers) -> Iterator[Finding]:
    """Check that the default app answers its pages, and that it answers 404 to a path that it does not have."""
    default_app = deployment.default_app
    for path in deployment.pages:
        url = f"{deployment.base_url}{path}"
        answer, _ = follow_redirects(answers, url)
        if isinstance(answer, Answer):
            yield from _check_page(path, url, answer, default_app)
    unserved = answers.get("GET", deployment.unserved_url)
    if isinstance(unserved, Answer) and unserved.status == 200 and unserved.is_html:
        message = f"No app has this path, but GET {describe_answer(unserved)}."
        fix = f"Let {default_app} answer unknown paths with 404: clients read a page with status 200 as metadata."
        yield Finding(rules.CATCH_ALL_200, unserved.url, message, fix)


def _check_page(path: str, url: str, answer: Answer, default_app: str) -> Iterator[Finding]:
    message = f"GET {describe_answer(answer)}; {default_app} should answer it with a page."
    if answer.status >= 500 or (answer.status in {404, 410} and (answer.is_html or _is_gateway_404(answer))):
        fix = f"Check that the page exists and that $default leads to {default_app}; then read its log."
        yield Finding(rules.PAGE_FAILS, url, message, fix)
    elif not answer.is_html and redirect_location(answer) is None:
        fix = f"Check that no route takes the path: `routegen explain GET {quote(path)}`."
        yield Finding(rules.PAGE_SHADOWED, url, message, fix)
