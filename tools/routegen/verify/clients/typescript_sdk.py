"""The TypeScript SDK, and the clients that are built on it.

From the sources of `@modelcontextprotocol/sdk` 1.32.2 (`client/auth.js`, `client/streamableHttp.js`, `shared/
transport.js`), `@modelcontextprotocol/client` 2.4.0 and the inspector 2.12.0 (`core/auth`), and from what they asked
when they were recorded. `Traits` holds what they differ in.
"""

import re
from dataclasses import dataclass
from typing import Any

from routegen.roles import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import client_registration, javascript_json
from routegen.verify.clients.javascript_json import JsonError
from routegen.verify.clients.metadata_schemas import OPENID, REGISTRATION, RESOURCE, SERVER, Fields, issues, shown
from routegen.verify.clients.sign_in_flow import Flow, FlowError, Redirects, fails, is_web, known, redirect_of, unknown
from routegen.verify.clients.whatwg_url import Web, parsed
from routegen.verify.documents import describe
from routegen.verify.ssrf_guard import literal_kind

_FETCH_FAILED = ("TypeError", "fetch failed")
_INCOMPATIBLE = "Incompatible auth server: does not support"
_OAUTH_ERRORS = frozenset({
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "access_denied", "server_error", "temporarily_unavailable", "unsupported_response_type",
    "unsupported_token_type", "invalid_token", "method_not_allowed", "too_many_requests", "invalid_client_metadata",
    "insufficient_scope", "invalid_target",
})  # fmt: skip
_OAUTH_ERROR: Fields = (("error", "string!"), ("error_description", "string"), ("error_uri", "string"))


@dataclass(frozen=True)
class Traits:
    """What the clients of this family differ in.

    Attributes:
        first: whether it is the SDK's first major version, which forgives more.
        names_errors: whether its user sees the error's class too.
        schemes: of a challenge, that it reads.
        redirects: which it follows.
        reads_openid_as_oauth: whether it looks for metadata without OpenID fields at the OpenID path too.
        refused: the class and the beginning of what it says of an endpoint that answers with an error.
        unexpected: the same for an endpoint that answers with another content type.
    """

    first: bool = False
    names_errors: bool = True
    schemes: frozenset[str] = frozenset({"bearer", "dpop"})
    redirects: Redirects = "within"
    reads_openid_as_oauth: bool = False
    refused: tuple[str, str] = ("SdkHttpError", "Error POSTing to endpoint: ")
    unexpected: tuple[str, str] = ("SdkError", "Unexpected content type: ")

    def said(self, name: str, message: str) -> str:
        """An error as the user sees it."""
        return (f"{name}: {message}" if message else name) if self.names_errors else message

    def goes_on(self, status: int) -> bool:
        """Whether it goes on to the next place after an answer that is no success."""
        return status < 500 or (status == 502 and not self.first)


V1 = Traits(
    first=True,
    schemes=frozenset({"bearer"}),
    refused=("Error", "Streamable HTTP error: Error POSTing to endpoint: "),
    unexpected=("Error", "Streamable HTTP error: Unexpected content type: "),
)
V2 = Traits()
INSPECTOR = Traits(names_errors=False, schemes=frozenset({"bearer"}), reads_openid_as_oauth=True)


@dataclass(frozen=True)
class Found:
    """What discovery has found.

    Attributes:
        resource: the protected resource metadata.
        resource_url: where that is.
        server: the authorization server.
        metadata: its metadata.
        metadata_url: where that is.
    """

    resource: dict[str, Any] | None
    resource_url: str
    server: Web
    metadata: dict[str, Any] | None
    metadata_url: str

    def endpoint(self, name: str) -> str:
        """One of the server's endpoints: as its metadata names it, else at the path of MCP 2025-03-26."""
        if self.metadata is None:
            return f"{self.server.origin}/{name}"
        field = {"authorize": "authorization_endpoint", "token": "token_endpoint", "register": "registration_endpoint"}
        return str(self.metadata.get(field[name]) or "")


def connect(flow: Flow, traits: Traits) -> str:
    """From the first request to the sign-in.

    Raises:
        FlowError: the client doesn't get there.
    """
    first = first_answer(flow, traits)
    if first.status == 200:
        return f"{flow.mcp_url} asks for no sign-in."
    return sign_in(flow, traits, first)


