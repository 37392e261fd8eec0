"""Check CORS, for MCP clients in a web page of another origin (WHATWG Fetch, section 3.2)."""

from collections.abc import Iterator

from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Failure
from routegen.verify.documents import redirect_location
from routegen.verify.fetcher import BROWSER_ORIGIN, BROWSER_REQUEST_HEADERS, Fetcher
from routegen.verify.mcp_messages import result_of
from routegen.verify.oauth_discovery import OAuthDiscovery

_NEEDED_HEADERS = ("WWW-Authenticate", "Mcp-Session-Id")


def check_cors(discovery: OAuthDiscovery, fetcher: Fetcher) -> Iterator[Finding]:
    """Check that a web page can send requests to the endpoint, and if so, that it can read what it needs."""
    answers, mcp_url = fetcher.answers("in-browser"), discovery.mcp_url
    preflight = answers.get("OPTIONS", mcp_url)
    if isinstance(preflight, Failure):
        return
    if not (preflight.is_success and _allows_origin(preflight)):
        message = (
            f"The preflight for {BROWSER_ORIGIN} answers {preflight.status} without a usable "
            "Access-Control-Allow-Origin."
        )
        fix = "Nothing, unless clients run in a browser: then add CORS to the MCP server, and not to the API."
        yield Finding(rules.BROWSERS_REFUSED, mcp_url, message, fix)
        return
    allowed = _names(preflight, "access-control-allow-headers")
    if "*" in allowed:  # It does not allow `authorization` (WHATWG Fetch).
        allowed |= {*BROWSER_REQUEST_HEADERS} - {"authorization"}
    if names := ", ".join(name for name in BROWSER_REQUEST_HEADERS if name not in allowed):
        message = f"Access-Control-Allow-Headers does not list {names}, so a browser does not send the request."
        fix = f"Add {names} to Access-Control-Allow-Headers in the CORS settings of the MCP server."
        yield Finding(rules.PREFLIGHT, mcp_url, message, fix)
    yield from _check_readable(answers.get("POST", mcp_url))
    if fetcher.token:
        with_token = fetcher.fetch("with-token", "POST", mcp_url)
        if isinstance(with_token, Answer) and with_token.header("mcp-session-id") is not None:
            yield from _check_readable(fetcher.fetch("in-browser-with-token", "POST", mcp_url))
    message = f"The endpoint allows {BROWSER_ORIGIN}, but this document has no Access-Control-Allow-Origin for it."
    fix = "Send `Access-Control-Allow-Origin: *` with the document, which is public."
    for url in discovery.metadata_urls:
        answer = answers.get("GET", url)
        if isinstance(answer, Answer) and redirect_location(answer) is None and not _allows_origin(answer):
            yield Finding(rules.BROWSERS_INCOMPLETE, url, message, fix)


def _check_readable(answer: Answer | Failure) -> Iterator[Finding]:
    """Check that a script can read a 401 or a result of the endpoint, and the headers in it that a client needs."""
    if isinstance(answer, Failure) or not (answer.status == 401 or result_of(answer) is not None):
        return
    exposed = _names(answer, "access-control-expose-headers")
    hidden = [name for name in _NEEDED_HEADERS if answer.header(name) and exposed.isdisjoint({name.lower(), "*"})]
    if not _allows_origin(answer):
        message = f"The preflight allows {BROWSER_ORIGIN}, but POST answers {answer.status} without this permission."
        fix = "Send Access-Control-Allow-Origin with every answer of the endpoint, errors included."
        yield Finding(rules.NOT_EXPOSED, answer.url, message, fix)
    elif names := ", ".join(hidden):
        message = f"POST answers {answer.status} with {names}, which Access-Control-Expose-Headers does not list."
        fix = f"Add {names} to Access-Control-Expose-Headers in the CORS settings of the MCP server."
        yield Finding(rules.NOT_EXPOSED, answer.url, message, fix)


def _allows_origin(answer: Answer) -> bool:
    return (answer.header("access-control-allow-origin") or "").strip() in {"*", BROWSER_ORIGIN}


def _names(answer: Answer, header: str) -> set[str]:
    """The names in a header, which can be on several lines."""
    values = [value for name, value in answer.headers if name == header]
    return {name.strip().lower() for name in ",".join(values).split(",")}
