"""Servers that can't be reached, answers that aren't any, redirects, and the form of the documents."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Failure
from routegen.verify.documents import Absent, Document, away, target_of
from routegen.verify.ssrf_guard import origin_of

_BY_KIND = {
    "dns": (rules.UNREACHABLE, "Check the name and its DNS record."),
    "refused": (rules.UNREACHABLE, "Check that the server runs and that a firewall lets this machine in."),
    "tls": (rules.TLS, "Renew the certificate, or have it cover this name and send its whole chain."),
    "timeout": (rules.TOO_SLOW, "Look at the function's duration and cold start, or give --timeout more seconds."),
    "protocol": (rules.BROKEN_HTTP, "Look at what the server sends, for example with `curl -v`."),
    "too-large": (rules.BROKEN_HTTP, "Look at what the server sends, for example with `curl -v`."),
    "not-allowed": (rules.NOT_ALLOWED, "Correct the URL in the metadata that names it."),
}
# These are the whole server's, not one URL's: one finding is enough.
_SERVERS_OWN = frozenset({"dns", "refused", "tls"})


def unreached(failures: Iterable[Failure]) -> Iterator[Finding]:
    """One finding a server that can't be reached, one a URL that gives no whole answer."""
    seen = set()
    for failure in failures:
        if failure.kind not in _BY_KIND:
            continue
        rule, todo = _BY_KIND[failure.kind]
        subject = origin_of(urlsplit(failure.url)) if failure.kind in _SERVERS_OWN else failure.url
        if (rule, subject) not in seen:
            seen.add((rule, subject))
            yield Finding(rule, subject, f"{failure.method} {failure.url}: {failure.why}.", todo)


def redirected(redirects: Iterable[Answer]) -> Iterator[Finding]:
    """Redirects of the MCP endpoint and of documents: some clients don't follow them, and none to another origin."""
    for answer in dict.fromkeys(redirects):
        target = target_of(answer)
        if target is None:
            continue
        happened = f"{answer.method} {answer.url} answers {answer.status}, a redirect to {target[:300]}"
        if away(answer.url, target):
            todo = "Answer it at its own URL: a client that follows sends what it has to another server."
            yield Finding(rules.REDIRECTED_AWAY, answer.url, f"{happened}, which was not followed.", todo)
        else:
            todo = "Let the path itself answer: a route for it, without a trailing slash or with one as clients ask."
            yield Finding(rules.REDIRECTED, answer.url, f"{happened}.", todo)


def documents(found: Iterable[Document]) -> Iterator[Finding]:
    """The form of JSON documents: RFC 9728, section 3.2, and RFC 8414, section 3.2, want application/json."""
    for document in found:
        kind = document.answer.media_type
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            said = f"It is JSON, but its content type is {kind or 'not given'}."
            yield Finding(rules.CONTENT_TYPE, document.url, said, "Send `Content-Type: application/json`.")
        if document.doubled:
            names = ", ".join(sorted(set(document.doubled)))[:200]
            todo = "Write each key once: some readers take the first, some the last, some refuse."
            yield Finding(rules.DOUBLED_KEY, document.url, f"It has these keys twice: {names}.", todo)


def failures_of(places: Iterable[Document | Absent | None]) -> list[Failure]:
    """Why there was no answer, of those that gave none."""
    return [place.failure for place in places if isinstance(place, Absent) and place.failure]


def redirects_of(places: Iterable[Document | Absent | None]) -> list[Answer]:
    """Every redirect on the way to these, those that led away included."""
    return [answer for place in places if place for answer in place.redirects]
