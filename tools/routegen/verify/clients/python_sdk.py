"""The Python SDK with FastMCP's client on top.

From the sources of `mcp` 2.3.0 (`client/auth/oauth2.py`, `client/auth/utils.py`, `shared/auth.py`) and `fastmcp` 4.1.2
(`client/auth/oauth.py`), and from what they asked when they were recorded.
"""

import json
import re
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ValidationError
from routegen.roles import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import client_registration
from routegen.verify.clients.metadata_schemas import ResourceModel, ServerModel
from routegen.verify.clients.sign_in_flow import Flow, FlowError, fails, is_web, known, redirect_of, unknown
from routegen.verify.clients.whatwg_url import preserved
from routegen.verify.documents import describe

_Model = TypeVar("_Model", bound=BaseModel)
_NAMED = re.compile(r'resource_metadata=(?:"([^"]+)"|([^\s,]+))')


@dataclass(frozen=True)
class Endpoints:
    """Where the client goes once it has looked for metadata.

    Attributes:
        register: where it registers.
        authorize: where its user signs in.
        named: whether metadata names the two.
    """

    register: str
    authorize: str
    named: bool


def connect(flow: Flow) -> str:
    """From the first request to the sign-in.

    Raises:
        FlowError: the client doesn't get there.
    """
    flow.endpoint  # noqa: B018 - raises for what isn't a URL
    first = flow.follow("POST", flow.mcp_url)
    if isinstance(first, Failure):
        raise _no_answer(first)
    if first.status == 200 and first.media_type in {"application/json", "text/event-stream"}:
        return f"{flow.mcp_url} asks for no sign-in."
    if first.status != 401:
        raise _refused(flow, first)
    resource = _resource(flow, first)
    metadata = _metadata(flow, resource.authorization_servers[0] if resource else None)
    endpoints = _endpoints(flow, metadata)
    _register(flow, endpoints)
    if page := client_registration.no_page(flow, endpoints.authorize):
        said = _said(f"Unexpected authorization response: {page.status}")
        raise fails(f"The page where its user would sign in {describe(page)}.", endpoints.authorize, said)
    # It names the endpoint itself where no metadata names the resource (`get_resource_url`).
    client_registration.assume_token(
        flow,
        resource.resource if resource else flow.mcp_url,
        resource.scopes_supported if resource else None,
        metadata.scopes_supported if metadata else None,
    )
    return client_registration.arrived(flow, endpoints.authorize)


def _said(message: str) -> str:
    return f"RuntimeError: Client failed to connect: {message}"


def _resource(flow: Flow, challenge: Answer) -> ResourceModel | None:
    """The resource's metadata; on past whatever is none."""
    failed = None
    for url in _places(flow, challenge):
        answer = _get(flow, url)
        if answer.status >= 500 or answer.status == 429:
            failed = answer
        resource = _model(ResourceModel, answer)
        if resource:
            _check_resource(flow, resource.resource, url)
            return resource
    if failed:
        # Not the older discovery: a server error says nothing about whether there is metadata.
        said = _said(f"Protected resource metadata request failed: HTTP {failed.status}")
        raise fails(f"{failed.url} {describe(failed)}, and it looks nowhere else then.", failed.url, said)
    return None


def _places(flow: Flow, challenge: Answer) -> list[str]:
    # Several fields of one name are one, joined (httpx2's `Headers.get`).
    header = ", ".join(value for name, value in challenge.headers if name == "www-authenticate")
    match = _NAMED.search(header)
    parts = urlsplit(_server_url(flow))
    root = f"{parts.scheme}://{parts.netloc}{PROTECTED_RESOURCE}"
    named = [match[1] or match[2]] if match else []
    return [*named, *([f"{root}{parts.path}"] if parts.path not in {"", "/"} else []), root]


def _server_url(flow: Flow) -> str:
    return flow.mcp_url.rstrip("/")  # FastMCP's `OAuth` does that


def _check_resource(flow: Flow, resource: str, url: str) -> None:
    """RFC 8707: the same origin, and a path that the endpoint's begins with (`check_resource_allowed`)."""
    asked = urlsplit(_server_url(flow))
    named = urlsplit(resource)
    same = (asked.scheme.lower(), asked.netloc.lower()) == (named.scheme.lower(), named.netloc.lower())
    if same and _with_slash(asked.path).startswith(_with_slash(named.path)):
        return
    expected = urlunsplit((asked.scheme.lower(), asked.netloc.lower(), asked.path, asked.query, ""))
    said = _said(f"Protected resource {resource} does not match expected {expected}")
    raise fails(f"{url} is about {resource}, not about {expected}.", url, said)