def first_answer(flow: Flow, traits: Traits) -> Answer:
    """The challenge, or the answer of an endpoint that is open."""
    flow.endpoint  # noqa: B018 - raises for what isn't a URL
    answer = flow.follow("POST", flow.mcp_url, traits.redirects)
    if isinstance(answer, Failure):
        raise _no_answer(traits, answer)
    if answer.status == 401:
        return answer
    if not 200 <= answer.status < 300:
        away = _not_followed(answer, traits) if traits.redirects == "within" else None
        text = away or known(answer).body.decode("utf-8", "replace")
        name, said = traits.refused
        reason = f"{answer.url} {describe(answer)}, no challenge."
        raise fails(reason, answer.url, traits.said(name, said + text), answer.status)
    if answer.media_type in {"application/json", "text/event-stream"} or answer.status == 202:
        return answer
    name, said = traits.unexpected
    content = answer.header("content-type")
    error = traits.said(name, said + ("null" if content is None else content))
    raise fails(f"{answer.url} {describe(answer)}, no MCP message.", answer.url, error)


def sign_in(flow: Flow, traits: Traits, challenge: Answer) -> str:
    """From the challenge to the sign-in."""
    found = _discover(flow, traits, _metadata_url(traits, challenge))
    _check_resource(flow, traits, found)
    _register(flow, traits, found)
    return _authorize(flow, traits, found)


def _metadata_url(traits: Traits, challenge: Answer) -> str | None:
    header = ", ".join(value for name, value in challenge.headers if name == "www-authenticate")
    scheme, _, rest = header.partition(" ")
    match = re.search(r'resource_metadata=(?:"([^"]+)"|([^\s,]+))', header)
    if scheme.lower() not in traits.schemes or not rest or rest.startswith(" ") or not match:
        return None
    web = parsed(match[1] or match[2])
    return web.href if web else None


def _fetch(flow: Flow, traits: Traits, url: str) -> Answer | None:
    """A GET for metadata; None where the first version takes an error of the network for a missing answer."""
    answer = flow.get(url, traits.redirects)
    if isinstance(answer, Answer):
        return answer
    if not traits.first:
        raise _no_answer(traits, answer)
    again = flow.get(url, traits.redirects)  # without headers: it may have been CORS
    return again if isinstance(again, Answer) else None


def _discover(flow: Flow, traits: Traits, named: str | None) -> Found:
    resource_url, resource = _resource(flow, traits, named)
    servers = (resource or {}).get("authorization_servers") or [f"{flow.endpoint.origin}/"]
    server = parsed(servers[0])
    if server is None or not is_web(server.href):
        raise unknown(f"{resource_url} names {servers[0]!r} as the authorization server, no web URL.", resource_url)
    metadata_url, metadata = _server(flow, traits, servers[0], server)
    return Found(resource, resource_url, server, metadata, metadata_url)


def _resource(flow: Flow, traits: Traits, named: str | None) -> tuple[str, dict[str, Any] | None]:
    """The protected resource metadata; whatever is wrong with it, it counts as missing."""
    web = flow.endpoint
    url = named or f"{web.origin}{PROTECTED_RESOURCE}{web.path.removesuffix('/')}{web.query}"
    answer = _fetch(flow, traits, url)
    goes_on = answer is None or (not _ok(answer) and traits.goes_on(answer.status) and web.path != "/")
    if goes_on and not named:
        url = f"{web.origin}{PROTECTED_RESOURCE}"
        answer = _fetch(flow, traits, url)
    if answer is None or not _ok(answer):
        return url, None
    value = javascript_json.read(answer)
    return url, None if isinstance(value, JsonError) or issues(RESOURCE, value) else value


def server_places(server: Web) -> list[tuple[Fields, str]]:
    """Where the SDK looks for an authorization server's metadata, with the schema of each place."""
    path = server.path.removesuffix("/")
    places = [(SERVER, f"{server.origin}{AUTHORIZATION_SERVER}{path}")]
    places.append((OPENID, f"{server.origin}{OPENID_CONFIGURATION}{path}"))
    return [*places, (OPENID, f"{server.origin}{path}{OPENID_CONFIGURATION}")] if path else places


