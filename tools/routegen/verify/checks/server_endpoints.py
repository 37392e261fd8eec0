"""Check that the endpoints that authorization server metadata names exist, and that clients can register."""

from collections.abc import Iterator
from itertools import product

from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import describe_answer
from routegen.verify.oauth_discovery import ENDPOINT_FIELDS, OAuthDiscovery
from routegen.verify.request_url import is_secure


def check_endpoints(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """Report endpoints that do not exist.

    Clients send POST to each endpoint except the authorization endpoint, and an endpoint is allowed to answer 404 to
    every other method (RFC 6749, section 3.2; RFC 7591, section 3.1). Only the authorization endpoint is allowed to be
    a web page.
    """
    for document, field in product(discovery.server_documents, ENDPOINT_FIELDS):
        url = document.value.get(field)
        if not isinstance(url, str) or not is_secure(url):
            continue
        answer, post = answers.get("GET", url), answers.get("POST", url)
        takes_post = field != "authorization_endpoint"
        is_tried = takes_post and isinstance(post, Answer)
        answer = post if is_tried else answer
        if isinstance(answer, Failure):
            continue
        if answer.status == 404 and takes_post and not is_tried:
            message = f"{field} answers GET with 404, and POST was not tried."
            yield Finding(rules.ENDPOINT_UNTESTED, url, message, "Nothing, if it answers POST: `--register` tries it.")
        elif answer.status == 404 or (answer.status == 200 and answer.is_html and takes_post):
            message = f"{field} in {document.url} is this URL, but {answer.method} {describe_answer(answer)}."
            fix = f"Correct {field}, or give its path a route to the authorization server."
            yield Finding(rules.ENDPOINT_MISSING, url, message, fix)


def check_registration(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """Register a client, and check that the answer has its id (RFC 7591, section 3.2.1)."""
    for url in discovery.urls_of("registration_endpoint"):
        answer = answers.get("POST", url)
        document = answer.document if isinstance(answer, Answer) and answer.status in {200, 201} else None
        if isinstance((document or {}).get("client_id"), str):
            continue
        problem = f"gives no answer: {answer.reason}" if isinstance(answer, Failure) else describe_answer(answer)
        fix = "Allow the registration of public clients with a loopback redirect URI, or read the server's log."
        yield Finding(rules.REGISTRATION_REFUSED, url, f"POST {problem}.", fix)