def _with_slash(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"


def _metadata(flow: Flow, server: str | None) -> ServerModel | None:
    for url in _server_places(flow, server):
        answer = _get(flow, url)
        if not (answer.status == 200 or 300 <= answer.status < 500):
            return None
        metadata = _model(ServerModel, answer)
        if metadata:
            _check_issuer(flow, server, metadata.issuer, url)
            return metadata
    return None


def _server_places(flow: Flow, server: str | None) -> list[str]:
    parts = urlsplit(server or _server_url(flow))
    origin = f"{parts.scheme}://{parts.netloc}"
    if server is None:
        return [f"{origin}{AUTHORIZATION_SERVER}"]
    path = parts.path.rstrip("/")
    if not path:
        return [f"{origin}{AUTHORIZATION_SERVER}", f"{origin}{OPENID_CONFIGURATION}"]
    return [
        f"{origin}{AUTHORIZATION_SERVER}{path}",
        f"{origin}{OPENID_CONFIGURATION}{path}",
        f"{origin}{path}{OPENID_CONFIGURATION}",
    ]


def _check_issuer(flow: Flow, server: str | None, issuer: str, url: str) -> None:
    """The same to the character (RFC 8414, section 3.3); without a resource's word, a final slash is forgiven."""
    parts = urlsplit(_server_url(flow))
    expected = server or preserved(f"{parts.scheme}://{parts.netloc}") or ""
    if issuer == expected or (server is None and issuer == f"{expected}/"):
        return
    said = _said(f"Authorization server metadata issuer mismatch: {issuer} != {expected}")
    raise fails(f"{url} says that its issuer is {issuer}, not {expected}.", url, said)


def _endpoints(flow: Flow, metadata: ServerModel | None) -> Endpoints:
    parts = urlsplit(_server_url(flow))
    origin = f"{parts.scheme}://{parts.netloc}"
    if metadata is None:
        return Endpoints(f"{origin}/register", f"{origin}/authorize", named=False)
    register = metadata.registration_endpoint
    return Endpoints(register or f"{origin}/register", metadata.authorization_endpoint, named=register is not None)


def _register(flow: Flow, endpoints: Endpoints) -> None:
    url = endpoints.register
    answer = client_registration.posted(flow, url, endpoints.authorize, named=endpoints.named, redirects="within")
    if answer is None:
        return
    if isinstance(answer, Failure):
        raise _no_answer(answer)
    body = known(answer).body
    if answer.status not in {200, 201}:
        away = redirect_of(answer)
        note = f" (redirected to {away.partition('?')[0]}; not followed)" if away else ""
        text = body.decode("utf-8", "replace")
        reason = f"{url} refuses to register it: POST {describe(answer)}{client_registration.guessed(flow)}."
        raise fails(reason, url, _said(f"Registration failed: {answer.status}{note} {text}"))
    problem = _no_registration(body)
    if problem is not None:
        said = _said(f"Invalid registration response: {problem}") if problem else None
        reason = (
            f"{url} answers a registration with no client: POST {describe(answer)}{client_registration.guessed(flow)}."
        )
        raise fails(reason, url, said)


def _no_registration(body: bytes) -> str | None:
    """What is wrong with a registration's answer, as pydantic says it; empty where that can't be told to the letter."""
    text = body.lstrip(b" \t\r\n")
    if not text:
        return "EOF while parsing a value at line 1 column 0" if not body else ""
    if text[:1] not in b'{["-0123456789tfnNI':
        lines = body[: len(body) - len(text)].split(b"\n")
        return f"expected value at line {len(lines)} column {len(lines[-1]) + 1}"
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return None if isinstance(value, dict) and isinstance(value.get("client_id"), str) and value["client_id"] else ""


def _get(flow: Flow, url: str) -> Answer:
    if not is_web(url):
        said = _said("Request URL is missing an 'http://' or 'https://' protocol.") if "://" not in url else None
        raise fails(f"{flow.mcp_url} names {url[:200]!r}, which is no web URL.", flow.mcp_url, said)
    answer = flow.get(url)
    if isinstance(answer, Failure):
        raise _no_answer(answer)
    return answer


def _model(kind: type[_Model], answer: Answer) -> _Model | None:
    if answer.status != 200:
        return None
    try:
        return kind.model_validate_json(known(answer).body)
    except ValidationError:
        return None


def _no_answer(failure: Failure) -> FlowError:
    if failure.kind == "not-asked":
        return unknown(f"{failure.method} {failure.url} was not asked: {failure.why}.", failure.url)
    said = _said("All connection attempts failed") if failure.kind == "refused" else None
    return fails(f"{failure.url} can't be reached: {failure.why}.", failure.url, said)


def _refused(flow: Flow, first: Answer) -> FlowError:
    """An endpoint that neither takes the message nor challenges: it asks once more, as an older server wants it."""
    flow.follow("POST", flow.mcp_url)
    reason = f"{first.url} {describe(first)}, no challenge."
    return fails(reason, first.url, f"MCPError: {_refusal(first)}", first.status)


def _refusal(first: Answer) -> str:
    if target := redirect_of(first):
        place = target.partition("?")[0]
        return f"Redirect to {place} not followed; use that URL as the endpoint if it is the intended server"
    if 200 <= first.status < 300:
        return f"Unexpected content type: {(first.header('content-type') or '').lower()}"
    error = first.json.get("error") if isinstance(first.json, dict) else None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return str(error["message"])
    return "Not Found" if first.status == 404 else "Server returned an error response"
