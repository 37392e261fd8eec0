"""Check the revisions of MCP that the endpoint speaks (MCP 2026-07-28, "Versioning")."""

from collections.abc import Iterator

from routegen.report import Finding, rules
from routegen.verify.answers import Answer, Failure
from routegen.verify.documents import describe_answer
from routegen.verify.fetcher import Fetcher
from routegen.verify.mcp_messages import HEADER_MISMATCH, MODERN, OLDER, EraAnswers, error_of, result_of

_METHOD_NOT_FOUND = -32601


def era_answers(mcp_url: str, fetcher: Fetcher) -> EraAnswers:
    """Ask `server/discover` first and `initialize` second, with the token if there is one."""
    modern = fetcher.fetch("modern-with-token" if fetcher.token else "modern", "POST", mcp_url)
    return EraAnswers(modern, fetcher.fetch("with-token" if fetcher.token else "without-token", "POST", mcp_url))


def check_revisions(mcp_url: str, fetcher: Fetcher) -> Iterator[Finding]:
    """Check that a message of MCP 2026-07-28 reaches the server, and that clients of either era are served."""
    answers = era_answers(mcp_url, fetcher)
    modern, older = answers.modern, answers.older_revision
    works = older or (isinstance(answers.older, Answer) and answers.older.status == 401)
    if error_of(modern).get("code") == HEADER_MISMATCH:
        message = f"The headers of {MODERN} were sent, but the server answers that one is missing or different."
        fix = (
            "Let the gateway, the CDN or the proxy pass on MCP-Protocol-Version, Mcp-Method, Mcp-Name and Mcp-Param-*."
        )
        yield Finding(rules.HEADER_LOST, mcp_url, message, fix)
    elif works and _is_blocked(modern):
        problem = describe_answer(modern) if isinstance(modern, Answer) else f"has no answer: {modern.reason}"
        message = f"`server/discover` of {MODERN} {problem}, although `initialize` is answered."
        fix = "Let every POST with its headers reach the MCP server: a server of any revision answers it with JSON."
        yield Finding(rules.MODERN_BLOCKED, mcp_url, message, fix)
    elif answers.is_modern_only:
        message = f"The endpoint speaks {', '.join(answers.modern_revisions)}, and does not answer `initialize`."
        fix = f"Answer `initialize` with {OLDER} too: clients that do not know {MODERN} cannot connect."
        yield Finding(rules.ONE_ERA, mcp_url, message, fix)
    elif older and not answers.modern_revisions:
        message = f"The endpoint speaks {older}, and not {MODERN}."
        fix = "Nothing: clients fall back to `initialize`. A newer release of the server's SDK answers both."
        yield Finding(rules.ONE_ERA, mcp_url, message, fix)
    if answers.modern_revisions:
        yield from _check_listen(mcp_url, fetcher, modern)


def _is_blocked(answer: Answer | Failure) -> bool:
    if isinstance(answer, Failure):
        return True
    is_forbidden = answer.status == 403 and answer.header("www-authenticate") is None
    return answer.status >= 500 or is_forbidden or (answer.status == 200 and answer.is_html)


def _check_listen(mcp_url: str, fetcher: Fetcher, modern: Answer | Failure) -> Iterator[Finding]:
    """Check that `subscriptions/listen` is refused at once, or starts at once (MCP 2026-07-28, "Subscriptions")."""
    answer = fetcher.fetch("listening", "POST", mcp_url)
    if isinstance(answer, Answer) and answer.status < 500:
        return
    problem = answer.reason if isinstance(answer, Failure) else f"it {describe_answer(answer)}"
    message = f"`subscriptions/listen` of {MODERN} does not start its stream: {problem}."
    capabilities = (result_of(modern) or {}).get("capabilities")
    features = capabilities.values() if isinstance(capabilities, dict) else ()
    if any(isinstance(each, dict) and (each.get("listChanged") or each.get("subscribe")) for each in features):
        message += " The capabilities of the server promise such notifications."
    fix = (
        f"An API Gateway HTTP API cannot carry this stream: answer the method with error {_METHOD_NOT_FOUND} and "
        "status 404, or use a gateway that streams."
    )
    yield Finding(rules.LISTEN_SILENT, mcp_url, message, fix)
