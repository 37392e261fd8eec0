"""What the two servers of a recording answered: `World`s, by the names that the recordings have for them.

A world says for each request of `METHOD server path` what is answered, as (status, headers, body); `* server` is for
all the others. `{origin}` and `{authkit}` stand for the two servers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import Prediction

ORIGIN = "http://127.0.0.1:41111"
AUTHKIT = "http://127.0.0.1:42222"
DATA = Path(__file__).parent / "data"

Reply = tuple[int, dict[str, str], str]
Replies = dict[str, Reply]

PRM = "/.well-known/oauth-protected-resource"
ASM = "/.well-known/oauth-authorization-server"
OIDC = "/.well-known/openid-configuration"
RENAMED = "x-amzn-remapped-www-authenticate"


def page(status: int, title: str = "404 Not Found", heading: str = "Not Found") -> Reply:
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{heading}</h1></body></html>"
    return status, {"content-type": "text/html"}, text


def doc(value: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return status, {"content-type": "application/json", **named}, json.dumps(value)


def text(status: int, body: str, kind: str = "text/plain", **headers: str) -> Reply:
    return status, {"content-type": kind, **headers}, body


WIKI = page(200, "Wiki", "Home")
GONE = page(404)
MISSING = doc({"error": "not_found"}, 404)
CHALLENGE = doc({"error": "invalid_token"}, 401)
REGISTERED = doc({"client_id": "c", "redirect_uris": ["http://127.0.0.1:9/callback"]}, 201)
SIGN_IN: Reply = (302, {"location": "http://127.0.0.1:9/callback?code=x"}, "")

RESOURCE = {
    "resource": "{origin}/mcp",
    "authorization_servers": ["{authkit}"],
    "bearer_methods_supported": ["header"],
}


def metadata(server: str, prefix: str = "") -> dict[str, Any]:
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


SERVER = metadata("{authkit}", "/oauth2")
OPENID = {
    **SERVER,
    "jwks_uri": "{authkit}/jwks",
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}


def live(server: str, prefix: str = "") -> Replies:
    return {f"POST {server} {prefix}/register": REGISTERED, f"GET {server} {prefix}/authorize": SIGN_IN}


def world(changes: Mapping[str, Reply | None] | None = None) -> Replies:
    """Everything right, with no challenge to read; what is changed to None goes to the rest."""
    right: Replies = {
        "POST origin /mcp": CHALLENGE,
        "GET origin /mcp": CHALLENGE,
        f"GET origin {PRM}/mcp": doc(RESOURCE),
        f"GET authkit {ASM}": doc(SERVER),
        **live("authkit", "/oauth2"),
        "* origin": GONE,
        "* authkit": MISSING,
    }
    merged = {**right, **(changes or {})}
    return {request: reply for request, reply in merged.items() if reply is not None}


@dataclass(frozen=True)
class World:
    """The answers of a world, for `predict`."""

    replies: Replies

    def get(self, method: str, url: str) -> Answer | Failure:
        for name, origin in (("origin", ORIGIN), ("authkit", AUTHKIT)):
            path = url.removeprefix(origin)
            if url.startswith(origin) and (not path or path[0] in "/?"):
                return self._answer(method, url, name, path or "/")
        return Failure(method, url, "refused", "nobody listens there")

    def _answer(self, method: str, url: str, server: str, path: str) -> Answer:
        status, headers, body = self.replies.get(f"{method} {server} {path}", self.replies[f"* {server}"])
        lines = tuple((name, filled(value)) for name, value in headers.items())
        return Answer(method, url, status, lines, filled(body).encode())


def filled(template: str) -> str:
    return template.replace("{origin}", ORIGIN).replace("{authkit}", AUTHKIT).replace("{AUTHKIT}", AUTHKIT.upper())


def asked(prediction: Prediction) -> list[str]:
    """What a prediction foretells to be asked, as the recordings write it: `METHOD server path`."""
    lines = []
    for method, url in prediction.requests:
        name, origin = ("origin", ORIGIN) if url.startswith(ORIGIN) else ("authkit", AUTHKIT)
        lines.append(f"{method} {name} {url.removeprefix(origin) or '/'}")
    return lines


def recording(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


@cache
def recorded_worlds() -> dict[str, Replies]:
    """The 23 cases of `recorded.json`, from their descriptions there."""
    named = f'Bearer error="invalid_token", resource_metadata="{{origin}}{PRM}/mcp"'
    header = doc({"error": "invalid_token"}, 401, www_authenticate=named)
    renamed = doc({"error": "invalid_token"}, 401, x_amzn_remapped_www_authenticate=named)
    with_header = {"POST origin /mcp": header, "GET origin /mcp": header}
    without = {"POST origin /mcp": renamed, "GET origin /mcp": renamed}
    rest = {
        "404json": text(404, '{"message":"Not Found"}', "application/json"),
        "404plain": text(404, "Not Found"),
        "404html": GONE,
        "200html": WIKI,
    }
    same = {f"GET origin {PRM}/mcp": doc({**RESOURCE, "authorization_servers": ["{origin}"]})}
    own = {**same, f"GET origin {ASM}": doc(metadata("{origin}")), **live("origin")}
    kit = {f"GET authkit {ASM}": doc(SERVER), **live("authkit", "/oauth2")}
    other = {f"GET origin {PRM}/mcp": doc(RESOURCE), f"GET origin {ASM}": doc(SERVER), **kit}
    at_root = {**live("origin"), **live("authkit")}

    def of(first: Replies, kind: str, *more: Replies) -> Replies:
        merged = {**first, "* origin": rest[kind], "* authkit": rest[kind]}
        return merged | {request: reply for one in more for request, reply in one.items()}

    def slashes(server: str, issuer: str) -> Replies:
        named = {**RESOURCE, "authorization_servers": [server]}
        changed = {f"GET origin {PRM}/mcp": doc(named), f"GET authkit {ASM}": doc({**SERVER, "issuer": issuer})}
        return of(without, "404html", {**other, **changed})

    return {
        "A1-404json": of(with_header, "404json"),
        "A2-404html": of(with_header, "404html"),
        "A3-200html": of(with_header, "200html"),
        "B1-404json": of(without, "404json"),
        "B1-404plain": of(without, "404plain"),
        "B2-404html": of(without, "404html"),
        "B3-200html": of(without, "200html"),
        "A2-404html+live": of(with_header, "404html", live("origin")),
        "A3-200html+live": of(with_header, "200html", live("origin")),
        "B2-404html+live": of(without, "404html", live("origin")),
        "B3-200html+live": of(without, "200html", live("origin")),
        "C-same-A": of(with_header, "404html", own),
        "C-same-B": of(without, "404html", own),
        "C-other-A": of(with_header, "404html", other),
        "C-other-B": of(without, "404html", other),
        "X-other-B-200html": of(without, "200html", other),
        "X-noasm-same-B": of(without, "404html", same, live("origin")),
        "X-noasm-same-B-200html": of(without, "200html", same, live("origin")),
        "X-noasm-other-B": of(without, "404html", {f"GET origin {PRM}/mcp": doc(RESOURCE)}, at_root),
        "X-slash-prm": slashes("{authkit}/", "{authkit}"),
        "X-slash-iss": slashes("{authkit}", "{authkit}/"),
        "X-slash-both": slashes("{authkit}/", "{authkit}/"),
        "X-asmcopy-B": of(without, "404html", {f"GET origin {ASM}": doc(SERVER)}, kit),
    }


@cache
def measured_worlds() -> dict[str, Replies]:
    """The cases of `measured.json`: one fault each."""
    return dict(_resources()) | dict(_servers()) | dict(_endpoints()) | dict(_challenges()) | dict(_places())


def _resources() -> Iterator[tuple[str, Replies]]:
    yield "good", world()
    for name, changed in {
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
    }.items():
        yield name, world({f"GET origin {PRM}/mcp": doc({**RESOURCE, **cast("dict[str, Any]", changed)})})
    for field in ("resource", "authorization_servers"):
        lacking = {name: value for name, value in RESOURCE.items() if name != field}
        short = field.removeprefix("authorization_")
        yield f"{short}-missing", world({f"GET origin {PRM}/mcp": doc(lacking)})
    for name, reply in {
        "prm-text": text(200, "hello"),
        "prm-html-200": WIKI,
        "prm-null": text(200, "null", "application/json"),
        "prm-500": doc({"e": 1}, 500),
        "prm-502": doc({"e": 1}, 502),
        "prm-429": doc({"e": 1}, 429),
        "prm-401": doc({"e": 1}, 401),
        "prm-204": (204, {}, ""),
    }.items():
        yield name, world({f"GET origin {PRM}/mcp": reply})
    yield "prm-500-root-there", world({f"GET origin {PRM}/mcp": doc({"e": 1}, 500), f"GET origin {PRM}": doc(RESOURCE)})
    yield "prm-root-only", world({f"GET origin {PRM}/mcp": None, f"GET origin {PRM}": doc(RESOURCE)})
    for name, target, more in (
        ("prm-redirect-within", "/elsewhere", {"GET origin /elsewhere": doc(RESOURCE)}),
        ("prm-redirect-away", "{authkit}/prm", {"GET authkit /prm": doc(RESOURCE)}),
        ("prm-redirect-login", "/-/login", {"GET origin /-/login": WIKI}),
        ("prm-redirect-loop", f"{PRM}/mcp", {}),
    ):
        yield name, world({f"GET origin {PRM}/mcp": text(302, "", location=target), **more})


def _servers() -> Iterator[tuple[str, Replies]]:
    for status in (500, 502, 401):
        yield f"asm-{status}", world({f"GET authkit {ASM}": doc({"e": 1}, status)})
    within, away = text(301, "", location="/elsewhere"), text(302, "", location="{origin}/asm")
    yield "asm-redirect-within", world({f"GET authkit {ASM}": within, "GET authkit /elsewhere": doc(SERVER)})
    yield "asm-redirect-away", world({f"GET authkit {ASM}": away, "GET origin /asm": doc(SERVER)})
    for name, reply, openid in (
        ("asm-missing-oidc", None, OPENID),
        ("asm-missing-oidc-rfc8414", None, SERVER),
        ("asm-500-oidc", doc({}, 500), OPENID),
        ("asm-html-200-oidc", WIKI, OPENID),
    ):
        yield name, world({f"GET authkit {ASM}": reply, f"GET authkit {OIDC}": doc(openid)})
    for name, body in {
        "empty": "", "null": "null", "array": "[]", "text404": "404 page not found", "nginx": "nginx",
        "cut": '{"issuer": "x"', "short": "<p>", "later": '{"issuer": <!DOCTYPE html>}', "true": "true",
    }.items():  # fmt: skip
        yield f"asm-body-{name}", world({f"GET authkit {ASM}": text(200, body, "application/json")})
    for name, changed in {
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
    }.items():
        yield f"asm-{name}", world({f"GET authkit {ASM}": doc({**SERVER, **cast("dict[str, Any]", changed)})})
    for name, field in {
        "no-registration": "registration_endpoint",
        "no-methods": "code_challenge_methods_supported",
        "no-response-types": "response_types_supported",
        "no-token": "token_endpoint",
        "no-issuer": "issuer",
    }.items():
        lacking = {key: value for key, value in SERVER.items() if key != field}
        yield f"asm-{name}", world({f"GET authkit {ASM}": doc(lacking)})


def _endpoints() -> Iterator[tuple[str, Replies]]:
    for name, reply in {
        "400": doc({"error": "invalid_client_metadata", "error_description": "no thanks"}, 400),
        "400-plain": doc({"error": "invalid_redirect_uri"}, 400),
        "401": doc({"message": "Unauthorized"}, 401),
        "403-html": text(403, "<html>Forbidden</html>", "text/html"),
        "200-html": WIKI,
        "201-no-id": doc({"client_name": "x"}, 201),
        "201-empty": text(201, "", "application/json"),
        "500": text(500, "Internal Server Error"),
        "405": doc({"detail": "Method Not Allowed"}, 405),
        "404": GONE,
        "redirect-away": text(307, "", location="{origin}/register"),
    }.items():
        yield f"register-{name}", world({"POST authkit /oauth2/register": reply})
    yield "authorize-404", world({"GET authkit /oauth2/authorize": GONE})
    for name, reply in {
        "400": doc({"message": "x"}, 400),
        "404": doc({"message": "x"}, 404),
        "405": doc({"message": "x"}, 405),
        "502": doc({"message": "x"}, 502),
        "404-html": GONE,
        "200-html": WIKI,
    }.items():
        yield f"first-{name}", world({"POST origin /mcp": reply, "GET origin /mcp": reply})
    for name, reply in {"405": doc({"e": 1}, 405), "200-html": WIKI, "404": GONE}.items():
        yield f"first-get-{name}", world({"GET origin /mcp": reply})
    slash = {"POST origin /mcp/": doc({}, 401), "GET origin /mcp/": doc({}, 401)}
    kit = {"POST authkit /mcp": doc({}, 401), "GET authkit /mcp": doc({}, 401)}
    for name, status, target, more in (
        ("within", 307, "/mcp/", slash),
        ("302", 302, "/mcp/", slash),
        ("away", 307, "{authkit}/mcp", kit),
        ("login", 302, "/-/login", {"GET origin /-/login": WIKI}),
    ):
        moved = text(status, "", location=target)
        yield f"first-redirect-{name}", world({"POST origin /mcp": moved, "GET origin /mcp": moved, **more})


def _challenges() -> Iterator[tuple[str, Replies]]:
    here = {"GET origin /here": doc(RESOURCE), f"GET origin {PRM}/mcp": None}
    kit = {"GET authkit /here": doc(RESOURCE), f"GET origin {PRM}/mcp": None}
    for name, said, more in (
        ("good", f'Bearer resource_metadata="{{origin}}{PRM}/mcp"', {}),
        ("unquoted", f"Bearer resource_metadata={{origin}}{PRM}/mcp, error=x", {}),
        ("elsewhere-404", 'Bearer resource_metadata="{origin}/nowhere"', {}),
        ("elsewhere-html", 'Bearer resource_metadata="{origin}/nowhere"', {"GET origin /nowhere": WIKI}),
        ("elsewhere-good", 'Bearer resource_metadata="{origin}/here"', here),
        ("authkit", 'Bearer resource_metadata="{authkit}/here"', kit),
        ("relative", f'Bearer resource_metadata="{PRM}/mcp"', {}),
        ("basic", 'Basic realm="x"', {}),
        ("dpop", 'DPoP resource_metadata="{origin}/here"', here),
        ("lower", 'bearer error="x", resource_metadata="{origin}/here"', here),
        ("bare", "Bearer", {}),
        ("no-scheme", 'resource_metadata="{origin}/here"', here),
    ):
        reply = doc({"error": "invalid_token"}, 401, www_authenticate=said)
        yield f"challenge-{name}", world({"POST origin /mcp": reply, "GET origin /mcp": reply, **more})


def _places() -> Iterator[tuple[str, Replies]]:
    def tenant(server: str, path: str, value: dict[str, Any]) -> Replies:
        named = doc({**RESOURCE, "authorization_servers": [server]})
        return world({f"GET origin {PRM}/mcp": named, f"GET authkit {ASM}": None, f"GET authkit {path}": doc(value)})

    of_tenant = {**SERVER, "issuer": "{authkit}/t1"}
    slashed = {**SERVER, "issuer": "{authkit}/t1/"}
    yield "tenant", tenant("{authkit}/t1", f"{ASM}/t1", of_tenant)
    yield "tenant-slash", tenant("{authkit}/t1/", f"{ASM}/t1", slashed)
    yield "tenant-slash-iss", tenant("{authkit}/t1", f"{ASM}/t1", slashed)
    yield "tenant-slash-prm", tenant("{authkit}/t1/", f"{ASM}/t1", of_tenant)
    yield "tenant-oidc-appended", tenant("{authkit}/t1", f"/t1{OIDC}", {**OPENID, "issuer": "{authkit}/t1"})
    yield "tenant-root-only", tenant("{authkit}/t1", ASM, of_tenant)
    yield (
        "authkit-down",
        world({f"GET origin {PRM}/mcp": doc({**RESOURCE, "authorization_servers": ["http://127.0.0.1:2"]})}),
    )
    nothing: dict[str, Reply | None] = {f"GET origin {PRM}/mcp": None}
    for name, issuer in (("", "{origin}"), ("-slash", "{origin}/"), ("-other", "https://other.example")):
        own = doc({**metadata("{origin}"), "issuer": issuer})
        yield f"legacy{name}", world({**nothing, f"GET origin {ASM}": own, **live("origin")})
    at_path = doc({**metadata("{origin}"), "issuer": "{origin}/mcp"})
    yield "legacy-at-path", world({**nothing, f"GET origin {ASM}/mcp": at_path, **live("origin")})
    yield "legacy-bare-404", world(nothing)
    yield "legacy-bare-live", world({**nothing, **live("origin")})
    yield "catch-all-200", world({**nothing, "* origin": WIKI})
    yield "catch-all-200-good", world({"* origin": WIKI})
    for name, path, at, resource in (
        ("url-slash", "/mcp/", f"{PRM}/mcp", "{origin}/mcp"),
        ("url-query", "/mcp?x=1", f"{PRM}/mcp?x=1", "{origin}/mcp"),
        ("url-root", "/", PRM, "{origin}/"),
        ("url-bare", "", PRM, "{origin}"),
    ):
        shown = path or "/"
        more = {f"POST origin {shown}": CHALLENGE, f"GET origin {shown}": CHALLENGE}
        found = doc({**RESOURCE, "resource": resource})
        yield name, world({**more, f"GET origin {at}": found, f"GET origin {at.partition('?')[0]}": found})


URLS = {"url-slash": "/mcp/", "url-query": "/mcp?x=1", "url-root": "/", "url-bare": ""}
"""The path of the MCP endpoint where it isn't /mcp."""
