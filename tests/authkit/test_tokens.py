"""The authorization code flow, refresh tokens, signing keys, and the claims of tokens."""

from base64 import b64encode
from typing import Any

import pytest
from joserfc import jws

RESOURCE = "https://mcp.example.com/mcp"


def test_the_code_flow_gives_a_token_for_the_resource(kit: Any, parameters: Any) -> None:
    client_id = kit.register()["client_id"]
    back = kit.authorize(client_id)
    assert back.headers["location"].startswith("http://127.0.0.1:33418/callback?")
    assert parameters(back)["state"] == ["a state & more"]
    assert parameters(back)["iss"] == [kit.url], "RFC 9207"
    response = kit.exchange(client_id, parameters(back)["code"][0], resource=RESOURCE)
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    claims = kit.claims(tokens["access_token"])
    assert (claims["iss"], claims["aud"], claims["sub"]) == (kit.url, RESOURCE, "user_01DEVELOPMENT")
    assert claims["exp"] - claims["iat"] == 300
    assert claims["sid"].startswith("session_")
    assert jws.extract_compact(tokens["access_token"].encode()).headers()["alg"] == "RS256"


@pytest.mark.parametrize(
    ("resources", "requested"),
    [
        pytest.param(frozenset({RESOURCE}), None, id="the client requests no resource"),
        pytest.param(frozenset(), RESOURCE, id="no resource is configured"),
    ],
)
def test_a_token_without_a_resource_is_for_the_environment(
    start: Any, resources: frozenset[str], requested: str | None
) -> None:
    kit = start(resources=resources, client_id="client_01ENV")
    tokens = kit.sign_in(kit.register()["client_id"], resource=requested)
    assert kit.claims(tokens["access_token"])["aud"] == "client_01ENV"


def test_an_unknown_resource_is_refused_at_the_token_endpoint(kit: Any, error: Any) -> None:
    client_id = kit.register()["client_id"]
    code = kit.code(client_id, resource=f"{RESOURCE}/v1")
    assert error(kit.exchange(client_id, code)) == (400, "invalid_target")


