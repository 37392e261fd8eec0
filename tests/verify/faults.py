"""The ways in which the stack of `broken_stack.py` can be broken on purpose: one function a fault, over one answer.

A fault sees who was asked for what, and the right answer, and gives the answer that is sent instead.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

PAGE = b"<!DOCTYPE html><html><head><title>A wiki page</title></head><body><h1>A wiki page</h1></body></html>"
RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Asked:
    """A request, and where the two servers are."""

    server: Literal["deployment", "authkit"]
    method: str
    path: str
    token: bool
    deployment: str
    authkit: str

    def at(self, server: str, *paths: str) -> bool:
        return self.server == server and self.path in paths


@dataclass(frozen=True)
class Reply:
    """An answer; `delay` is in seconds, `cut` ends it before its content-length is there."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    delay: float = 0
    cut: bool = False

    def without(self, *names: str) -> "Reply":
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0] not in names))

    def having(self, name: str, value: str) -> "Reply":
        return replace(self.without(name), headers=(*self.without(name).headers, (name, value)))


Fault = Callable[[Asked, Reply], Reply]
FAULTS: dict[str, Fault] = {}


def page(status: int) -> Reply:
    return Reply(status, (("content-type", "text/html; charset=utf-8"),), PAGE)


def json_reply(status: int, value: Any, *headers: tuple[str, str]) -> Reply:
    return Reply(status, (("content-type", "application/json"), *headers), json.dumps(value).encode())


def _fault(name: str, where: Callable[[Asked], bool], change: Callable[[Asked, Reply], Reply]) -> None:
    FAULTS[name] = lambda asked, reply: change(asked, reply) if where(asked) else reply


def _always(reply: Reply) -> Fault:
    return lambda _asked, _reply: reply


def _document(change: Callable[[dict[str, Any], Asked], None]) -> Fault:
    """A change of a JSON document that is there."""

    def changed(asked: Asked, reply: Reply) -> Reply:
        if reply.status != 200 or asked.method != "GET":
            return reply
        value = json.loads(reply.body)
        change(value, asked)
        return replace(reply, body=json.dumps(value).encode()).without("content-length")

    return changed


def _put(**fields: Any) -> Fault:
    def put(value: dict[str, Any], _asked: Asked) -> None:
        value.update(fields)

    return _document(put)


def _drop(*names: str) -> Fault:
    def drop(value: dict[str, Any], _asked: Asked) -> None:
        for name in names:
            value.pop(name, None)

    return _document(drop)


def _named(suffix: str) -> Fault:
    """A server of another URL in the resource's metadata."""

    def change(value: dict[str, Any], asked: Asked) -> None:
        value["authorization_servers"] = [asked.authkit + suffix]

    return _document(change)


def _mcp(method: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.at("deployment", "/mcp") and asked.method == method


def _resource(asked: Asked) -> bool:
    return asked.at("deployment", f"{RESOURCE}/mcp", RESOURCE)


def _metadata(asked: Asked) -> bool:
    return asked.at("authkit", SERVER, OPENID)


def _home(asked: Asked) -> bool:
    return asked.at("deployment", "/Home")


def _keys(asked: Asked) -> bool:
    return asked.at("authkit", "/oauth2/jwks")


def _challenge(text: Callable[[Asked], str | None], name: str = "www-authenticate") -> Fault:
    def change(asked: Asked, reply: Reply) -> Reply:
        said = text(asked)
        bare = reply.without("www-authenticate")
        return reply if reply.status != 401 else bare.having(name, said) if said else bare

    return change


# Reaching: 1 to 9
_fault("wiki-cut", _home, lambda _, reply: replace(reply, cut=True))
_fault("wiki-slow", _home, lambda _, reply: replace(reply, delay=30))
_fault(
    "resource-redirects",
    lambda asked: asked.at("deployment", f"{RESOURCE}/mcp", f"{RESOURCE}/mcp/"),
    lambda asked, _: (
        Reply(307, (("location", f"{RESOURCE}/mcp/"),), b"") if asked.path.endswith("p") else _resource_of(asked)
    ),
)
_fault(
    "mcp-redirects",
    lambda asked: asked.at("deployment", "/mcp") and asked.method == "POST",
    _always(Reply(307, (("location", "/mcp/"),), b"")),
)
_fault(
    "resource-redirects-away",
    _resource,
    lambda asked, _: Reply(302, (("location", f"{asked.authkit}/elsewhere"),), b""),
)
_fault("metadata-address", _resource, _put(authorization_servers=["https://169.254.169.254/latest"]))
_fault("private-address", _resource, _put(authorization_servers=["https://10.1.2.3"]))
_fault("resource-type", _resource, lambda _, reply: reply.having("content-type", "text/plain"))
_fault(
    "resource-doubled",
    _resource,
    lambda _, reply: replace(reply, body=b'{"resource": "x", ' + reply.body[1:]).without("content-length"),
)

# The MCP endpoint: 10 to 15
_fault("mcp-page", _mcp("POST"), _always(page(200)))
_fault("mcp-404", _mcp("POST"), _always(json_reply(404, {"message": "Not Found"})))
_fault("mcp-403", _mcp("POST"), _always(json_reply(403, {"message": "Forbidden"})))
_fault("mcp-fails", _mcp("POST"), _always(json_reply(500, {"message": "Internal Server Error"})))
_fault("mcp-open", _mcp("POST"), _always(json_reply(200, {"jsonrpc": "2.0", "id": 1, "result": {}})))
_fault(
    "token-refused",
    lambda asked: asked.at("deployment", "/mcp") and asked.token,
    _always(json_reply(401, {"error": "invalid_token"})),
)
_fault(
    "token-answer",
    lambda asked: asked.at("deployment", "/mcp") and asked.token,
    _always(json_reply(200, {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "broken"}})),
)

