"""The endpoints that an authorization server names: is anything there?"""

from collections.abc import Iterator

from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.checks.server_metadata import ENDPOINTS
from routegen.verify.documents import describe, parse
from routegen.verify.oauth_discovery import Chain, is_secure, is_web
from routegen.verify.ssrf_guard import split


def named(chain: Chain) -> list[tuple[str, str, str]]:
    """Each endpoint that may be asked: the document that names it, its name, its URL."""
    found = []
    for server in chain.servers:
        for name in ENDPOINTS:
            url = server.metadata.value.get(name) if server.metadata else None
            if server.metadata and isinstance(url, str) and is_web(split(url)) and is_secure(url):
                found.append((server.metadata.url, name, url))
    return found


def there(chain: Chain, answers: Answers) -> Iterator[Finding]:
    """An endpoint for POST may answer GET with a 404, but then not OPTIONS too; a page is no OAuth endpoint."""
    for document, name, url in named(chain):
        answer = answers.get("GET", url)
        if isinstance(answer, Failure):
            continue
        nothing = answer.status == 404 and _is_404(answers.get("OPTIONS", url))
        page = answer.status == 200 and answer.is_html and name != "authorization_endpoint"
        if nothing or page:
            todo = f"Correct {name}, or give its path a route to the authorization server."
            happened = f"{document} names it as {name}, but GET {describe(answer)}."
            yield Finding(rules.ENDPOINT_MISSING, url, happened, todo)


def registration(chain: Chain, answers: Answers) -> Iterator[Finding]:
    """A registration is answered with a client's id (RFC 7591, section 3.2.1); asked for with --register alone."""
    for _, name, url in named(chain):
        if name != "registration_endpoint":
            continue
        answer = answers.get("POST", url)
        if isinstance(answer, Failure):
            said = f"POST gives no answer: {answer.why}."
        elif answer.status in {200, 201} and isinstance((parse(answer)[0] or {}).get("client_id"), str):
            continue
        else:
            said = f"POST {describe(answer)}."
        todo = "Allow open registration for public clients with a loopback redirect URI, or look at the server's log."
        yield Finding(rules.REGISTRATION_REFUSED, url, said, todo)


def _is_404(answer: Answer | Failure) -> bool:
    return isinstance(answer, Answer) and answer.status == 404
