"""The faults that the stack of `broken_stack.py` can have: one function for each fault.

A fault gets a request and the correct reply, and returns the reply that the stack sends instead.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

PAGE = b"<!DOCTYPE html><html><head><title>A wiki page</title></head><body><h1>A wiki page</h1></body></html>"
RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
CORS = (
    ("access-control-allow-origin", "*"),
    ("access-control-allow-headers", "authorization, content-type, mcp-protocol-version, mcp-method, mcp-name"),
    ("access-control-allow-methods", "GET, POST, DELETE"),
    ("access-control-expose-headers", "WWW-Authenticate, Mcp-Session-Id"),
)


@dataclass(frozen=True)
class StackRequest:
    """A request to one of the two servers, and the URL of each."""

    server: Literal["deployment", "authkit"]
    method: str
    path: str
    token: bool
    deployment: str
    authkit: str
    in_session: bool = False
    message: Any = None

    def is_to(self, server: str, *paths: str) -> bool:
        return self.server == server and self.path in paths


@dataclass(frozen=True)
class Reply:
    """A reply. `delay` is in seconds; with `cut`, it ends before the number of bytes in its content-length."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    delay: float = 0
    cut: bool = False

    def without_headers(self, *names: str) -> "Reply":
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0] not in names))

    def with_header(self, name: str, value: str) -> "Reply":
        return replace(self.without_headers(name), headers=(*self.without_headers(name).headers, (name, value)))


Fault = Callable[[StackRequest, Reply], Reply]
FAULTS: dict[str, Fault] = {}


def page(status: int) -> Reply:
    return Reply(status, (("content-type", "text/html; charset=utf-8"),), PAGE)


def json_reply(status: int, value: Any, *headers: tuple[str, str]) -> Reply:
    return Reply(status, (("content-type", "application/json"), *headers), json.dumps(value).encode())


def _add_fault(name: str, applies_to: Callable[[StackRequest], bool], fault: Fault) -> None:
    FAULTS[name] = lambda request, reply: fault(request, reply) if applies_to(request) else reply


def _send(reply: Reply) -> Fault:
    return lambda _request, _reply: reply


def _edit(edit: Callable[[dict[str, Any], StackRequest], None]) -> Fault:
    """A fault that changes the JSON document of a correct reply."""

    def change_reply(request: StackRequest, reply: Reply) -> Reply:
        if reply.status != 200 or request.method != "GET":
            return reply
        value = json.loads(reply.body)
        edit(value, request)
        return replace(reply, body=json.dumps(value).encode()).without_headers("content-length")

    return change_reply


def _set_fields(**fields: Any) -> Fault:
    def put(value: dict[str, Any], _request: StackRequest) -> None:
        value.update(fields)

    return _edit(put)


def _remove_fields(*names: str) -> Fault:
    def drop(value: dict[str, Any], _request: StackRequest) -> None:
        for name in names:
            value.pop(name, None)

    return _edit(drop)


def _server_url_with(suffix: str) -> Fault:
    """Name the authorization server with a suffix in the resource metadata."""

    def set_servers(value: dict[str, Any], request: StackRequest) -> None:
        value["authorization_servers"] = [request.authkit + suffix]

    return _edit(set_servers)


def _is_mcp(method: str) -> Callable[[StackRequest], bool]:
    return lambda request: request.is_to("deployment", "/mcp") and request.method == method


def _is_resource(request: StackRequest) -> bool:
    return request.is_to("deployment", f"{RESOURCE}/mcp", RESOURCE)


def _is_server(request: StackRequest) -> bool:
    return request.is_to("authkit", SERVER, OPENID)


def _is_page(request: StackRequest) -> bool:
    return request.is_to("deployment", "/Home")


def _is_key_set(request: StackRequest) -> bool:
    return request.is_to("authkit", "/oauth2/jwks")


def _replace_challenge(text: Callable[[StackRequest], str | None], name: str = "www-authenticate") -> Fault:
    def change(request: StackRequest, reply: Reply) -> Reply:
        if reply.status != 401:
            return reply
        challenge = text(request)
        without_challenge = reply.without_headers("www-authenticate")
        return without_challenge.with_header(name, challenge) if challenge else without_challenge

    return change