def _server(flow: Flow, traits: Traits, issuer: str, server: Web) -> tuple[str, dict[str, Any] | None]:
    for fields, url in server_places(server):
        answer = _fetch(flow, traits, url)
        if answer is None:
            continue
        if traits.reads_openid_as_oauth and fields is SERVER:
            answer = _as_oauth(flow, answer, server)
        if _ok(answer):
            return url, _document(traits, fields, answer, issuer)
        if not traits.goes_on(answer.status):
            kind = "OAuth" if fields is SERVER else "OpenID provider"
            said = traits.said("Error", f"HTTP {answer.status} trying to load {kind} metadata from {url}")
            raise fails(f"{url} {describe(answer)}, and it looks nowhere else then.", url, said)
    return server.origin, None


def _as_oauth(flow: Flow, answer: Answer, server: Web) -> Answer:
    """The inspector's own look at the OpenID places (`oidcDiscoveryCompat`)."""
    if not (400 <= answer.status < 500 or answer.status == 502):
        return answer
    for _, url in server_places(server)[1:]:
        probe = flow.get(url, "anywhere")
        if isinstance(probe, Failure):
            return answer
        if _ok(probe):
            value = javascript_json.read(probe)
            wanted = not isinstance(value, JsonError) and not issues(SERVER, value) and bool(issues(OPENID, value))
            return probe if wanted else answer
        if not (400 <= probe.status < 500 or probe.status == 502):
            return answer
    return answer


def _document(traits: Traits, fields: Fields, answer: Answer, issuer: str) -> dict[str, Any]:
    value = javascript_json.read(answer)
    if isinstance(value, JsonError):
        raise invalid(traits, answer, value)
    if found := issues(fields, value):
        wrong = ".".join(map(str, found[0]["path"])) or "the document"
        reason = f"{answer.url} has the wrong type at {wrong}, and it refuses all of it then."
        raise fails(reason, answer.url, traits.said("ZodError", shown(found)))
    document: dict[str, Any] = value
    if not traits.first and document["issuer"] not in {issuer, issuer.removesuffix("/")}:
        received = javascript_json.quoted(document["issuer"])
        expected = javascript_json.quoted(issuer)
        said = "Issuer mismatch in authorization server metadata (RFC 8414 §3.3): "
        said = traits.said("IssuerMismatchError", f"{said}expected {expected}, received {received}")
        raise fails(f"{answer.url} says that its issuer is {received}, not {expected}.", answer.url, said)
    return document


def invalid(traits: Traits, answer: Answer, error: JsonError) -> FlowError:
    """A body that isn't JSON, taken for metadata."""
    said = traits.said("SyntaxError", error.message) if error.message else None
    kind = "a web page" if answer.is_html else "no JSON"
    return fails(f"{answer.url} answers {answer.status} with {kind}, and it takes that for JSON.", answer.url, said)


def _check_resource(flow: Flow, traits: Traits, found: Found) -> None:
    """RFC 8707: the same origin, and a path that the endpoint's begins with (`checkResourceAllowed`)."""
    if found.resource is None:
        return
    asked, named = flow.endpoint, parsed(found.resource["resource"])
    below = named and f"{asked.path.removesuffix('/')}/".startswith(f"{named.path.removesuffix('/')}/")
    if named and asked.origin == named.origin and len(asked.path) >= len(named.path) and below:
        return
    resource, expected = found.resource["resource"], asked.href.partition("#")[0]
    said = traits.said("Error", f"Protected resource {resource} does not match expected {expected} (or origin)")
    raise fails(f"{found.resource_url} is about {resource}, not about {expected}.", found.resource_url, said)


def _register(flow: Flow, traits: Traits, found: Found) -> None:
    url = found.endpoint("register")
    if not url:
        said = traits.said("Error", f"{_INCOMPATIBLE} dynamic client registration")
        raise fails(f"{found.metadata_url} names no registration_endpoint.", found.metadata_url, said)
    named = found.metadata is not None
    answer = client_registration.posted(flow, url, found.endpoint("authorize"), named=named, redirects=traits.redirects)
    if answer is None:
        return
    if isinstance(answer, Failure):
        raise _no_answer(traits, answer)
    if not _ok(answer):
        reason = f"{url} refuses to register it: POST {describe(answer)}{client_registration.guessed(flow)}."
        raise fails(reason, url, _refusal(traits, known(answer)))
    value = javascript_json.read(answer)
    if isinstance(value, JsonError):
        raise invalid(traits, answer, value)
    if wrong := issues(REGISTRATION, value):
        reason = f"{url} answers a registration without what it needs: {'.'.join(map(str, wrong[0]['path']))}."
        raise fails(reason, url, traits.said("ZodError", shown(wrong)))


