"""What comes after the metadata: registration, the page where the user signs in, and the token.

A run registers nobody unless it is told to, so what a POST would be answered is inferred from what the endpoints answer
to GET: nothing at both, or the same page at both, is an origin that has no authorization server. Everything else is
taken to work, and the prediction says so.
"""

from collections.abc import Sequence
from dataclasses import replace

from routegen.verify.answers import Answer, Failure
from routegen.verify.clients.sign_in_flow import NETWORK, Flow, Redirects, unknown


def posted(flow: Flow, register: str, authorize: str, *, named: bool, redirects: Redirects) -> Answer | Failure | None:
    """What a client's registration is answered; None where it is taken to succeed.

    Args:
        flow: the client on its way.
        register: where it registers (RFC 7591, section 3.1).
        authorize: where its user would sign in.
        named: whether metadata names the two; else they are the paths that MCP 2025-03-26 falls back to.
        redirects: which the client follows.
    """
    answer = flow.follow("POST", register, redirects)
    if not (isinstance(answer, Failure) and answer.kind == "not-asked"):
        return answer
    shown = flow.look("GET", register)
    if isinstance(shown, Failure):
        if shown.kind in NETWORK:
            return shown
    elif _missing(flow, register, shown) if named else _no_server(flow, shown, authorize):
        flow.assumptions.append(f"POST {register} is answered like GET")
        return replace(shown, method="POST")
    elif shown.status == 200 and shown.is_html:
        raise unknown(f"GET {register} answers with a web page, and what it says to POST was not asked.", register)
    flow.assumptions.append(f"a client can register at {register}")
    return None


def no_page(flow: Flow, authorize: str) -> Answer | None:
    """What stands where the user would sign in, if that is a 404."""
    answer = flow.look("GET", authorize)
    return answer if isinstance(answer, Answer) and answer.status == 404 else None


def assume_token(flow: Flow, resource: str | None, wanted: Sequence[str] | None, offered: Sequence[str] | None) -> None:
    """Take note of what has to hold for the token that the user's sign-in ends with: nothing that is asked here tells.

    Args:
        flow: the client on its way.
        resource: for which it wants the token (RFC 8707); None where it says none.
        wanted: the scopes that the resource's metadata lists, which the client asks for.
        offered: the scopes that the authorization server's metadata lists; None where it lists none.
    """
    if resource is None:
        flow.assumptions.append("the MCP server takes a token that is for no resource in particular")
    elif resource.rstrip("/") != flow.mcp_url.partition("#")[0].rstrip("/"):
        flow.assumptions.append(f"the MCP server takes a token for {resource}, and the authorization server gives one")
    if unknown_ones := sorted({*(wanted or ())} - {*(offered or wanted or ())}):
        flow.assumptions.append(
            f"the authorization server takes the scope {' '.join(unknown_ones)}, which it doesn't list"
        )


def arrived(flow: Flow, authorize: str) -> str:
    """Why the client connects."""
    if flow.assumptions:
        return f"Its user signs in at {authorize}, if {' and '.join(flow.assumptions)} (not tried)."
    return f"Its user signs in at {authorize}."


def guessed(flow: Flow) -> str:
    """What a sentence on a failure adds where something was inferred."""
    return f" (if {' and '.join(flow.assumptions)}, which was not tried)" if flow.assumptions else ""


def _missing(flow: Flow, url: str, shown: Answer) -> bool:
    # An endpoint for POST may answer GET with a 404, but then not OPTIONS too.
    other = flow.look("OPTIONS", url)
    return shown.status == 404 and isinstance(other, Answer) and other.status == 404


def _no_server(flow: Flow, shown: Answer, authorize: str) -> bool:
    page = flow.look("GET", authorize)
    if isinstance(page, Failure):
        return False
    if page.status == shown.status == 404:
        return True
    return page.status == shown.status == 200 and page.is_html and page.body == shown.body