# Routes: 20 to 27
_fault("get-mcp-taken", _mcp("GET"), _always(page(404)))
_fault(
    "route-missing", lambda asked: asked.at("deployment", SERVER), _always(json_reply(404, {"message": "Not Found"}))
)
_fault("route-taken", lambda asked: asked.at("deployment", SERVER), _always(page(404)))
_fault("route-fails", lambda asked: asked.path.startswith("/mcp/"), _always(json_reply(500, {"message": "Error"})))
_fault("wiki-taken", _home, _always(json_reply(405, {"error": "method_not_allowed"})))
_fault("wiki-404", _home, _always(page(404)))
_fault("wiki-500", _home, _always(json_reply(500, {"message": "Internal Server Error"})))
_fault(
    "head-missing",
    lambda asked: asked.method == "HEAD",
    _always(Reply(404, (("content-type", "text/html"),), b"")),
)
FAULTS["catch-all-200"] = lambda asked, reply: (
    page(200) if asked.server == "deployment" and reply.status == 404 and not asked.path.startswith("/mcp") else reply
)

# The challenge: 30 to 35
_fault("challenge-missing", _mcp("POST"), _challenge(lambda _: None))
_fault("challenge-plain", _mcp("POST"), _challenge(lambda _: 'Bearer error="invalid_token"'))
_fault(
    "challenge-renamed",
    _mcp("POST"),
    _challenge(
        lambda asked: f'Bearer resource_metadata="{asked.deployment}{RESOURCE}/mcp"', "x-amzn-remapped-www-authenticate"
    ),
)
_fault(
    "challenge-wrong",
    _mcp("POST"),
    _challenge(lambda asked: f'Bearer resource_metadata="{asked.deployment}{RESOURCE}/nope"'),
)
_fault(
    "challenge-elsewhere",
    _mcp("POST"),
    _challenge(lambda asked: f'Bearer resource_metadata="{asked.deployment}/mcp/metadata"'),
)
_fault(
    "metadata-elsewhere",
    lambda asked: asked.at("deployment", "/mcp/metadata"),
    lambda asked, _: _resource_of(asked),
)
_fault("resource-404", _resource, _always(page(404)))
_fault(
    "origin-is-server",
    lambda asked: asked.at("deployment", SERVER),
    _document(lambda value, asked: value.update(issuer=asked.deployment)),
)

# Its metadata: 40 to 45
_fault("resource-500", _resource, _always(json_reply(500, {"message": "Internal Server Error"})))
_fault("resource-page", _resource, _always(page(200)))
_fault("resource-list", _resource, _always(json_reply(200, [])))
_fault("resource-nan", _resource, _always(Reply(200, (("content-type", "application/json"),), b'{"resource": NaN}')))
_fault("resource-other", _resource, _put(resource="https://elsewhere.example/mcp"))
_fault("resource-none", _resource, _drop("resource"))
_fault("resource-parent", _resource, _document(lambda value, asked: value.update(resource=asked.deployment)))
_fault("no-servers", _resource, _put(authorization_servers=[]))
_fault("servers-text", _resource, _put(authorization_servers="https://authkit.example"))
_fault("servers-missing", _resource, _drop("authorization_servers"))