def _refusal(traits: Traits, answer: Answer) -> str | None:
    body = answer.body.decode("utf-8", "replace")
    if not traits.first:
        message = f"Dynamic Client Registration rejected (HTTP {answer.status}): {body}"
        return traits.said("RegistrationRejectedError", message)
    value = javascript_json.read(answer)
    wrong = [] if isinstance(value, JsonError) else issues(_OAUTH_ERROR, value)
    if not isinstance(value, JsonError) and not wrong:
        code = value["error"] if value["error"] in _OAUTH_ERRORS else "server_error"
        name = "".join(part.capitalize() for part in code.removesuffix("_error").split("_")) + "Error"
        return traits.said(name, value.get("error_description", ""))
    if (away := _not_followed(answer, traits, bare=True)) is not None:
        return traits.said("ServerError", f"HTTP {answer.status}: {away}")
    if isinstance(value, JsonError) and value.message is None:
        return None
    error = f"SyntaxError: {value.message}" if isinstance(value, JsonError) else shown(wrong)
    message = f"HTTP {answer.status}: Invalid OAuth error response: {error}. Raw body: {body}"
    return traits.said("ServerError", message)


def _authorize(flow: Flow, traits: Traits, found: Found) -> str:
    """What it checks of the metadata once it has registered, and whether there is a page for the user."""
    metadata, url = found.metadata or {}, found.endpoint("authorize")
    for name, wanted, what in (
        ("response_types_supported", "code", "response type"),
        ("code_challenge_methods_supported", "S256", "code challenge method"),
    ):
        if name in metadata and wanted not in metadata[name]:
            said = traits.said("Error", f"{_INCOMPATIBLE} {what} {wanted}")
            raise fails(f"{found.metadata_url} doesn't list {wanted} in {name}.", found.metadata_url, said)
    if page := client_registration.no_page(flow, url):
        raise fails(f"The page where its user would sign in {describe(page)}.", url)
    token = found.endpoint("token")
    web = parsed(token)
    if not traits.first and web and web.scheme != "https" and literal_kind(web.host.strip("[]")) != "loopback":
        said = (
            f"Refusing to send credentials to non-https token endpoint '{web.href}'. OAuth token requests MUST use TLS "
            "(localhost / *.localhost / 127.0.0.1 / ::1 are exempt)."
        )
        raise fails("It sends a code to no token endpoint without https.", token, traits.said(_INSECURE, said))
    resource = found.resource or {}
    # Without the resource's metadata it sends no `resource` (`selectResourceURL`).
    client_registration.assume_token(
        flow, resource.get("resource"), resource.get("scopes_supported"), metadata.get("scopes_supported")
    )
    return client_registration.arrived(flow, url)


_INSECURE = "InsecureTokenEndpointError"


def _no_answer(traits: Traits, failure: Failure) -> FlowError:
    said = None if failure.kind == "not-asked" else traits.said(*_FETCH_FAILED)
    if said is None:
        return unknown(f"{failure.method} {failure.url} was not asked: {failure.why}.", failure.url)
    return fails(f"{failure.url} can't be reached: {failure.why}.", failure.url, said)


def _not_followed(answer: Answer, traits: Traits, *, bare: bool = False) -> str | None:
    """What it says of a redirect that it doesn't follow; None for what isn't one."""
    target, here = redirect_of(answer), parsed(answer.url)
    web = parsed(target) if target else None
    if web is None or here is None:
        return None
    place = f"{web.origin}{web.path}"
    advice = "" if traits.first else "; use that URL as the endpoint if it is the intended server"
    said = f"Redirect to {place} not followed{advice}"
    if (here.scheme, web.scheme) == ("https", "http"):
        place = f"https{place.removeprefix('http')}"
        said = (
            f"Redirect to plain http not followed; try {place} instead"
            if traits.first
            else f"Redirect from https to plain http not followed; try {place} as the endpoint"
        )
    return said if bare else f"{said} (redirectPolicy: 'same-origin')"


def _ok(answer: Answer) -> bool:
    return 200 <= answer.status < 300
