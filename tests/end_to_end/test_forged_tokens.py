"""Requests of an attacker to the MCP endpoint, through the gateway: each is refused and reaches no tool."""

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from end_to_end.full_stack import FullStack
from joserfc import jwe
from joserfc.jwk import RSAKey
from serve.running_gateway import Answer

Claims = dict[str, Any]
Forge = Callable[[FullStack], str]

CALLS = {
    "initialize": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
    "tools/list": {},
    "tools/call": {"name": "read_page", "arguments": {"page": "Home"}},
}


@pytest.fixture(scope="session")
def site(renaming_stack: FullStack) -> FullStack:
    return renaming_stack


def rpc_body(method: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": CALLS[method]}).encode()


def send(site: FullStack, method: str, path: str = "/mcp", **headers: str) -> Answer:
    defaults = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    return site.gateway.ask("POST", path, rpc_body(method), defaults | headers)


def claims(site: FullStack, **changes: Any) -> Claims:
    """Return the claims of a valid token with some changes; None removes a claim."""
    now = int(time.time())
    valid = {"iss": site.issuer, "aud": site.mcp_url, "sub": "user_1", "sid": "s_1", "iat": now, "exp": now + 300}
    return {name: value for name, value in (valid | changes).items() if value is not None}


def signed(site: FullStack, payload: Any, **header: Any) -> str:
    """Sign a payload with the key of the stand-in. A header field with None is removed."""
    (key,) = site.authkit.keys.signing().keys
    assert isinstance(key, RSAKey)
    fields = {"alg": "RS256", "typ": "JWT", "kid": str(key.kid)} | header
    return with_rsa(key, {name: value for name, value in fields.items() if value is not None}, payload)


def with_rsa(key: RSAKey, header: Claims, payload: Any) -> str:
    """Sign without a library (RFC 7515, section 5.1), because a library would refuse some of these tokens."""
    private: Any = key.get_op_key("sign")
    unsigned = f"{encode(header)}.{encode(payload)}"
    return f"{unsigned}.{encode(private.sign(unsigned.encode(), PKCS1v15(), SHA256()))}"


def encode(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def with_hmac(site: FullStack, secret: bytes) -> str:
    (key,) = site.authkit.keys.signing().keys
    unsigned = f"{encode({'alg': 'HS256', 'typ': 'JWT', 'kid': str(key.kid)})}.{encode(claims(site))}"
    return f"{unsigned}.{encode(hmac.new(secret, unsigned.encode(), hashlib.sha256).digest())}"


def public_pem(site: FullStack) -> bytes:
    (key,) = site.authkit.keys.signing().keys
    assert isinstance(key, RSAKey)
    return key.as_pem(private=False)


def public_jwk(site: FullStack) -> bytes:
    (key,) = site.authkit.keys.signing().keys
    return json.dumps(key.as_dict(private=False)).encode()


@cache
def generate_another_key() -> RSAKey:
    return RSAKey.generate_key(2048, auto_kid=True)


def with_another_key(site: FullStack, **header: Any) -> str:
    """Sign a valid payload with a key that the stand-in does not have."""
    another_key = generate_another_key()
    (key,) = site.authkit.keys.signing().keys
    fields = {"alg": "RS256", "typ": "JWT", "kid": str(key.kid)} | header
    jwk = another_key.as_dict(private=False)
    fields = {name: jwk if value == "JWK" else value for name, value in fields.items() if value}
    return with_rsa(another_key, fields, claims(site))


def with_changed_signature(site: FullStack) -> str:
    head, payload, signature = signed(site, claims(site)).split(".")
    return f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def with_changed_payload(site: FullStack) -> str:
    head, _, signature = signed(site, claims(site)).split(".")
    return f"{head}.{encode(claims(site, sub='user_2'))}.{signature}"


def encrypted(site: FullStack) -> str:
    """Encrypt a token to a published key. Everybody can do this, so it is no proof."""
    (key,) = site.authkit.keys.signing().keys
    public = RSAKey.import_key({name: str(key.as_dict(private=False)[name]) for name in ("kty", "n", "e")})
    header = {"alg": "RSA-OAEP", "enc": "A256GCM", "cty": "JWT", "kid": str(key.kid)}
    return jwe.encrypt_compact(header, signed(site, claims(site)).encode(), public)


def as_json(site: FullStack) -> str:
    head, payload, signature = signed(site, claims(site)).split(".")
    return json.dumps({"protected": head, "payload": payload, "signature": signature})


def unsigned(site: FullStack, alg: str = "none") -> str:
    return f"{encode({'alg': alg, 'typ': 'JWT'})}.{encode(claims(site))}."


def now() -> int:
    return int(time.time())


FORGED: dict[str, Forge] = {
    "another audience": lambda site: signed(site, claims(site, aud="https://elsewhere.example/mcp")),
    "the environment's audience": lambda site: signed(site, claims(site, aud=site.authkit.settings.client_id)),
    "the gateway's root as audience": lambda site: signed(site, claims(site, aud=site.url)),
    "an audience with our audience as prefix": lambda site: signed(site, claims(site, aud=f"{site.mcp_url}x")),
    "no audience": lambda site: signed(site, claims(site, aud=None)),
    "another issuer": lambda site: signed(site, claims(site, iss="https://elsewhere.example")),
    "the issuer with a slash": lambda site: signed(site, claims(site, iss=f"{site.issuer}/")),
    "no issuer": lambda site: signed(site, claims(site, iss=None)),
    "expired": lambda site: signed(site, claims(site, exp=now() - 120)),
    "expired at the epoch": lambda site: signed(site, claims(site, exp=0)),
    "an expiry that is a string": lambda site: signed(site, claims(site, exp="tomorrow")),
    "not yet valid": lambda site: signed(site, claims(site, nbf=now() + 600)),
    "no expiry": lambda site: signed(site, claims(site, exp=None)),
    "an expiry that is a string of digits": lambda site: signed(site, claims(site, exp="9999999999")),
    "an infinite expiry": lambda site: signed(site, claims(site, exp=float("inf"))),
    "an expiry that is NaN": lambda site: signed(site, claims(site, exp=float("nan"))),
    "a past expiry with a fraction": lambda site: signed(site, claims(site, exp=now() - 120.5)),
    "a not-before time that is a string": lambda site: signed(site, claims(site, nbf="0")),
    "a not-before time that is NaN": lambda site: signed(site, claims(site, nbf=float("nan"))),
    "an empty audience": lambda site: signed(site, claims(site, aud=[])),
    "our audience as a key of an object": lambda site: signed(site, claims(site, aud={site.mcp_url: 1})),
    "our issuer in a list": lambda site: signed(site, claims(site, iss=[site.issuer])),
    "our key without a kid": lambda site: signed(site, claims(site), kid=None),
    "our key under another algorithm": lambda site: signed(site, claims(site), alg="RS512"),
    "an algorithm that is a list": lambda site: signed(site, claims(site), alg=["RS256"]),
    "a payload that is not encoded": lambda site: signed(site, claims(site), crit=["b64"], b64=False),
    "a payload that is not encoded, without crit": lambda site: signed(site, claims(site), b64=False),
    "a token in a token": lambda site: signed(site, signed(site, claims(site)).encode(), cty="JWT"),
    "an encrypted token": encrypted,
    "JSON serialisation": as_json,
    "four parts": lambda site: f"{signed(site, claims(site))}.x",
    "padded": lambda site: f"{signed(site, claims(site))}==",
    "a space inside": lambda site: signed(site, claims(site)).replace(".", ". ", 1),
    "claims that are a list": lambda site: signed(site, [claims(site)]),
    "alg none": unsigned,
    "alg None": lambda site: unsigned(site, "None"),
    "alg none with a signature": lambda site: unsigned(site) + signed(site, claims(site)).rpartition(".")[2],
    "HS256 with the public key as PEM": lambda site: with_hmac(site, public_pem(site)),
    "HS256 with the public key as JWK": lambda site: with_hmac(site, public_jwk(site)),
    "HS256 with an empty secret": lambda site: with_hmac(site, b""),
    "an unknown kid": lambda site: with_another_key(site, kid="unknown"),
    "a path as kid": lambda site: with_another_key(site, kid="../../../../dev/null"),
    "another key with our kid": with_another_key,
    "another key without a kid": lambda site: with_another_key(site, kid=None),
    "another key in the header of the token": lambda site: with_another_key(site, kid=None, jwk="JWK"),
    "a URL of another key set": lambda site: with_another_key(site, kid="x", jku="http://127.0.0.1:1/jwks"),
    "a URL of another certificate": lambda site: with_another_key(site, kid="x", x5u="http://127.0.0.1:1/cert"),
    "a changed signature": with_changed_signature,
    "a changed payload": with_changed_payload,
    "truncated": lambda site: signed(site, claims(site))[:-20],
    "two parts": lambda site: signed(site, claims(site)).rpartition(".")[0],
    "an unknown critical header": lambda site: signed(site, claims(site), crit=["exp2"], exp2=1),
    "8 KB that are not a token": lambda _site: "x" * 8_000,
    "8 KB of unsigned claims": lambda _site: f"{encode({'alg': 'RS256'})}.{encode({'sub': 'x' * 5_000})}.AAAA",
    "deeply nested claims": lambda _site: f"{encode({'alg': 'RS256'})}.{encode(b'[' * 4_000)}.AAAA",
    "not base64": lambda _site: "\u00e9.\u00e9.\u00e9".encode().decode("latin-1"),
    "a number": lambda _site: "1",
}  # fmt: skip


def assert_refused(site: FullStack, answer: Answer, since: int) -> None:
    """The response is a 401 with a challenge, and the gateway has sent only this request, to the MCP server."""
    assert answer.status == 401, answer.body
    challenge = answer.headers.get("www-authenticate") or answer.headers["x-amzn-remapped-www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert f'resource_metadata="{site.url}/.well-known/oauth-protected-resource/mcp"' in challenge
    assert b"Welcome to the wiki" not in answer.body
    assert b"read_page" not in answer.body
    assert site.exchange_lines(since) == ["POST /mcp mcp 401"]


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
@pytest.mark.reliability("forged tokens at the MCP endpoint")
def test_an_invalid_token_is_refused(site: FullStack, forge: Forge, method: str) -> None:
    token, since = forge(site), len(site.gateway.exchanges)
    answer = send(site, method, authorization=f"Bearer {token}")
    assert_refused(site, answer, since)
    assert 'error="invalid_token"' in (answer.headers["x-amzn-remapped-www-authenticate"])


@pytest.mark.parametrize("method", CALLS)
def test_a_valid_token_is_accepted(site: FullStack, method: str) -> None:
    """Without this, the tests above would prove nothing."""
    answer = send(site, method, authorization=f"Bearer {signed(site, claims(site))}")
    assert answer.status == 200
    if method == "tools/call":
        assert b"Welcome to the wiki" in answer.body


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer,", "Token TOKEN", "TOKEN", "BearerTOKEN",
        "Bearer TOKEN TOKEN", "Bearer TOKEN,Bearer TOKEN", "Negotiate TOKEN", "DPoP TOKEN", 'Bearer "TOKEN"',
    ],
)  # fmt: skip
@pytest.mark.reliability("forged tokens at the MCP endpoint")
def test_an_authorization_header_without_a_bearer_token_is_refused(site: FullStack, header: str | None) -> None:
    token, since = signed(site, claims(site)), len(site.gateway.exchanges)
    headers = {} if header is None else {"authorization": header.replace("TOKEN", token)}
    assert_refused(site, send(site, "tools/call", **headers), since)


def test_the_scheme_can_be_in_lower_case(site: FullStack) -> None:
    """RFC 9110, section 11.1."""
    assert send(site, "tools/list", authorization=f"bearer {signed(site, claims(site))}").status == 200


@pytest.mark.parametrize("order", ["good, bad", "bad, good", "good, good"])
@pytest.mark.reliability("forged tokens at the MCP endpoint")
def test_two_authorization_headers_are_refused(site: FullStack, order: str) -> None:
    """API Gateway joins two headers with a comma, and a token cannot contain a comma."""
    tokens = {"good": signed(site, claims(site)), "bad": with_changed_signature(site)}
    first, second = (tokens[name] for name in order.split(", "))
    since = len(site.gateway.exchanges)
    answer = send(site, "tools/call", authorization=f"Bearer {first}", Authorization=f"Bearer {second}")
    assert_refused(site, answer, since)
    assert len([name for name, _ in site.gateway.exchanges[-1].request.headers if name == "authorization"]) == 2


@pytest.mark.parametrize("name", ["access_token", "token", "authorization"])
@pytest.mark.reliability("forged tokens at the MCP endpoint")
def test_a_token_in_the_query_is_refused(site: FullStack, name: str) -> None:
    """RFC 6750, section 2.3, and the MCP specification: a URL with a token would be in logs."""
    since = len(site.gateway.exchanges)
    assert_refused(site, send(site, "tools/call", f"/mcp?{name}={signed(site, claims(site))}"), since)


@pytest.mark.reliability("forged tokens at the MCP endpoint")
def test_a_token_in_a_form_or_a_cookie_is_refused(site: FullStack) -> None:
    token, since = signed(site, claims(site)), len(site.gateway.exchanges)
    form = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    assert_refused(site, site.gateway.ask("POST", "/mcp", f"access_token={token}".encode(), form), since)
    since = len(site.gateway.exchanges)
    assert_refused(site, send(site, "tools/call", cookie=f"access_token={token}"), since)


@pytest.fixture(scope="module")
def signed_in(site: FullStack) -> dict[str, str]:
    """The access token, the ID token and the refresh token of a sign-in at the stand-in."""
    callback, verifier = "http://127.0.0.1:1/", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    challenge = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    with httpx2.Client(base_url=site.issuer, trust_env=False) as http:
        grants = ["authorization_code", "refresh_token"]
        metadata = {"redirect_uris": [callback], "token_endpoint_auth_method": "none", "grant_types": grants}
        client = {
            "client_id": http.post("/oauth2/register", json=metadata).json()["client_id"],
            "resource": site.mcp_url,
        }
        authorization = client | challenge | {"response_type": "code", "scope": "openid offline_access"}
        location = http.get("/oauth2/authorize", params=authorization).headers["location"]
        (code,) = parse_qs(urlsplit(location).query)["code"]
        form = client | {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        tokens: dict[str, str] = http.post("/oauth2/token", data=form).json()
        return tokens


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
@pytest.mark.reliability("forged tokens at the MCP endpoint")
def test_another_token_of_the_same_sign_in_is_refused(site: FullStack, signed_in: dict[str, str], kind: str) -> None:
    assert send(site, "tools/list", authorization=f"Bearer {signed_in['access_token']}").status == 200
    since = len(site.gateway.exchanges)
    assert_refused(site, send(site, "tools/call", authorization=f"Bearer {signed_in[kind]}"), since)


@pytest.mark.parametrize("name", ["jku", "x5u"])
@pytest.mark.parametrize("kid", ["ours", "unknown"])
@pytest.mark.reliability("forged tokens at the MCP endpoint")
def test_a_key_set_that_a_token_names_is_not_requested(site: FullStack, name: str, kid: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        header = {name: f"http://127.0.0.1:{listening.getsockname()[1]}/keys"} | ({} if kid == "ours" else {"kid": kid})
        since = len(site.gateway.exchanges)
        assert_refused(
            site, send(site, "tools/call", authorization=f"Bearer {with_another_key(site, **header)}"), since
        )
        with pytest.raises(BlockingIOError):  # no connection is waiting
            listening.accept()


@pytest.mark.parametrize("changes", [{"iat": 1}, {"exp": 10**18}, {"exp": time.time() + 9_999.5}, {"nbf": 1}])
def test_a_token_with_these_times_is_valid(site: FullStack, changes: Claims) -> None:
    """Times are numbers that can have a fraction (RFC 7519, section 2); `iat` (4.1.6) does not limit a token."""
    assert send(site, "tools/list", authorization=f"Bearer {signed(site, claims(site, **changes))}").status == 200


def test_a_token_over_the_header_limit_does_not_reach_the_server(site: FullStack) -> None:
    since = len(site.gateway.exchanges)
    answer = send(site, "tools/call", authorization=f"Bearer {'x' * 10_240}")
    assert (answer.status, answer.json) == (431, {"message": "Request Header Fields Too Large"})
    assert site.exchange_lines(since) == ["POST /mcp None 431"]


def test_the_audience_can_be_a_list_with_our_url(site: FullStack) -> None:
    """RFC 7519, section 4.1.3: a list with our URL includes us."""
    both = signed(site, claims(site, aud=["https://elsewhere.example", site.mcp_url]))
    assert send(site, "tools/list", authorization=f"Bearer {both}").status == 200
    since = len(site.gateway.exchanges)
    others = signed(site, claims(site, aud=["https://elsewhere.example", site.url]))
    assert_refused(site, send(site, "tools/list", authorization=f"Bearer {others}"), since)


def test_tokens_of_a_new_and_of_an_old_key_are_valid(site: FullStack) -> None:
    before = signed(site, claims(site))
    site.authkit.keys.rotate()
    after = signed(site, claims(site))
    assert before.partition(".")[0] != after.partition(".")[0], "the headers have different kids"
    assert send(site, "tools/list", authorization=f"Bearer {after}").status == 200
    assert send(site, "tools/list", authorization=f"Bearer {before}").status == 200


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"},
                                     {"X-Forwarded-Proto": "ftp"}, {"Forwarded": "host=evil.example"}])  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server"]
)
def test_request_headers_do_not_change_the_metadata(site: FullStack, path: str, headers: dict[str, str]) -> None:
    response, with_headers = site.gateway.get(path), site.gateway.ask("GET", path, headers=headers)
    assert (with_headers.status, with_headers.json) == (200, response.json)
    unauthorized = site.gateway.ask(
        "POST", "/mcp", rpc_body("tools/list"), {"content-type": "application/json", **headers}
    )
    assert b"evil" not in unauthorized.body
    assert "evil" not in str(unauthorized.headers)


@pytest.mark.parametrize("attack", ["another audience", "alg none", "expired"])
@pytest.mark.reliability("forged tokens at the MCP endpoint")
def test_a_gateway_that_keeps_the_challenge(attack: str, keeping_stack: FullStack) -> None:
    since = len(keeping_stack.gateway.exchanges)
    answer = send(keeping_stack, "tools/call", authorization=f"Bearer {FORGED[attack](keeping_stack)}")
    assert_refused(keeping_stack, answer, since)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
