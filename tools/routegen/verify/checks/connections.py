"""Check that servers can be reached, that answers are complete, and that documents are plain JSON without redirects."""

import re
from collections.abc import Iterable, Iterator
from shlex import quote

from routegen.report import Finding, Rule, rules
from routegen.verify.answers import Answer, Failure, shown
from routegen.verify.documents import DocumentAnswer, leaves_origin, redirect_location
from routegen.verify.request_url import origin_of

_FIX_BROKEN_HTTP = "Look at the bytes that the server sends: `curl -v --max-time 10 {url}`."
_RULES_AND_FIXES = {
    "dns": (rules.UNREACHABLE, "Check the spelling of the name, and its DNS record."),
    "refused": (rules.UNREACHABLE, "Check that the server runs, and that no firewall blocks this machine."),
    "tls": (rules.TLS, "Install a valid certificate for this name, with its whole chain of certificates."),
    "timeout": (
        rules.TOO_SLOW,
        "Check the duration and the cold start of the function, or allow more: `--timeout 30`.",
    ),
    "protocol": (rules.BROKEN_HTTP, _FIX_BROKEN_HTTP),
    "too-large": (rules.BROKEN_HTTP, _FIX_BROKEN_HTTP),
    "not-allowed": (rules.NOT_ALLOWED, "Correct this URL in the metadata or the challenge that names it."),
}
_JSON_MEDIA_TYPE = re.compile(r"application/(.*\+)?json")
# These failures concern a whole server, so one finding for each server is enough.
_SERVER_FAILURES = frozenset({"dns", "refused", "tls"})


def check_failures(results: Iterable[Answer | Failure]) -> Iterator[Finding]:
    """Report each server that cannot be reached, and each URL without a complete answer."""
    findings: dict[tuple[Rule, str], Finding] = {}
    for failure in results:
        if isinstance(failure, Failure) and failure.kind in _RULES_AND_FIXES:
            rule, fix = _RULES_AND_FIXES[failure.kind]
            subject = origin_of(failure.url) if failure.kind in _SERVER_FAILURES else failure.url
            message = f"{failure.method} {failure.url}: {failure.reason}."
            finding = Finding(rule, subject, message, fix.format(url=quote(failure.url)))
            findings.setdefault((rule, subject), finding)
    yield from findings.values()


def check_redirects(results: Iterable[Answer | Failure]) -> Iterator[Finding]:
    """Report redirects: some clients do not follow them, and no client should follow one to another origin."""
    for answer in dict.fromkeys(results):
        if not isinstance(answer, Answer) or (target := redirect_location(answer)) is None:
            continue
        message = f"{answer.method} {answer.url} answers {answer.status}, a redirect to {shown(target)}"
        if leaves_origin(answer.url, target):
            fix = "Answer this URL without a redirect: a client that follows it sends its data to another server."
            yield Finding(rules.REDIRECTED_AWAY, answer.url, f"{message}, which was not followed.", fix)
        else:
            fix = "Answer this path without a redirect: add a route for exactly this path, with or without its slash."
            yield Finding(rules.REDIRECTED, answer.url, f"{message}.", fix)


def check_document_format(attempts: Iterable[DocumentAnswer]) -> Iterator[Finding]:
    """Check the content type (RFC 9728 and RFC 8414, section 3.2 of each) and the keys of JSON documents."""
    for document in attempts:
        answer = document.answer
        if isinstance(answer, Failure) or not document.is_document:
            continue
        media_type = answer.media_type
        if not _JSON_MEDIA_TYPE.fullmatch(media_type):
            message = f"The body is JSON, but the content type is {shown(media_type) or 'missing'}."
            yield Finding(rules.CONTENT_TYPE, document.url, message, "Send `Content-Type: application/json`.")
        if duplicate_keys := answer.parsed_body.duplicate_keys:
            names = shown(", ".join(sorted({*duplicate_keys})))
            fix = "Write each key once: some clients use the first value, some the last, and some refuse the document."
            yield Finding(rules.DOUBLED_KEY, document.url, f"The document has these keys twice: {names}.", fix)
