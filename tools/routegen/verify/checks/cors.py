"""CORS: what a client in a browser meets (WHATWG Fetch, section 3.2)."""

from collections.abc import Iterator

from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import target_of
from routegen.verify.oauth_discovery import Chain

# `*` is no wildcard for `authorization` (WHATWG Fetch, "CORS-preflight fetch").
_SENT = ("authorization", "content-type", "mcp-protocol-version")


def shared(chain: Chain, browser: Answers, origin: str) -> Iterator[Finding]:
    """Whether a page of `origin` may talk to the endpoint, and then whether it may read the metadata too."""
    preflight = browser.get("OPTIONS", chain.mcp_url)
    if isinstance(preflight, Failure):
        return
    if not (200 <= preflight.status < 300 and _lets_in(preflight, origin)):
        todo = (
            "Nothing needs to be done unless clients run in a browser; then add CORS to the MCP server, not to the API."
        )
        said = f"The preflight answers {preflight.status} without a usable Access-Control-Allow-Origin."
        yield Finding(rules.BROWSERS_REFUSED, chain.mcp_url, said, todo)
        return
    allowed = {name.strip().lower() for name in _header(preflight, "access-control-allow-headers").split(",")}
    missing = [name for name in _SENT if name not in allowed and ("*" not in allowed or name == "authorization")]
    if missing:
        said = f"Access-Control-Allow-Headers lacks {', '.join(missing)}."
        yield Finding(rules.PREFLIGHT, chain.mcp_url, said, f"Allow {', '.join(missing)} in the CORS settings.")
    for url in documents(chain):
        answer = browser.get("GET", url)
        if isinstance(answer, Answer) and target_of(answer) is None and not _lets_in(answer, origin):
            said = f"The endpoint allows {origin}, but this has no Access-Control-Allow-Origin for it."
            yield Finding(
                rules.BROWSERS_INCOMPLETE, url, said, "Send `Access-Control-Allow-Origin: *` with it: it is public."
            )


def documents(chain: Chain) -> list[str]:
    """The metadata that a client reads on its way."""
    used = chain.resource.used if chain.resource else None
    found = [used, *(server.metadata for server in chain.servers)]
    return list(dict.fromkeys(document.url for document in found if document))


def _lets_in(answer: Answer, origin: str) -> bool:
    return _header(answer, "access-control-allow-origin") in {"*", origin}


def _header(answer: Answer, name: str) -> str:
    return (answer.header(name) or "").strip()
