"""The answers of the two servers in the cases of the recorded runs, and the recordings themselves.

The replies of a case map a request, `METHOD server path`, to its reply: status, headers and body. The servers are
`origin`, which has the MCP endpoint, and `authkit`, the authorization server. `* server` is the reply to every other
request. In headers and bodies, `{origin}` and `{authkit}` stand for the URLs of the servers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import Prediction

ORIGIN = "http://127.0.0.1:41111"
AUTHKIT = "http://127.0.0.1:42222"
DATA = Path(__file__).parents[2] / "tests" / "verify" / "data"

Reply = tuple[int, dict[str, str], str]
Replies = dict[str, Reply]
Changes = Mapping[str, Reply | None]

RESOURCE_PATH = "/.well-known/oauth-protected-resource"
SERVER_PATH = "/.well-known/oauth-authorization-server"
OPENID_PATH = "/.well-known/openid-configuration"
RESOURCE_REQUEST = f"GET origin {RESOURCE_PATH}/mcp"
SERVER_REQUEST = f"GET authkit {SERVER_PATH}"
RENAMED_CHALLENGE = "x-amzn-remapped-www-authenticate"


def html_reply(status: int, title: str = "404 Not Found", heading: str = "Not Found") -> Reply:
    """Return an HTML page."""
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{heading}</h1></body></html>"
    return status, {"content-type": "text/html"}, text


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """Return a JSON document."""
    other_headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return status, {"content-type": "application/json", **other_headers}, json.dumps(value)


def text_reply(status: int, body: str, content_type: str = "text/plain", **headers: str) -> Reply:
    """Return a text."""
    return status, {"content-type": content_type, **headers}, body


def redirect_reply(status: int, location: str) -> Reply:
    """Return a redirect."""
    return text_reply(status, "", location=location)


WIKI_PAGE = html_reply(200, "Wiki", "Home")
NOT_FOUND_PAGE = html_reply(404)
NOT_FOUND_JSON = json_reply({"error": "not_found"}, 404)
CHALLENGE = json_reply({"error": "invalid_token"}, 401)
REGISTERED = json_reply({"client_id": "c", "redirect_uris": ["http://127.0.0.1:9/callback"]}, 201)
SIGN_IN_REDIRECT: Reply = (302, {"location": "http://127.0.0.1:9/callback?code=x"}, "")

RESOURCE_METADATA = {
    "resource": "{origin}/mcp",
    "authorization_servers": ["{authkit}"],
    "bearer_methods_supported": ["header"],
}


def resource_reply(**changes: Any) -> Reply:
    """Return the resource metadata with some changed fields."""
    return json_reply({**RESOURCE_METADATA, **changes})


def metadata(server: str, prefix: str = "") -> dict[str, Any]:
    """Return the metadata of an authorization server."""
    return {
        "issuer": server,
        "authorization_endpoint": f"{server}{prefix}/authorize",
        "token_endpoint": f"{server}{prefix}/token",
        "registration_endpoint": f"{server}{prefix}/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid"],
    }


SERVER_METADATA = metadata("{authkit}", "/oauth2")


def server_reply(**changes: Any) -> Reply:
    """Return the authorization server metadata with some changed fields."""
    return json_reply({**SERVER_METADATA, **changes})


OPENID_METADATA = {
    **SERVER_METADATA,
    "jwks_uri": "{authkit}/jwks",
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}


def working_endpoints(server: str, prefix: str = "") -> Replies:
    """Return the replies of registration and sign-in."""
    return {f"POST {server} {prefix}/register": REGISTERED, f"GET {server} {prefix}/authorize": SIGN_IN_REDIRECT}


def working_servers(changes: Changes | None = None) -> Replies:
    """Replies of servers that work, without a challenge that a client can read.

    Args:
        changes: other replies; None removes a reply, so that the reply to every other request is used.
    """
    replies: Replies = {
        "POST origin /mcp": CHALLENGE,
        "GET origin /mcp": CHALLENGE,
        RESOURCE_REQUEST: resource_reply(),
        SERVER_REQUEST: server_reply(),
        **working_endpoints("authkit", "/oauth2"),
        "* origin": NOT_FOUND_PAGE,
        "* authkit": NOT_FOUND_JSON,
    }
    changed = {**replies, **(changes or {})}
    return {request: reply for request, reply in changed.items() if reply is not None}


@dataclass(frozen=True)
class RecordedServers:
    """The answers of the two servers, for `predict`."""

    replies: Replies

    def get(self, method: str, url: str) -> Answer | Failure:
        """Return the answer to a request."""
        for name, origin in (("origin", ORIGIN), ("authkit", AUTHKIT)):
            path = url.removeprefix(origin)
            if url.startswith(origin) and (not path or path[0] in "/?"):
                return self._answer(method, url, name, path or "/")
        return Failure(method, url, "refused", "nobody listens there")

    def _answer(self, method: str, url: str, server: str, path: str) -> Answer:
        status, headers, body = self.replies.get(f"{method} {server} {path}", self.replies[f"* {server}"])
        header_fields = tuple((name, with_urls(value)) for name, value in headers.items())
        return Answer(method, url, status, header_fields, with_urls(body).encode())


def with_urls(template: str) -> str:
    """Put the URLs of the servers into a text."""
    return template.replace("{origin}", ORIGIN).replace("{authkit}", AUTHKIT).replace("{AUTHKIT}", AUTHKIT.upper())


def request_lines(prediction: Prediction) -> list[str]:
    """The requests of a prediction, as the recordings write them: `METHOD server path`."""
    lines = []
    for method, url in prediction.requests:
        name, origin = ("origin", ORIGIN) if url.startswith(ORIGIN) else ("authkit", AUTHKIT)
        lines.append(f"{method} {name} {url.removeprefix(origin) or '/'}")
    return lines


def read_recording(name: str) -> Any:
    """Return a recording, `recorded` or `single_faults`."""
    return json.loads((DATA / f"{name}.json").read_text())


@cache
def recorded_cases() -> dict[str, Replies]:
    """The 23 cases of `recorded.json`, which describes them."""
    challenge = f'Bearer error="invalid_token", resource_metadata="{{origin}}{RESOURCE_PATH}/mcp"'
    reply = json_reply({"error": "invalid_token"}, 401, www_authenticate=challenge)
    renamed = json_reply({"error": "invalid_token"}, 401, x_amzn_remapped_www_authenticate=challenge)
    with_challenge = {"POST origin /mcp": reply, "GET origin /mcp": reply}
    without_challenge = {"POST origin /mcp": renamed, "GET origin /mcp": renamed}
    other_replies = {
        "404json": text_reply(404, '{"message":"Not Found"}', "application/json"),
        "404plain": text_reply(404, "Not Found"),
        "404html": NOT_FOUND_PAGE,
        "200html": WIKI_PAGE,
    }
    live = working_endpoints("origin")
    origin_named = {RESOURCE_REQUEST: resource_reply(authorization_servers=["{origin}"])}
    origin_works = {**origin_named, f"GET origin {SERVER_PATH}": json_reply(metadata("{origin}")), **live}
    authkit_works = {SERVER_REQUEST: server_reply(), **working_endpoints("authkit", "/oauth2")}
    server_copied = {f"GET origin {SERVER_PATH}": server_reply(), **authkit_works}
    authkit_named = {RESOURCE_REQUEST: resource_reply()}
    authkit_copied = {**authkit_named, **server_copied}
    live_at_both = {**live, **working_endpoints("authkit")}

    def case(endpoint: Replies, fallback: str, *replies: Replies) -> Replies:
        """The replies of a case; `fallback` names the reply to every other request."""
        merged = {**endpoint, "* origin": other_replies[fallback], "* authkit": other_replies[fallback]}
        for further_replies in replies:
            merged |= further_replies
        return merged

    def slash_case(server: str, issuer: str) -> Replies:
        resource = {RESOURCE_REQUEST: resource_reply(authorization_servers=[server])}
        return case(
            without_challenge, "404html", authkit_copied, resource, {SERVER_REQUEST: server_reply(issuer=issuer)}
        )

    return {
        "A1-404json": case(with_challenge, "404json"),
        "A2-404html": case(with_challenge, "404html"),
        "A3-200html": case(with_challenge, "200html"),
        "B1-404json": case(without_challenge, "404json"),
        "B1-404plain": case(without_challenge, "404plain"),
        "B2-404html": case(without_challenge, "404html"),
        "B3-200html": case(without_challenge, "200html"),
        "A2-404html+live": case(with_challenge, "404html", live),
        "A3-200html+live": case(with_challenge, "200html", live),
        "B2-404html+live": case(without_challenge, "404html", live),
        "B3-200html+live": case(without_challenge, "200html", live),
        "C-same-A": case(with_challenge, "404html", origin_works),
        "C-same-B": case(without_challenge, "404html", origin_works),
        "C-other-A": case(with_challenge, "404html", authkit_copied),
        "C-other-B": case(without_challenge, "404html", authkit_copied),
        "X-other-B-200html": case(without_challenge, "200html", authkit_copied),
        "X-noasm-same-B": case(without_challenge, "404html", origin_named, live),
        "X-noasm-same-B-200html": case(without_challenge, "200html", origin_named, live),
        "X-noasm-other-B": case(without_challenge, "404html", authkit_named, live_at_both),
        "X-slash-prm": slash_case("{authkit}/", "{authkit}"),
        "X-slash-iss": slash_case("{authkit}", "{authkit}/"),
        "X-slash-both": slash_case("{authkit}/", "{authkit}/"),
        "X-asmcopy-B": case(without_challenge, "404html", server_copied),
    }


@cache
def single_fault_cases() -> dict[str, Replies]:
    """The cases of `single_faults.json`, each with one fault."""
    groups = (_resource_cases(), _server_cases(), _endpoint_cases(), _challenge_cases(), _url_cases())
    return {name: working_servers(changes) for cases in groups for name, changes in cases}


def _resource_cases() -> Iterator[tuple[str, Changes]]:
    yield "good", {}
    resource_changes: dict[str, dict[str, Any]] = {
        "resource-other-origin": {"resource": "https://other.example/mcp"},
        "resource-origin": {"resource": "{origin}"},
        "resource-sibling": {"resource": "{origin}/mcp2"},
        "resource-slash": {"resource": "{origin}/mcp/"},
        "resource-no-url": {"resource": "mcp"},
        "resource-number": {"resource": 5},
        "servers-empty": {"authorization_servers": []},
        "servers-no-url": {"authorization_servers": ["authkit"]},
        "servers-string": {"authorization_servers": "{authkit}"},
        "servers-null": {"authorization_servers": None},
        "servers-upper": {"authorization_servers": ["{AUTHKIT}"]},
        "prm-scopes-string": {"scopes_supported": "openid"},
    }
    for name, changes in resource_changes.items():
        yield name, {RESOURCE_REQUEST: resource_reply(**changes)}
    for field in ("resource", "authorization_servers"):
        document = {name: value for name, value in RESOURCE_METADATA.items() if name != field}
        yield f"{field.removeprefix('authorization_')}-missing", {RESOURCE_REQUEST: json_reply(document)}
    for name, reply in {
        "prm-text": text_reply(200, "hello"),
        "prm-html-200": WIKI_PAGE,
        "prm-null": text_reply(200, "null", "application/json"),
        "prm-500": json_reply({"e": 1}, 500),
        "prm-502": json_reply({"e": 1}, 502),
        "prm-429": json_reply({"e": 1}, 429),
        "prm-401": json_reply({"e": 1}, 401),
        "prm-204": (204, {}, ""),
    }.items():
        yield name, {RESOURCE_REQUEST: reply}
    yield (
        "prm-500-root-there",
        {RESOURCE_REQUEST: json_reply({"e": 1}, 500), f"GET origin {RESOURCE_PATH}": resource_reply()},
    )
    yield "prm-root-only", {RESOURCE_REQUEST: None, f"GET origin {RESOURCE_PATH}": resource_reply()}
    for name, location, replies in (
        ("prm-redirect-within", "/elsewhere", {"GET origin /elsewhere": resource_reply()}),
        ("prm-redirect-away", "{authkit}/prm", {"GET authkit /prm": resource_reply()}),
        ("prm-redirect-login", "/-/login", {"GET origin /-/login": WIKI_PAGE}),
        ("prm-redirect-loop", f"{RESOURCE_PATH}/mcp", {}),
    ):
        yield name, {RESOURCE_REQUEST: redirect_reply(302, location), **replies}


def _server_cases() -> Iterator[tuple[str, Changes]]:
    for status in (500, 502, 401):
        yield f"asm-{status}", {SERVER_REQUEST: json_reply({"e": 1}, status)}
    same_origin, other_origin = redirect_reply(301, "/elsewhere"), redirect_reply(302, "{origin}/asm")
    yield "asm-redirect-within", {SERVER_REQUEST: same_origin, "GET authkit /elsewhere": server_reply()}
    yield "asm-redirect-away", {SERVER_REQUEST: other_origin, "GET origin /asm": server_reply()}
    for name, reply, openid in (
        ("asm-missing-oidc", None, OPENID_METADATA),
        ("asm-missing-oidc-rfc8414", None, SERVER_METADATA),
        ("asm-500-oidc", json_reply({}, 500), OPENID_METADATA),
        ("asm-html-200-oidc", WIKI_PAGE, OPENID_METADATA),
    ):
        yield name, {SERVER_REQUEST: reply, f"GET authkit {OPENID_PATH}": json_reply(openid)}
    for name, body in {
        "empty": "", "null": "null", "array": "[]", "text404": "404 page not found", "nginx": "nginx",
        "cut": '{"issuer": "x"', "short": "<p>", "later": '{"issuer": <!DOCTYPE html>}', "true": "true"
    }.items():  # fmt: skip
        yield f"asm-body-{name}", {SERVER_REQUEST: text_reply(200, body, "application/json")}
    server_changes: dict[str, dict[str, Any]] = {
        "null-registration": {"registration_endpoint": None},
        "plain": {"code_challenge_methods_supported": ["plain"]},
        "methods-empty": {"code_challenge_methods_supported": []},
        "token-type": {"response_types_supported": ["token"]},
        "http-token": {"token_endpoint": "http://token.example/token"},
        "issuer-no-url": {"issuer": "authkit"},
        "issuer-upper": {"issuer": "{AUTHKIT}"},
        "issuer-other": {"issuer": "https://other.example"},
        "scopes-string": {"scopes_supported": "openid"},
        "two-wrong": {"issuer": 5, "token_endpoint": 7, "scopes_supported": [1, "a", None]},
        "token-no-url": {"token_endpoint": "token"},
        "token-script": {"token_endpoint": "javascript:alert(1)"},
        "cimd-string": {"client_id_metadata_document_supported": "yes"},
        "doc-relative": {"service_documentation": "docs"},
    }
    for name, changes in server_changes.items():
        yield f"asm-{name}", {SERVER_REQUEST: server_reply(**changes)}
    for name, field in {
        "no-registration": "registration_endpoint",
        "no-methods": "code_challenge_methods_supported",
        "no-response-types": "response_types_supported",
        "no-token": "token_endpoint",
        "no-issuer": "issuer",
    }.items():
        document = {key: value for key, value in SERVER_METADATA.items() if key != field}
        yield f"asm-{name}", {SERVER_REQUEST: json_reply(document)}


def _endpoint_cases() -> Iterator[tuple[str, Changes]]:
    for name, reply in {
        "400": json_reply({"error": "invalid_client_metadata", "error_description": "no thanks"}, 400),
        "400-plain": json_reply({"error": "invalid_redirect_uri"}, 400),
        "401": json_reply({"message": "Unauthorized"}, 401),
        "403-html": text_reply(403, "<html>Forbidden</html>", "text/html"),
        "200-html": WIKI_PAGE,
        "201-no-id": json_reply({"client_name": "x"}, 201),
        "201-empty": text_reply(201, "", "application/json"),
        "500": text_reply(500, "Internal Server Error"),
        "405": json_reply({"detail": "Method Not Allowed"}, 405),
        "404": NOT_FOUND_PAGE,
        "redirect-away": redirect_reply(307, "{origin}/register"),
    }.items():
        yield f"register-{name}", {"POST authkit /oauth2/register": reply}
    yield "authorize-404", {"GET authkit /oauth2/authorize": NOT_FOUND_PAGE}
    for name, reply in {
        "400": json_reply({"message": "x"}, 400),
        "404": json_reply({"message": "x"}, 404),
        "405": json_reply({"message": "x"}, 405),
        "502": json_reply({"message": "x"}, 502),
        "404-html": NOT_FOUND_PAGE,
        "200-html": WIKI_PAGE,
    }.items():
        yield f"first-{name}", {"POST origin /mcp": reply, "GET origin /mcp": reply}
    for name, reply in {"405": json_reply({"e": 1}, 405), "200-html": WIKI_PAGE, "404": NOT_FOUND_PAGE}.items():
        yield f"first-get-{name}", {"GET origin /mcp": reply}
    with_slash = {"POST origin /mcp/": json_reply({}, 401), "GET origin /mcp/": json_reply({}, 401)}
    at_authkit = {"POST authkit /mcp": json_reply({}, 401), "GET authkit /mcp": json_reply({}, 401)}
    for name, status, location, replies in (
        ("within", 307, "/mcp/", with_slash),
        ("302", 302, "/mcp/", with_slash),
        ("away", 307, "{authkit}/mcp", at_authkit),
        ("login", 302, "/-/login", {"GET origin /-/login": WIKI_PAGE}),
    ):
        redirect = redirect_reply(status, location)
        yield f"first-redirect-{name}", {"POST origin /mcp": redirect, "GET origin /mcp": redirect, **replies}


def _challenge_cases() -> Iterator[tuple[str, Changes]]:
    at_origin = {"GET origin /here": resource_reply(), RESOURCE_REQUEST: None}
    at_authkit = {"GET authkit /here": resource_reply(), RESOURCE_REQUEST: None}
    for name, challenge, replies in (
        ("good", f'Bearer resource_metadata="{{origin}}{RESOURCE_PATH}/mcp"', {}),
        ("unquoted", f"Bearer resource_metadata={{origin}}{RESOURCE_PATH}/mcp, error=x", {}),
        ("elsewhere-404", 'Bearer resource_metadata="{origin}/nowhere"', {}),
        ("elsewhere-html", 'Bearer resource_metadata="{origin}/nowhere"', {"GET origin /nowhere": WIKI_PAGE}),
        ("elsewhere-good", 'Bearer resource_metadata="{origin}/here"', at_origin),
        ("authkit", 'Bearer resource_metadata="{authkit}/here"', at_authkit),
        ("relative", f'Bearer resource_metadata="{RESOURCE_PATH}/mcp"', {}),
        ("basic", 'Basic realm="x"', {}),
        ("dpop", 'DPoP resource_metadata="{origin}/here"', at_origin),
        ("lower", 'bearer error="x", resource_metadata="{origin}/here"', at_origin),
        ("bare", "Bearer", {}),
        ("no-scheme", 'resource_metadata="{origin}/here"', at_origin),
    ):
        reply = json_reply({"error": "invalid_token"}, 401, www_authenticate=challenge)
        yield f"challenge-{name}", {"POST origin /mcp": reply, "GET origin /mcp": reply, **replies}


def _url_cases() -> Iterator[tuple[str, Changes]]:
    def tenant(server: str, path: str, document: dict[str, Any]) -> Changes:
        resource = {RESOURCE_REQUEST: resource_reply(authorization_servers=[server])}
        return {**resource, SERVER_REQUEST: None, f"GET authkit {path}": json_reply(document)}

    tenant_metadata = {**SERVER_METADATA, "issuer": "{authkit}/t1"}
    slash_metadata = {**SERVER_METADATA, "issuer": "{authkit}/t1/"}
    yield "tenant", tenant("{authkit}/t1", f"{SERVER_PATH}/t1", tenant_metadata)
    yield "tenant-slash", tenant("{authkit}/t1/", f"{SERVER_PATH}/t1", slash_metadata)
    yield "tenant-slash-iss", tenant("{authkit}/t1", f"{SERVER_PATH}/t1", slash_metadata)
    yield "tenant-slash-prm", tenant("{authkit}/t1/", f"{SERVER_PATH}/t1", tenant_metadata)
    yield (
        "tenant-oidc-appended",
        tenant("{authkit}/t1", f"/t1{OPENID_PATH}", {**OPENID_METADATA, "issuer": "{authkit}/t1"}),
    )
    yield "tenant-root-only", tenant("{authkit}/t1", SERVER_PATH, tenant_metadata)
    yield "authkit-down", {RESOURCE_REQUEST: resource_reply(authorization_servers=["http://127.0.0.1:2"])}
    no_resource: dict[str, Reply | None] = {RESOURCE_REQUEST: None}
    for name, issuer in (("", "{origin}"), ("-slash", "{origin}/"), ("-other", "https://other.example")):
        reply = json_reply({**metadata("{origin}"), "issuer": issuer})
        yield f"legacy{name}", {**no_resource, f"GET origin {SERVER_PATH}": reply, **working_endpoints("origin")}
    at_path = json_reply({**metadata("{origin}"), "issuer": "{origin}/mcp"})
    yield "legacy-at-path", {**no_resource, f"GET origin {SERVER_PATH}/mcp": at_path, **working_endpoints("origin")}
    yield "legacy-bare-404", no_resource
    yield "legacy-bare-live", {**no_resource, **working_endpoints("origin")}
    yield "catch-all-200", {**no_resource, "* origin": WIKI_PAGE}
    yield "catch-all-200-good", {"* origin": WIKI_PAGE}
    for name, path, metadata_path, resource in (
        ("url-slash", "/mcp/", f"{RESOURCE_PATH}/mcp", "{origin}/mcp"),
        ("url-query", "/mcp?x=1", f"{RESOURCE_PATH}/mcp?x=1", "{origin}/mcp"),
        ("url-root", "/", RESOURCE_PATH, "{origin}/"),
        ("url-bare", "", RESOURCE_PATH, "{origin}"),
    ):
        endpoint = {f"{method} origin {path or '/'}": CHALLENGE for method in ("POST", "GET")}
        paths = (metadata_path, metadata_path.partition("?")[0])
        documents = {f"GET origin {document_path}": resource_reply(resource=resource) for document_path in paths}
        yield name, {**endpoint, **documents}


ENDPOINT_PATHS = {"url-slash": "/mcp/", "url-query": "/mcp?x=1", "url-root": "/", "url-bare": ""}
"""The path of the MCP endpoint in the cases in which it is not /mcp."""


@dataclass(frozen=True)
class PublicServers:
    """The recorded servers with public URLs."""

    servers: RecordedServers

    def get(self, method: str, url: str) -> Answer | Failure:
        """Return the answer to a request."""
        recorded_url = url.replace("https://wiki.example", ORIGIN).replace("https://kit.example", AUTHKIT)
        answer = self.servers.get(method, recorded_url)
        if isinstance(answer, Failure):
            return replace(answer, url=url)
        headers = [(name, self._public(value)) for name, value in answer.headers]
        return replace(answer, url=url, headers=tuple(headers), body=self._public(answer.body.decode()).encode())

    @staticmethod
    def _public(text: str) -> str:
        return text.replace(ORIGIN, "https://wiki.example").replace(AUTHKIT, "https://kit.example")


def challenging_servers(changes: Changes | None = None) -> Replies:
    """Return `working_servers` with a challenge that a client can read."""
    reply = json_reply({}, 401, www_authenticate=f'Bearer resource_metadata="{{origin}}{RESOURCE_PATH}/mcp"')
    return working_servers({"POST origin /mcp": reply, **(changes or {})})
