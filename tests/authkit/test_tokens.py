"""The code flow, refresh, and what the tokens say."""

from base64 import b64encode
from typing import Any

import pytest
from joserfc import jws

RESOURCE = "https://mcp.example.com/mcp"


def test_whole_flow_gives_a_token_for_the_resource(kit: Any, answered: Any) -> None:
    client_id = kit.register()["client_id"]
    back = kit.authorize(client_id)
    assert back.headers["location"].startswith("http://127.0.0.1:33418/callback?")
    assert answered(back)["state"] == ["a state & more"]
    response = kit.exchange(client_id, answered(back)["code"][0], resource=RESOURCE)
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    claims = kit.claims(tokens["access_token"])
    assert (claims["iss"], claims["aud"], claims["sub"]) == (kit.url, RESOURCE, "user_01DEVELOPMENT")
    assert claims["exp"] - claims["iat"] == 300
    assert claims["sid"].startswith("session_")
    assert jws.extract_compact(tokens["access_token"].encode()).headers()["alg"] == "RS256"


@pytest.mark.parametrize(
    ("resources", "asked"),
    [
        pytest.param(frozenset({RESOURCE}), None, id="the client asks for none"),
        pytest.param(frozenset(), RESOURCE, id="none is configured"),
    ],
)
def test_token_for_no_resource_is_for_the_environment(start: Any, resources: frozenset[str], asked: str | None) -> None:
    kit = start(resources=resources, client_id="client_01ENV")
    tokens = kit.sign_in(kit.register()["client_id"], resource=asked)
    assert kit.claims(tokens["access_token"])["aud"] == "client_01ENV"


def test_resource_that_is_not_configured_fails_at_the_token_endpoint_as_at_authkit(kit: Any, refused: Any) -> None:
    client_id = kit.register()["client_id"]
    code = kit.code(client_id, resource=f"{RESOURCE}/v1")
    assert refused(kit.exchange(client_id, code)) == (400, "invalid_target")


def test_token_request_can_not_change_the_resource(start: Any, refused: Any) -> None:
    kit = start(resources=frozenset({RESOURCE, "https://other.example/mcp"}))
    client_id = kit.register()["client_id"]
    code = kit.code(client_id)
    assert refused(kit.exchange(client_id, code, resource="https://other.example/mcp")) == (400, "invalid_target")
    tokens = kit.exchange(client_id, code, resource=RESOURCE).json()
    again = kit.refresh(client_id, tokens["refresh_token"], resource="https://other.example/mcp")
    assert refused(again) == (400, "invalid_target")
    assert kit.refresh(client_id, tokens["refresh_token"], resource=RESOURCE).status_code == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"code_verifier": "x" * 43}, "invalid_grant", id="another verifier"),
        pytest.param({"code_verifier": "short"}, "invalid_request", id="a verifier that can't be one"),
        pytest.param({"code_verifier": None}, "invalid_request", id="no verifier"),
        pytest.param({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_grant", id="another redirect_uri"),
        pytest.param({"redirect_uri": None}, "invalid_grant", id="no redirect_uri"),
        pytest.param({"code": "made-up"}, "invalid_grant", id="another code"),
        pytest.param({"code": None}, "invalid_request", id="no code"),
        pytest.param({"grant_type": "password"}, "unsupported_grant_type", id="another grant"),
        pytest.param({"grant_type": None}, "invalid_request", id="no grant"),
    ],
)
def test_wrong_exchange_is_refused_and_the_right_one_still_works(
    kit: Any, refused: Any, changed: dict[str, Any], error: str
) -> None:
    client_id = kit.register()["client_id"]
    code = kit.code(client_id)
    said = {"code": code} | changed
    assert refused(kit.exchange(client_id, **said)) == (400, error)
    assert kit.exchange(client_id, code).status_code == 200


def test_code_is_the_clients_own(kit: Any, refused: Any) -> None:
    code = kit.code(kit.register()["client_id"])
    assert refused(kit.exchange(kit.register()["client_id"], code)) == (400, "invalid_grant")


def test_unknown_client_gets_no_token(kit: Any, refused: Any) -> None:
    assert refused(kit.exchange("client_01NOBODY", "code")) == (400, "invalid_client")
    assert refused(kit.exchange(None, "code")) == (401, "invalid_client")


def test_code_lives_a_minute(kit: Any, refused: Any) -> None:
    client_id = kit.register()["client_id"]
    code, late = kit.code(client_id), kit.code(client_id)
    kit.clock.seconds += 59
    assert kit.exchange(client_id, code).status_code == 200
    kit.clock.seconds += 1
    assert refused(kit.exchange(client_id, late)) == (400, "invalid_grant")


def test_replayed_code_ends_the_session(kit: Any, refused: Any) -> None:
    client_id = kit.register()["client_id"]
    code = kit.code(client_id)
    first = kit.exchange(client_id, code).json()
    second = kit.refresh(client_id, first["refresh_token"]).json()
    assert refused(kit.exchange(client_id, code)) == (400, "invalid_grant")
    assert refused(kit.refresh(client_id, second["refresh_token"])) == (400, "invalid_grant")