def test_a_token_request_cannot_change_the_resource(start: Any, error: Any) -> None:
    kit = start(resources=frozenset({RESOURCE, "https://other.example/mcp"}))
    client_id = kit.register()["client_id"]
    code = kit.code(client_id)
    assert error(kit.exchange(client_id, code, resource="https://other.example/mcp")) == (400, "invalid_target")
    tokens = kit.exchange(client_id, code, resource=RESOURCE).json()
    refreshed = kit.refresh(client_id, tokens["refresh_token"], resource="https://other.example/mcp")
    assert error(refreshed) == (400, "invalid_target")
    assert kit.refresh(client_id, tokens["refresh_token"], resource=RESOURCE).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error_code"),
    [
        pytest.param({"code_verifier": "x" * 43}, "invalid_grant", id="another verifier"),
        pytest.param({"code_verifier": "short"}, "invalid_request", id="an invalid verifier"),
        pytest.param({"code_verifier": None}, "invalid_request", id="no verifier"),
        pytest.param({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_grant", id="another redirect_uri"),
        pytest.param({"redirect_uri": None}, "invalid_grant", id="no redirect_uri"),
        pytest.param({"code": "made-up"}, "invalid_grant", id="another code"),
        pytest.param({"code": None}, "invalid_request", id="no code"),
        pytest.param({"grant_type": "password"}, "unsupported_grant_type", id="another grant"),
        pytest.param({"grant_type": None}, "invalid_request", id="no grant"),
    ],
)
def test_a_wrong_token_request_does_not_use_the_code(
    kit: Any, error: Any, changes: dict[str, Any], error_code: str
) -> None:
    client_id = kit.register()["client_id"]
    code = kit.code(client_id)
    assert error(kit.exchange(client_id, **({"code": code} | changes))) == (400, error_code)
    assert kit.exchange(client_id, code).status_code == 200


def test_a_code_of_another_client_is_refused(kit: Any, error: Any) -> None:
    code = kit.code(kit.register()["client_id"])
    assert error(kit.exchange(kit.register()["client_id"], code)) == (400, "invalid_grant")


def test_an_unknown_client_gets_no_token(kit: Any, error: Any) -> None:
    assert error(kit.exchange("client_01NOBODY", "code")) == (400, "invalid_client")
    assert error(kit.exchange(None, "code")) == (401, "invalid_client")


def test_a_code_expires_after_a_minute(kit: Any, error: Any) -> None:
    client_id = kit.register()["client_id"]
    code, late_code = kit.code(client_id), kit.code(client_id)
    kit.clock.seconds += 59
    assert kit.exchange(client_id, code).status_code == 200
    kit.clock.seconds += 1
    assert error(kit.exchange(client_id, late_code)) == (400, "invalid_grant")


def test_a_second_use_of_a_code_ends_the_session(kit: Any, error: Any) -> None:
    client_id = kit.register()["client_id"]
    code = kit.code(client_id)
    first = kit.exchange(client_id, code).json()
    second = kit.refresh(client_id, first["refresh_token"]).json()
    assert error(kit.exchange(client_id, code)) == (400, "invalid_grant")
    assert error(kit.refresh(client_id, second["refresh_token"])) == (400, "invalid_grant")


def test_a_refresh_gives_a_new_refresh_token_with_the_same_claims(kit: Any) -> None:
    client_id = kit.register()["client_id"]
    first = kit.sign_in(client_id, scope="openid offline_access")
    second = kit.refresh(client_id, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    before, after = (kit.claims(tokens["access_token"]) for tokens in (first, second))
    same = ("iss", "sub", "aud", "sid", "scope", "client_id")
    assert [before[name] for name in same] == [after[name] for name in same]
    assert before["jti"] != after["jti"]
    assert kit.refresh(client_id, second["refresh_token"]).status_code == 200


def test_a_second_use_of_a_refresh_token_ends_the_session(kit: Any, error: Any) -> None:
    client_id = kit.register()["client_id"]
    first = kit.sign_in(client_id)
    second = kit.refresh(client_id, first["refresh_token"]).json()
    assert error(kit.refresh(client_id, first["refresh_token"])) == (400, "invalid_grant")
    assert error(kit.refresh(client_id, second["refresh_token"])) == (400, "invalid_grant")


def test_a_refresh_token_of_another_client_is_refused(kit: Any, error: Any) -> None:
    client_id = kit.register()["client_id"]
    tokens = kit.sign_in(client_id)
    stranger = kit.register()["client_id"]
    assert error(kit.refresh(stranger, tokens["refresh_token"])) == (400, "invalid_grant")
    assert kit.refresh(client_id, tokens["refresh_token"]).status_code == 200


def test_a_refresh_can_reduce_the_scope_but_not_extend_it(kit: Any, error: Any) -> None:
    client_id = kit.register()["client_id"]
    tokens = kit.sign_in(client_id, scope="openid offline_access")
    assert error(kit.refresh(client_id, tokens["refresh_token"], scope="openid email")) == (400, "invalid_scope")
    reduced = kit.refresh(client_id, tokens["refresh_token"], scope="openid").json()
    assert reduced["scope"] == "openid"


@pytest.mark.parametrize(
    ("scope", "has_refresh_token"),
    [(None, True), ("openid offline_access", True), ("openid profile", False)],
)
def test_a_refresh_token_needs_offline_access(kit: Any, scope: str | None, has_refresh_token: bool) -> None:
    assert ("refresh_token" in kit.sign_in(kit.register()["client_id"], scope=scope)) is has_refresh_token


def test_a_client_without_the_refresh_grant_gets_no_refresh_token(kit: Any, error: Any) -> None:
    client_id = kit.register(grant_types=["authorization_code"])["client_id"]
    assert "refresh_token" not in kit.sign_in(client_id)
    assert error(kit.refresh(client_id, "any")) == (400, "unauthorized_client")


def kid(token: str) -> str | None:
    return jws.extract_compact(token.encode()).headers().get("kid")


def test_a_rotation_signs_with_a_key_that_is_published_already(start: Any) -> None:
    kit = start()
    client_id = kit.register()["client_id"]
    published = kit.published_kids()
    old = kid(kit.sign_in(client_id)["access_token"])
    announced = kit.http.post("/stand-in/rotate-keys").json()["kid"]
    new = kid(kit.sign_in(client_id)["access_token"])
    assert new == announced
    assert {old, new} == published
    assert kit.published_kids() > published


@pytest.mark.parametrize("origin", ["https://page.example.net", "null", "http://127.0.0.1:1", ""])
def test_a_page_of_another_origin_cannot_rotate_the_keys(kit: Any, origin: str) -> None:
    old = kid(kit.sign_in(kit.register()["client_id"])["access_token"])
    assert kit.http.post("/stand-in/rotate-keys", headers={"origin": origin}).status_code == 403
    assert kid(kit.sign_in(kit.register()["client_id"])["access_token"]) == old


def test_an_old_key_is_published_until_its_tokens_expire(start: Any) -> None:
    kit = start()
    client_id = kit.register()["client_id"]
    old = kit.sign_in(client_id)["access_token"]
    kit.http.post("/stand-in/rotate-keys")
    new = kit.sign_in(client_id)["access_token"]
    kit.clock.seconds += 299
    assert {kit.claims(token)["aud"] for token in (old, new)} == {RESOURCE}
    kit.clock.seconds += 1
    assert kid(old) not in kit.published_kids()
    assert kit.claims(new)["aud"] == RESOURCE


def test_published_keys_have_no_private_parts(kit: Any) -> None:
    for key in kit.http.get("/oauth2/jwks").json()["keys"]:
        assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_a_confidential_client_must_authenticate(kit: Any, error: Any, method: str) -> None:
    client = kit.register(token_endpoint_auth_method=method)
    client_id, secret = client["client_id"], client["client_secret"]
    code = kit.code(client_id)

    def exchange(client_secret: str, auth_method: str = method) -> Any:
        if auth_method == "client_secret_post":
            return kit.exchange(client_id, code, client_secret=client_secret)
        basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()
        kit.http.headers["authorization"] = f"Basic {basic}"
        try:
            return kit.exchange(None, code)
        finally:
            del kit.http.headers["authorization"]

    other_method = "client_secret_basic" if method == "client_secret_post" else "client_secret_post"
    for response in (kit.exchange(client_id, code), exchange("wörd"), exchange(secret, other_method)):
        assert error(response) == (401, "invalid_client")
        assert response.headers["www-authenticate"].startswith("Basic")
    assert exchange(secret).status_code == 200


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic " + b64encode(b"\xff:\xff").decode(), "Bearer x"])
def test_an_invalid_authorization_header_is_an_unknown_client(kit: Any, error: Any, header: str) -> None:
    form = {"grant_type": "authorization_code", "code": "x"}
    response = kit.http.post("/oauth2/token", data=form, headers={"authorization": header})
    assert error(response) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        pytest.param(b'{"grant_type": "refresh_token"}', "application/json", id="json"),
        pytest.param(b"grant_type=refresh_token&grant_type=refresh_token", None, id="twice"),
        pytest.param(b"grant_type=\xff", None, id="not UTF-8"),
        pytest.param(b"x=" + b"x" * 65_536, None, id="large"),
        pytest.param(b"&".join(b"p%d=1" % number for number in range(200)), None, id="many"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_an_unreadable_token_request_is_invalid(kit: Any, error: Any, body: bytes, media_type: str | None) -> None:
    headers = {"content-type": media_type or "application/x-www-form-urlencoded"}
    assert error(kit.http.post("/oauth2/token", content=body, headers=headers)) == (400, "invalid_request")


def test_the_scope_openid_gives_an_id_token(kit: Any) -> None:
    client_id = kit.register()["client_id"]
    tokens = kit.sign_in(client_id, scope="openid email", nonce="once")
    claims = kit.claims(tokens["id_token"])
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (kit.url, client_id, "once")
    assert (claims["sub"], claims["email"]) == ("user_01DEVELOPMENT", "developer@example.com")
    assert "id_token" not in kit.sign_in(client_id, scope="email")
