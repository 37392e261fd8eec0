"""Check that the endpoints that authorization server metadata names exist, and that clients can register."""

from collections.abc import Iterator

from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import describe_answer, parse_body
from routegen.verify.oauth_discovery import OAuthDiscovery


def check_endpoints(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """Report endpoints that do not exist.

    An endpoint for POST is allowed to answer GET with 404, but not OPTIONS too. Only the authorization endpoint is
    allowed to be a web page.
    """
    for endpoint in discovery.endpoints:
        answer = answers.get("GET", endpoint.url)
        if isinstance(answer, Failure):
            continue
        is_missing = answer.status == 404 and _is_404(answers.get("OPTIONS", endpoint.url))
        is_page = answer.status == 200 and answer.is_html and endpoint.field != "authorization_endpoint"
        if is_missing or is_page:
            message = f"{endpoint.field} in {endpoint.document_url} is this URL, but GET {describe_answer(answer)}."
            fix = f"Correct {endpoint.field}, or give its path a route to the authorization server."
            yield Finding(rules.ENDPOINT_MISSING, endpoint.url, message, fix)


def check_registration(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """Register a client, and check that the answer has its id (RFC 7591, section 3.2.1)."""
    for url in discovery.registration_urls:
        answer = answers.get("POST", url)
        if isinstance(answer, Failure):
            message = f"POST gives no answer: {answer.reason}."
        elif answer.status in {200, 201} and isinstance((parse_body(answer).value or {}).get("client_id"), str):
            continue
        else:
            message = f"POST {describe_answer(answer)}."
        fix = "Allow the registration of public clients with a loopback redirect URI, or read the server's log."
        yield Finding(rules.REGISTRATION_REFUSED, url, message, fix)


def _is_404(answer: Answer | Failure) -> bool:
    return isinstance(answer, Answer) and answer.status == 404