def test_refresh_rotates_and_keeps_what_was_allowed(kit: Any) -> None:
    client_id = kit.register()["client_id"]
    first = kit.sign_in(client_id, scope="openid offline_access")
    second = kit.refresh(client_id, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    before, after = (kit.claims(tokens["access_token"]) for tokens in (first, second))
    same = ("iss", "sub", "aud", "sid", "scope", "client_id")
    assert [before[name] for name in same] == [after[name] for name in same]
    assert before["jti"] != after["jti"]
    assert kit.refresh(client_id, second["refresh_token"]).status_code == 200


def test_replayed_refresh_token_ends_the_session(kit: Any, refused: Any) -> None:
    client_id = kit.register()["client_id"]
    first = kit.sign_in(client_id)
    second = kit.refresh(client_id, first["refresh_token"]).json()
    assert refused(kit.refresh(client_id, first["refresh_token"])) == (400, "invalid_grant")
    assert refused(kit.refresh(client_id, second["refresh_token"])) == (400, "invalid_grant")


def test_refresh_token_is_the_clients_own(kit: Any, refused: Any) -> None:
    client_id = kit.register()["client_id"]
    tokens = kit.sign_in(client_id)
    stranger = kit.register()["client_id"]
    assert refused(kit.refresh(stranger, tokens["refresh_token"])) == (400, "invalid_grant")
    assert kit.refresh(client_id, tokens["refresh_token"]).status_code == 200


def test_refresh_can_ask_for_less_and_not_for_more(kit: Any, refused: Any) -> None:
    client_id = kit.register()["client_id"]
    tokens = kit.sign_in(client_id, scope="openid offline_access")
    assert refused(kit.refresh(client_id, tokens["refresh_token"], scope="openid email")) == (400, "invalid_scope")
    less = kit.refresh(client_id, tokens["refresh_token"], scope="openid").json()
    assert less["scope"] == "openid"


@pytest.mark.parametrize(
    ("scope", "given"),
    [(None, True), ("openid offline_access", True), ("openid profile", False)],
)
def test_refresh_token_comes_with_offline_access(kit: Any, scope: str | None, given: bool) -> None:
    assert ("refresh_token" in kit.sign_in(kit.register()["client_id"], scope=scope)) is given


def test_client_that_has_not_registered_for_refreshing_gets_no_refresh_token(kit: Any, refused: Any) -> None:
    client_id = kit.register(grant_types=["authorization_code"])["client_id"]
    assert "refresh_token" not in kit.sign_in(client_id)
    assert refused(kit.refresh(client_id, "any")) == (400, "unauthorized_client")


def kid(token: str) -> str | None:
    return jws.extract_compact(token.encode()).headers().get("kid")


def test_rotation_signs_with_a_key_that_was_published_before(start: Any) -> None:
    kit = start()
    client_id = kit.register()["client_id"]
    known = kit.published()
    old = kid(kit.sign_in(client_id)["access_token"])
    told = kit.http.post("/stand-in/rotate-keys").json()["kid"]
    new = kid(kit.sign_in(client_id)["access_token"])
    assert new == told
    assert {old, new} == known
    assert kit.published() > known


def test_old_key_is_published_until_its_tokens_are_gone(start: Any) -> None:
    kit = start()
    client_id = kit.register()["client_id"]
    old = kit.sign_in(client_id)["access_token"]
    kit.http.post("/stand-in/rotate-keys")
    new = kit.sign_in(client_id)["access_token"]
    kit.clock.seconds += 299
    assert {kit.claims(token)["aud"] for token in (old, new)} == {RESOURCE}
    kit.clock.seconds += 1
    assert kid(old) not in kit.published()
    assert kit.claims(new)["aud"] == RESOURCE


def test_published_keys_are_public(kit: Any) -> None:
    for key in kit.http.get("/oauth2/jwks").json()["keys"]:
        assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_confidential_client_has_to_prove_itself(kit: Any, refused: Any, method: str) -> None:
    client = kit.register(token_endpoint_auth_method=method)
    client_id, secret = client["client_id"], client["client_secret"]
    code = kit.code(client_id)

    def exchange(word: str, how: str = method) -> Any:
        if how == "client_secret_post":
            return kit.exchange(client_id, code, client_secret=word)
        basic = b64encode(f"{client_id}:{word}".encode()).decode()
        kit.http.headers["authorization"] = f"Basic {basic}"
        try:
            return kit.exchange(None, code)
        finally:
            del kit.http.headers["authorization"]

    other = "client_secret_basic" if method == "client_secret_post" else "client_secret_post"
    for wrong in (kit.exchange(client_id, code), exchange("wörd"), exchange(secret, other)):
        assert refused(wrong) == (401, "invalid_client")
        assert wrong.headers["www-authenticate"].startswith("Basic")
    assert exchange(secret).status_code == 200


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic " + b64encode(b"\xff:\xff").decode(), "Bearer x"])
def test_header_that_makes_no_sense_is_an_unknown_client(kit: Any, refused: Any, header: str) -> None:
    form = {"grant_type": "authorization_code", "code": "x"}
    response = kit.http.post("/oauth2/token", data=form, headers={"authorization": header})
    assert refused(response) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b'{"grant_type": "refresh_token"}', "application/json", id="json"),
        pytest.param(b"grant_type=refresh_token&grant_type=refresh_token", None, id="twice"),
        pytest.param(b"grant_type=\xff", None, id="not UTF-8"),
        pytest.param(b"x=" + b"x" * 65_536, None, id="large"),
        pytest.param(b"&".join(b"p%d=1" % number for number in range(200)), None, id="many"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_token_request_that_can_not_be_read_is_invalid(kit: Any, refused: Any, body: bytes, kind: str | None) -> None:
    headers = {"content-type": kind or "application/x-www-form-urlencoded"}
    assert refused(kit.http.post("/oauth2/token", content=body, headers=headers)) == (400, "invalid_request")


def test_openid_gives_an_id_token(kit: Any) -> None:
    client_id = kit.register()["client_id"]
    tokens = kit.sign_in(client_id, scope="openid email", nonce="once")
    claims = kit.claims(tokens["id_token"])
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (kit.url, client_id, "once")
    assert (claims["sub"], claims["email"]) == ("user_01DEVELOPMENT", "developer@example.com")
    assert "id_token" not in kit.sign_in(client_id, scope="email")