# Connections and documents: RG001 to RG009
_add_fault("page-cut", _is_page, lambda _, reply: replace(reply, cut=True))
_add_fault("page-slow", _is_page, lambda _, reply: replace(reply, delay=30))
_add_fault(
    "resource-redirects",
    lambda request: request.is_to("deployment", f"{RESOURCE}/mcp", f"{RESOURCE}/mcp/"),
    lambda request, _: (
        Reply(307, (("location", f"{RESOURCE}/mcp/"),), b"")
        if request.path.endswith("p")
        else _resource_document(request)
    ),
)
_add_fault(
    "mcp-redirects",
    lambda request: request.is_to("deployment", "/mcp") and request.method == "POST",
    _send(Reply(307, (("location", "/mcp/"),), b"")),
)
_add_fault(
    "resource-redirects-away",
    _is_resource,
    lambda request, _: Reply(302, (("location", f"{request.authkit}/elsewhere"),), b""),
)
_add_fault("metadata-address", _is_resource, _set_fields(authorization_servers=["https://169.254.169.254/latest"]))
_add_fault("private-address", _is_resource, _set_fields(authorization_servers=["https://10.1.2.3"]))
_add_fault("resource-type", _is_resource, lambda _, reply: reply.with_header("content-type", "text/plain"))
_add_fault(
    "resource-doubled",
    _is_resource,
    lambda _, reply: replace(reply, body=b'{"resource": "x", ' + reply.body[1:]).without_headers("content-length"),
)

# The MCP endpoint: RG010 to RG015
_add_fault("mcp-page", _is_mcp("POST"), _send(page(200)))
_add_fault("mcp-404", _is_mcp("POST"), _send(json_reply(404, {"message": "Not Found"})))
_add_fault("mcp-403", _is_mcp("POST"), _send(json_reply(403, {"message": "Forbidden"})))
_add_fault("mcp-fails", _is_mcp("POST"), _send(json_reply(500, {"message": "Internal Server Error"})))
_add_fault("mcp-open", _is_mcp("POST"), _send(json_reply(200, {"jsonrpc": "2.0", "id": 1, "result": {}}, *CORS)))
_add_fault(
    "token-refused",
    lambda request: request.is_to("deployment", "/mcp") and request.token,
    _send(json_reply(401, {"error": "invalid_token"}, *CORS)),
)
_add_fault(
    "token-answer",
    lambda request: request.is_to("deployment", "/mcp") and request.token,
    _send(json_reply(200, {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "broken"}})),
)


def _send_error(code: int, status: int = 200, **data: Any) -> Fault:
    """Refuse each message with a JSON-RPC error."""

    def refuse(request: StackRequest, _reply: Reply) -> Reply:
        error = {"code": code, "message": "Refused on purpose", "data": data}
        # The error of a client has the body of a refusal, so this body must not depend on the client's id.
        message_id = request.message.get("id") if status == 200 else None
        return json_reply(status, {"jsonrpc": "2.0", "id": message_id, "error": error})

    return refuse


def _discovers(request: StackRequest) -> bool:
    return request.is_to("deployment", "/mcp") and request.message.get("method") == "server/discover"


def _discover_result(request: StackRequest, _reply: Reply) -> Reply:
    capabilities = {"tools": {"listChanged": True}}
    result = {"supportedVersions": ["2026-07-28"], "capabilities": capabilities, "resultType": "complete"}
    return json_reply(200, {"jsonrpc": "2.0", "id": request.message.get("id"), "result": result})


_add_fault("mcp-421", _is_mcp("POST"), _send(Reply(421, (("content-type", "text/plain"),), b"Invalid Host header")))
_add_fault("mcp-no-message", _is_mcp("POST"), _send(json_reply(200, {"status": "up"})))
_add_fault("mcp-no-such-path", _is_mcp("POST"), _send(json_reply(403, {"message": "Missing Authentication Token"})))
_add_fault("mcp-error-200", _is_mcp("POST"), _send_error(-32001))
_VERSIONS = {"supported": ["2026-07-28"], "requested": "2025-11-25"}
_add_fault("mcp-modern-only", _is_mcp("POST"), _send_error(-32022, 400, **_VERSIONS))
_add_fault(
    "token-modern-only",
    lambda request: request.is_to("deployment", "/mcp") and request.token and request.method == "POST",
    _send_error(-32022, 400, **_VERSIONS),
)
_add_fault("dual-era", lambda request: _discovers(request) and request.token, _discover_result)
_add_fault("header-lost", lambda request: _discovers(request) and request.token, _send_error(-32020, 400))
_add_fault("modern-blocked", _discovers, _send(json_reply(503, {"message": "Service Unavailable"})))
_add_fault(
    "listen-silent",
    lambda request: request.message.get("method") == "subscriptions/listen",
    lambda _, reply: replace(reply, delay=30),
)
_add_fault("get-mcp-fails", _is_mcp("GET"), _send(json_reply(502, {"message": "Bad Gateway"})))
_add_fault("get-mcp-page", _is_mcp("GET"), _send(page(200)))
_add_fault("delete-mcp-fails", _is_mcp("DELETE"), _send(json_reply(500, {"message": "Internal Server Error"})))
_add_fault("server-card-page", lambda request: request.is_to("deployment", "/mcp/server-card"), _send(page(200)))
_add_fault(
    "token-scope",
    lambda request: request.is_to("deployment", "/mcp") and request.token,
    _send(
        json_reply(
            403,
            {"error": "insufficient_scope"},
            ("www-authenticate", 'Bearer error="insufficient_scope", scope="wiki:write"'),
        )
    ),
)