# The authorization server: 50 to 62
_fault("server-insecure", _resource, _put(authorization_servers=["http://authkit.example"]))
_fault("server-404", _metadata, _always(json_reply(404, {"message": "Not Found"})))
_fault("server-404-page", _metadata, _always(page(404)))
_fault("server-first-404", lambda asked: asked.at("authkit", SERVER), _always(json_reply(404, {})))
_fault("server-first-500", lambda asked: asked.at("authkit", SERVER), _always(json_reply(500, {})))
_fault("server-first-page", lambda asked: asked.at("authkit", SERVER), _always(page(200)))
_fault("server-page", _metadata, _always(page(200)))
_fault("server-list", _metadata, _always(json_reply(200, [1])))
_fault("server-no-token-endpoint", _metadata, _drop("token_endpoint"))
_fault("server-no-authorization-endpoint", _metadata, _drop("authorization_endpoint"))
_fault("server-no-response-types", _metadata, _drop("response_types_supported"))
_fault("server-scopes-text", _metadata, _put(scopes_supported="openid email"))
_fault("issuer-slash", _metadata, _document(lambda value, _: value.update(issuer=value["issuer"] + "/")))
_fault("named-slash", _resource, _named("/"))
_fault("issuer-other", _metadata, _put(issuer="https://elsewhere.example"))
_fault("issuer-none", _metadata, _drop("issuer"))
_fault("endpoint-insecure", _metadata, _put(token_endpoint="http://authkit.example/oauth2/token"))
_fault("no-s256", _metadata, _put(code_challenge_methods_supported=["plain"]))
_fault("no-pkce", _metadata, _drop("code_challenge_methods_supported"))
_fault("no-code", _metadata, _put(grant_types_supported=["client_credentials"]))
_fault("no-code-type", _metadata, _put(response_types_supported=["token"]))
_fault("no-registration", _metadata, _drop("registration_endpoint"))
_fault(
    "token-endpoint-missing",
    _metadata,
    _document(lambda value, _: value.update(token_endpoint=f"{value['issuer']}/nowhere")),
)
_fault(
    "registration-page",
    lambda asked: asked.at("authkit", "/oauth2/register"),
    _always(page(200)),
)
_fault(
    "registration-refused",
    lambda asked: asked.at("authkit", "/oauth2/register") and asked.method == "POST",
    _always(json_reply(403, {"error": "access_denied"})),
)
_fault("scopes", _resource, _put(scopes_supported=["openid", "wiki:read"]))

# Keys: 70 to 74
_fault("no-keys", _metadata, _drop("jwks_uri"))
_fault("keys-404", _keys, _always(json_reply(404, {})))
_fault("keys-page", _keys, _always(page(200)))
_fault("keys-no-list", _keys, _put(keys={"kty": "RSA"}))
_fault("key-private", _keys, _document(lambda value, _: value["keys"][0].update(d="c2VjcmV0")))
_fault("keys-none", _keys, _put(keys=[]))
_fault("keys-unusable", _keys, _put(keys=[{"kty": "RSA", "kid": "x", "alg": "ES256", "n": "AQAB", "e": "AQAB"}]))
_fault(
    "key-odd",
    _keys,
    _document(lambda value, _: value["keys"].append({"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB"})),
)
_fault("key-doubled", _keys, _document(lambda value, _: value["keys"].append(value["keys"][0])))

# Browsers: 80 to 82
FAULTS["no-cors"] = lambda asked, reply: (
    Reply(405, (), b"") if asked.at("deployment", "/mcp") and asked.method == "OPTIONS" else reply
)
_fault("resource-no-cors", _resource, lambda _, reply: reply.without("access-control-allow-origin"))
_fault(
    "preflight",
    _mcp("OPTIONS"),
    lambda _, reply: reply.having("access-control-allow-headers", "content-type, mcp-protocol-version"),
)


def _resource_of(asked: Asked) -> Reply:
    value = {"resource": f"{asked.deployment}/mcp", "authorization_servers": [asked.authkit]}
    return json_reply(200, value, ("access-control-allow-origin", "*"))
