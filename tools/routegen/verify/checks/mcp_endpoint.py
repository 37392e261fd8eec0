"""The MCP endpoint itself: asked without a token, and with the user's."""

from collections.abc import Iterator

from routegen.report import Finding, rules
from routegen.roles import PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Answers, Failure
from routegen.verify.documents import describe, parse, target_of
from routegen.verify.oauth_discovery import Chain, is_open


def without_token(chain: Chain) -> Iterator[Finding]:
    """An endpoint that wants a sign-in answers 401 (RFC 9728, section 5; MCP, "Authorization")."""
    first, url = chain.first, chain.mcp_url
    if isinstance(first, Failure) or first.status == 401 or target_of(first):
        return
    said = f"POST {describe(first)}."
    if first.is_html:
        todo = f"Give {_path(url)} a route of its own to the MCP server: `routegen check` compares, a deployment mends."
        yield Finding(rules.MCP_PAGE, url, said, todo)
    elif first.status >= 500:
        yield Finding(
            rules.MCP_FAILS, url, said, "Read the function's log: it raises, runs out of time or can't be invoked."
        )
    elif is_open(first):
        todo = f"Give the server an auth provider if it shouldn't be open; then it serves {PROTECTED_RESOURCE} too."
        yield Finding(rules.MCP_OPEN, url, f"{said[:-1]}, without any token.", todo)
    else:
        todo = "Check the path and that its route takes POST; a request without a token must get a 401."
        yield Finding(rules.MCP_STATUS, url, said, todo)


def with_token(mcp_url: str, answers: Answers) -> Iterator[Finding]:
    """With a token, `initialize` is answered (MCP, "Lifecycle")."""
    answer = answers.get("POST", mcp_url)
    if isinstance(answer, Failure):
        todo = "Read the function's log: without a token the endpoint has answered."
        yield Finding(rules.TOKEN_ANSWER, mcp_url, f"With the token there is no answer: {answer.why}.", todo)
    elif answer.status in {401, 403}:
        todo = "Get a new token, and check that its `aud` is the MCP endpoint's URL and its `iss` the server's issuer."
        yield Finding(rules.TOKEN_REFUSED, mcp_url, f"With the token, POST {describe(answer)}.", todo)
    elif not _starts(answer):
        todo = "Read the function's log: the token is accepted, and the request fails after that."
        yield Finding(rules.TOKEN_ANSWER, mcp_url, f"With the token, POST {describe(answer)}.", todo)


def _starts(answer: Answer) -> bool:
    """Whether it holds the result of `initialize`, as JSON or as the first event of a stream."""
    if answer.status != 200:
        return False
    if answer.media_type == "text/event-stream":
        lines = answer.body.replace(b"\r\n", b"\n").split(b"\n\n")[0].split(b"\n")
        data = b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
        answer = Answer(answer.method, answer.url, 200, (), data)
    value, _, _ = parse(answer)
    result = value.get("result") if value else None
    return isinstance(result, dict) and "protocolVersion" in result


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]