def _forget_session(request: StackRequest, reply: Reply) -> Reply:
    """Start a session, and do not know it in the next request, as another Lambda instance does."""
    if request.in_session:
        return json_reply(404, {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Session not found"}})
    return reply.with_header("mcp-session-id", "0123456789abcdef") if reply.status == 200 else reply


_add_fault("session-lost", lambda request: request.is_to("deployment", "/mcp") and request.token, _forget_session)
_add_fault(
    "session-kept",
    lambda request: request.is_to("deployment", "/mcp") and request.token and not request.in_session,
    lambda _, reply: reply.with_header("mcp-session-id", "0123456789abcdef"),
)

# Routes and pages: RG020 to RG027
_add_fault("get-mcp-shadowed", _is_mcp("GET"), _send(page(404)))
_add_fault(
    "route-missing",
    lambda request: request.is_to("deployment", SERVER),
    _send(json_reply(404, {"message": "Not Found"})),
)
_add_fault("route-shadowed", lambda request: request.is_to("deployment", SERVER), _send(page(404)))
_add_fault(
    "route-fails",
    lambda request: request.path.startswith("/mcp/"),
    _send(json_reply(500, {"message": "Error"})),
)
_add_fault("page-shadowed", _is_page, _send(json_reply(405, {"error": "method_not_allowed"})))
_add_fault("page-404", _is_page, _send(page(404)))
_add_fault("page-500", _is_page, _send(json_reply(500, {"message": "Internal Server Error"})))
_add_fault(
    "head-missing",
    lambda request: request.method == "HEAD",
    _send(Reply(404, (("content-type", "text/html"),), b"")),
)
_add_fault("reserved-shadowed", lambda request: request.is_to("deployment", f"{SERVER}/mcp"), _send(page(404)))
_add_fault(
    "reserved-missing",
    lambda request: request.is_to("deployment", f"{SERVER}/mcp"),
    _send(json_reply(404, {"message": "Not Found"}, ("apigw-requestid", "X="))),
)
FAULTS["default-app-200"] = lambda _, reply: page(200) if (reply.status, reply.body) == (404, PAGE) else reply
FAULTS["catch-all-200"] = lambda request, reply: (
    page(200)
    if request.server == "deployment" and reply.status == 404 and not request.path.startswith("/mcp")
    else reply
)

# The challenge: RG030 to RG035
_add_fault("challenge-missing", _is_mcp("POST"), _replace_challenge(lambda _: None))
_add_fault("challenge-plain", _is_mcp("POST"), _replace_challenge(lambda _: 'Bearer error="invalid_token"'))
_add_fault(
    "challenge-renamed",
    _is_mcp("POST"),
    _replace_challenge(
        lambda request: f'Bearer resource_metadata="{request.deployment}{RESOURCE}/mcp"',
        "x-amzn-remapped-www-authenticate",
    ),
)
_add_fault(
    "challenge-wrong",
    _is_mcp("POST"),
    _replace_challenge(lambda request: f'Bearer resource_metadata="{request.deployment}{RESOURCE}/nope"'),
)
_add_fault(
    "challenge-elsewhere",
    _is_mcp("POST"),
    _replace_challenge(lambda request: f'Bearer resource_metadata="{request.deployment}/mcp/metadata"'),
)
_add_fault(
    "metadata-elsewhere",
    lambda request: request.is_to("deployment", "/mcp/metadata"),
    lambda request, _: _resource_document(request),
)
_add_fault("resource-404", _is_resource, _send(page(404)))
_add_fault(
    "origin-is-server",
    lambda request: request.is_to("deployment", SERVER),
    _edit(lambda value, request: value.update(issuer=request.deployment)),
)


# The scope of the challenge, which clients prefer to the scopes of the metadata
def _challenge_with_scope(scope: str) -> Fault:
    return _replace_challenge(
        lambda request: f'Bearer scope="{scope}", resource_metadata="{request.deployment}{RESOURCE}/mcp"'
    )


_add_fault("challenge-scope-unknown", _is_mcp("POST"), _challenge_with_scope("wiki:write"))
_add_fault("challenge-scope-empty", _is_mcp("POST"), _challenge_with_scope(""))
_add_fault("challenge-scope-known", _is_mcp("POST"), _challenge_with_scope("openid"))

# The resource metadata: RG040 to RG045
_add_fault("resource-401", _is_resource, _send(json_reply(401, {"message": "Unauthorized"})))
_add_fault("resource-403", _is_resource, _send(json_reply(403, {"message": "Forbidden"})))
_add_fault("resource-null", _is_resource, _set_fields(resource_signing_alg_values_supported=None))
_add_fault("resource-scopes-empty", _is_resource, _set_fields(scopes_supported=[]))
_add_fault("resource-dpop", _is_resource, _set_fields(dpop_bound_access_tokens_required=True))
_add_fault("resource-500", _is_resource, _send(json_reply(500, {"message": "Internal Server Error"})))
_add_fault("resource-page", _is_resource, _send(page(200)))
_add_fault("resource-list", _is_resource, _send(json_reply(200, [])))
_add_fault(
    "resource-nan",
    _is_resource,
    _send(Reply(200, (("content-type", "application/json"),), b'{"resource": NaN}')),
)
_add_fault("resource-other", _is_resource, _set_fields(resource="https://elsewhere.example/mcp"))
_add_fault("resource-none", _is_resource, _remove_fields("resource"))
_add_fault(
    "resource-parent",
    _is_resource,
    _edit(lambda value, request: value.update(resource=request.deployment)),
)
_add_fault("no-servers", _is_resource, _set_fields(authorization_servers=[]))
_add_fault("servers-text", _is_resource, _set_fields(authorization_servers="https://authkit.example"))
_add_fault("servers-missing", _is_resource, _remove_fields("authorization_servers"))

# The authorization server: RG050 to RG062
_add_fault("server-insecure", _is_resource, _set_fields(authorization_servers=["http://authkit.example"]))
_add_fault("server-404", _is_server, _send(json_reply(404, {"message": "Not Found"})))
_add_fault("server-404-page", _is_server, _send(page(404)))
_add_fault("server-first-404", lambda request: request.is_to("authkit", SERVER), _send(json_reply(404, {})))
_add_fault("server-first-500", lambda request: request.is_to("authkit", SERVER), _send(json_reply(500, {})))
_add_fault("server-first-page", lambda request: request.is_to("authkit", SERVER), _send(page(200)))
_add_fault("server-page", _is_server, _send(page(200)))
_add_fault("server-list", _is_server, _send(json_reply(200, [1])))
_add_fault("server-no-token-endpoint", _is_server, _remove_fields("token_endpoint"))
_add_fault("server-no-authorization-endpoint", _is_server, _remove_fields("authorization_endpoint"))
_add_fault("server-no-response-types", _is_server, _remove_fields("response_types_supported"))
_add_fault("server-scopes-text", _is_server, _set_fields(scopes_supported="openid email"))
_add_fault("issuer-slash", _is_server, _edit(lambda value, _: value.update(issuer=value["issuer"] + "/")))
_add_fault("named-slash", _is_resource, _server_url_with("/"))
_add_fault("issuer-other", _is_server, _set_fields(issuer="https://elsewhere.example"))
_add_fault("issuer-none", _is_server, _remove_fields("issuer"))
_add_fault("endpoint-insecure", _is_server, _set_fields(token_endpoint="http://authkit.example/oauth2/token"))
_add_fault("no-s256", _is_server, _set_fields(code_challenge_methods_supported=["plain"]))
_add_fault("no-pkce", _is_server, _remove_fields("code_challenge_methods_supported"))
_add_fault("no-code", _is_server, _set_fields(grant_types_supported=["client_credentials"]))
_add_fault("no-code-type", _is_server, _set_fields(response_types_supported=["token"]))
_add_fault("no-registration", _is_server, _remove_fields("registration_endpoint"))
_add_fault(
    "token-endpoint-missing",
    _is_server,
    _edit(lambda value, _: value.update(token_endpoint=f"{value['issuer']}/nowhere")),
)
_add_fault(
    "registration-page",
    lambda request: request.is_to("authkit", "/oauth2/register"),
    _send(page(200)),
)
_add_fault(
    "registration-refused",
    lambda request: request.is_to("authkit", "/oauth2/register") and request.method == "POST",
    _send(json_reply(403, {"error": "access_denied"})),
)
_add_fault("server-null", _is_server, _set_fields(introspection_endpoint=None))
_add_fault("server-scopes-empty", _is_server, _set_fields(scopes_supported=[]))
_add_fault("iss-promised", _is_server, _set_fields(authorization_response_iss_parameter_supported=True))
_add_fault(
    "authorization-query",
    _is_server,
    _edit(lambda value, _: value.update(authorization_endpoint=value["authorization_endpoint"] + "?tenant=1")),
)
_add_fault("cimd", _is_server, _set_fields(client_id_metadata_document_supported=True))
_add_fault(
    "recommended",
    _is_server,
    _set_fields(client_id_metadata_document_supported=True, authorization_response_iss_parameter_supported=True),
)
_add_fault(
    "cimd-with-key",
    _is_server,
    _set_fields(client_id_metadata_document_supported=True, token_endpoint_auth_methods_supported=["private_key_jwt"]),
)
_add_fault(
    "cimd-without-none",
    _is_server,
    _set_fields(
        client_id_metadata_document_supported=True, token_endpoint_auth_methods_supported=["client_secret_basic"]
    ),
)
_add_fault(
    "post-only",
    lambda request: request.is_to("authkit", "/oauth2/register", "/oauth2/token") and request.method != "POST",
    _send(json_reply(404, {"error": "not_found"})),
)
_add_fault("scopes", _is_resource, _set_fields(scopes_supported=["openid", "wiki:read"]))

# Keys: RG070 to RG074
_add_fault("no-keys", _is_server, _remove_fields("jwks_uri"))
_add_fault("keys-404", _is_key_set, _send(json_reply(404, {})))
_add_fault("keys-page", _is_key_set, _send(page(200)))
_add_fault("keys-no-list", _is_key_set, _set_fields(keys={"kty": "RSA"}))
_add_fault("key-private", _is_key_set, _edit(lambda value, _: value["keys"][0].update(d="c2VjcmV0")))
_add_fault("keys-none", _is_key_set, _set_fields(keys=[]))
_add_fault(
    "keys-unusable",
    _is_key_set,
    _set_fields(keys=[{"kty": "RSA", "kid": "x", "alg": "ES256", "n": "AQAB", "e": "AQAB"}]),
)
_add_fault(
    "key-odd",
    _is_key_set,
    _edit(lambda value, _: value["keys"].append({"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB"})),
)
_add_fault("key-doubled", _is_key_set, _edit(lambda value, _: value["keys"].append(value["keys"][0])))

# Browsers: RG080 to RG082, RG087
FAULTS["no-cors"] = lambda request, reply: (
    Reply(405, (), b"") if request.is_to("deployment", "/mcp") and request.method == "OPTIONS" else reply
)
_add_fault("resource-no-cors", _is_resource, lambda _, reply: reply.without_headers("access-control-allow-origin"))
_add_fault(
    "preflight",
    _is_mcp("OPTIONS"),
    lambda _, reply: reply.with_header("access-control-allow-headers", "content-type, mcp-protocol-version"),
)
_add_fault("answers-no-cors", _is_mcp("POST"), lambda _, reply: reply.without_headers("access-control-allow-origin"))
_add_fault(
    "headers-not-exposed", _is_mcp("POST"), lambda _, reply: reply.without_headers("access-control-expose-headers")
)
_add_fault(
    "session-not-exposed",
    _is_mcp("POST"),
    lambda _, reply: reply.with_header("access-control-expose-headers", "x-other, www-Authenticate"),
)
_add_fault("all-exposed", _is_mcp("POST"), lambda _, reply: reply.with_header("access-control-expose-headers", "*"))


def _resource_document(request: StackRequest) -> Reply:
    value = {"resource": f"{request.deployment}/mcp", "authorization_servers": [request.authkit]}
    return json_reply(200, value, ("access-control-allow-origin", "*"))
