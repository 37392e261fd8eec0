"""Check CORS, for MCP clients in a web page of another origin (WHATWG Fetch, section 3.2)."""

from collections.abc import Iterator

from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import redirect_location
from routegen.verify.fetcher import BROWSER_REQUEST_HEADERS
from routegen.verify.oauth_discovery import OAuthDiscovery


def check_cors(discovery: OAuthDiscovery, answers: Answers, origin: str) -> Iterator[Finding]:
    """Check that a web page can send requests to the endpoint, and if so, that it can read the metadata.

    Args:
        discovery: the MCP endpoint and the metadata.
        answers: the answers that a script in a page of that origin gets.
        origin: the origin of the page.
    """
    preflight = answers.get("OPTIONS", discovery.mcp_url)
    if isinstance(preflight, Failure):
        return
    if not (200 <= preflight.status < 300 and _allows_origin(preflight, origin)):
        message = f"The preflight for {origin} answers {preflight.status} without a usable Access-Control-Allow-Origin."
        fix = "Nothing, unless clients run in a browser: then add CORS to the MCP server, and not to the API."
        yield Finding(rules.BROWSERS_REFUSED, discovery.mcp_url, message, fix)
        return
    if missing := _missing_headers(preflight):
        names = ", ".join(missing)
        message = f"Access-Control-Allow-Headers does not list {names}, so a browser does not send the request."
        fix = f"Add {names} to Access-Control-Allow-Headers in the CORS settings of the MCP server."
        yield Finding(rules.PREFLIGHT, discovery.mcp_url, message, fix)
    for url in discovery.metadata_urls:
        answer = answers.get("GET", url)
        if isinstance(answer, Answer) and redirect_location(answer) is None and not _allows_origin(answer, origin):
            message = f"The endpoint allows {origin}, but this document has no Access-Control-Allow-Origin for it."
            fix = "Send `Access-Control-Allow-Origin: *` with the document, which is public."
            yield Finding(rules.BROWSERS_INCOMPLETE, url, message, fix)


def _missing_headers(preflight: Answer) -> list[str]:
    """The headers of MCP clients that a preflight does not allow; `*` does not allow `authorization` (WHATWG Fetch)."""
    allowed = {name.strip().lower() for name in _header(preflight, "access-control-allow-headers").split(",")}
    return [
        name
        for name in BROWSER_REQUEST_HEADERS
        if name not in allowed and ("*" not in allowed or name == "authorization")
    ]


def _allows_origin(answer: Answer, origin: str) -> bool:
    return _header(answer, "access-control-allow-origin") in {"*", origin}


def _header(answer: Answer, name: str) -> str:
    return (answer.header(name) or "").strip()
