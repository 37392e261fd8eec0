"""The stand-in refuses what node-oidc-provider refuses: both get the same requests."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from authkit.conftest import CALLBACK, RESOURCE, Clock, Kit, json_error, redirect_parameters
from helpers.node import reason_not_to_run, run_oidc_provider

SIGN_IN = {"scope": "openid offline_access", "prompt": "consent"}


@pytest.fixture(scope="module", params=["stand-in", "oidc-provider"])
def server(request: pytest.FixtureRequest) -> Iterator[Kit]:
    if request.param == "stand-in":
        start: Callable[..., Kit] = request.getfixturevalue("start")
        yield start()
        return
    if reason := reason_not_to_run("oidc-provider"):
        pytest.skip(reason)
    with run_oidc_provider(RESOURCE) as url, httpx2.Client(base_url=url, trust_env=False) as http:
        yield Kit(url, http, Clock())


REGISTRATIONS: list[tuple[dict[str, Any], str]] = [
    ({"scope": ""}, "invalid_client_metadata"),
    ({"scope": "openid admin"}, "invalid_client_metadata"),
    ({"scope": 5}, "invalid_client_metadata"),
    ({"redirect_uris": []}, "invalid_redirect_uri"),
    ({"redirect_uris": ["/x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://client.example/#part"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    (
        {"application_type": "native", "redirect_uris": ["http://client.example/"]},
        "invalid_redirect_uri",
    ),
    ({"grant_types": ["password"]}, "invalid_client_metadata"),
    ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
    ({"response_types": ["token"]}, "invalid_client_metadata"),
    ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ({"token_endpoint_auth_method": "x"}, "invalid_client_metadata"),
    ({"token_endpoint_auth_method": ""}, "invalid_client_metadata"),
    ({"client_name": 5}, "invalid_client_metadata"),
    ({"client_name": ""}, "invalid_client_metadata"),
    ({"client_uri": "x"}, "invalid_client_metadata"),
    ({"logo_uri": "javascript:x"}, "invalid_client_metadata"),
    ({"policy_uri": ""}, "invalid_client_metadata"),
    ({"contacts": "a"}, "invalid_client_metadata"),
    ({"contacts": [5]}, "invalid_client_metadata"),
    ({"contacts": [""]}, "invalid_client_metadata"),
    ({"scope": " openid"}, "invalid_client_metadata"),
    ({"scope": "openid  email"}, "invalid_client_metadata"),
    ({"redirect_uris": None}, "invalid_redirect_uri"),
    ({"redirect_uris": [5]}, "invalid_redirect_uri"),
    ({"application_type": "x"}, "invalid_client_metadata"),
    ({"application_type": None}, "invalid_client_metadata"),
    ({"application_type": "web", "redirect_uris": ["com.example.app:/back"]}, "invalid_redirect_uri"),
    ({"application_type": "native", "redirect_uris": ["https://localhost/back"]}, "invalid_redirect_uri"),
    ({"client_uri": "ftp://client.example"}, "invalid_client_metadata"),
    ({"client_uri": "https://client example"}, "invalid_client_metadata"),
    ({"jwks_uri": "x"}, "invalid_client_metadata"),
    ({"jwks_uri": ""}, "invalid_client_metadata"),
    ({"jwks_uri": "https://client.example/keys", "jwks": {"keys": []}}, "invalid_client_metadata"),
    ({"jwks": "x"}, "invalid_client_metadata"),
    ({"jwks": {}}, "invalid_client_metadata"),
    ({"jwks": {"keys": 5}}, "invalid_client_metadata"),
    ({"jwks": {"keys": [{"kty": "oct", "k": "abc"}]}}, "invalid_client_metadata"),
    ({"jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "x"}]}}, "invalid_client_metadata"),
]
AUTHORIZATIONS: list[tuple[dict[str, Any], str]] = [
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "!" * 43}, "invalid_request"),
    ({"response_type": None}, "invalid_request"),
    ({"resource": "not a URI"}, "invalid_target"),
    ({"resource": f"{RESOURCE}#part"}, "invalid_target"),
    ({"resource": [RESOURCE, "https://other.example"]}, "invalid_target"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "x"}, "invalid_request"),
    ({"prompt": "Consent"}, "invalid_request"),
    ({"prompt": "consent x"}, "invalid_request"),
    ({"prompt": " consent"}, "invalid_request"),
    ({"prompt": "create"}, "invalid_request"),
    ({"prompt": ["login", "consent"]}, "invalid_request"),
    ({"scope": " offline_access"}, "invalid_scope"),
    ({"scope": "openid  email"}, "invalid_scope"),
    ({"scope": "\topenid"}, "invalid_scope"),
    ({"scope": ["openid", "email"]}, "invalid_request"),
    ({"response_type": ["code", "code"]}, "invalid_request"),
    ({"state": ["a", "b"]}, "invalid_request"),
    ({"nonce": ["a", "b"]}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "x"}, "invalid_request"),
    ({"max_age": "1.5"}, "invalid_request"),
    ({"request": "x"}, "request_not_supported"),
    ({"request_uri": "https://client.example/request"}, "request_uri_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
    ({"response_mode": ["query", "query"]}, "invalid_request"),
    # RFC 6749 knows only invalid_request for these two. The other codes are those of node-oidc-provider.
    ({"response_mode": "x"}, "invalid_request unsupported_response_mode"),
    ({"response_type": "code "}, "invalid_request unsupported_response_type"),
]
TOKEN_REQUESTS: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"client_assertion": "x"}, {}, "invalid_request"),
    ({"grant_type": "password"}, {}, "unsupported_grant_type"),
    ({"code": None}, {}, "invalid_request"),
    ({"code": "x"}, {}, "invalid_grant"),
    ({"redirect_uri": "http://127.0.0.1:1/callback"}, {}, "invalid_grant"),
    ({"resource": f"{RESOURCE}/other"}, {}, "invalid_target"),
    ({"client_id": "nobody"}, {}, "invalid_client"),
    # RFC 6749, section 5.2, wants invalid_client for each of these. The other code is that of node-oidc-provider.
    ({}, {"authorization": "Bearer x"}, "invalid_client invalid_request"),
    ({}, {"authorization": "Basic x"}, "invalid_client invalid_request"),
    ({"client_id": None}, {}, "invalid_client invalid_request"),
]
REFRESHES: list[tuple[dict[str, Any], str]] = [
    ({"scope": " openid"}, "invalid_scope"),
    ({"scope": "openid  offline_access"}, "invalid_scope"),
    ({"refresh_token": "x"}, "invalid_grant"),
    ({"resource": f"{RESOURCE}/other"}, "invalid_target"),
]


@pytest.mark.parametrize(("metadata", "error_code"), REGISTRATIONS)
def test_both_refuse_a_registration(server: Kit, metadata: dict[str, Any], error_code: str) -> None:
    assert json_error(server.register_raw(**metadata)) == (400, error_code)


@pytest.mark.parametrize(("changes", "error_code"), AUTHORIZATIONS)
def test_both_send_an_error_to_the_client(server: Kit, changes: dict[str, Any], error_code: str) -> None:
    back = redirect_parameters(server.authorize(server.register()["client_id"], **(SIGN_IN | changes)))
    (code,) = back["error"]
    assert code in error_code.split()
    assert back["iss"] == [server.url]


@pytest.mark.parametrize(("changes", "headers", "error_code"), TOKEN_REQUESTS)
def test_both_refuse_a_token_request(
    server: Kit, changes: dict[str, Any], headers: dict[str, str], error_code: str
) -> None:
    client_id = server.register()["client_id"]
    form = {"grant_type": "authorization_code", "code": server.code(client_id, **SIGN_IN), "client_id": client_id}
    form |= {"redirect_uri": CALLBACK, "code_verifier": server.verifier}
    data = {name: value for name, value in (form | changes).items() if value is not None}
    status, code = json_error(server.http.post("/oauth2/token", data=data, headers=headers))
    assert (status in {400, 401}, code in error_code.split()) == (True, True)


@pytest.mark.parametrize(("changes", "error_code"), REFRESHES)
def test_both_refuse_a_refresh(server: Kit, changes: dict[str, Any], error_code: str) -> None:
    client_id = server.register()["client_id"]
    refresh_token = server.sign_in(client_id, **SIGN_IN)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token} | changes
    assert json_error(server.token(client_id, **form)) == (400, error_code)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_both_refuse_a_client_that_authenticates_with_two_methods(server: Kit, method: str) -> None:
    client = server.register(token_endpoint_auth_method=method)
    client_id, secret = client["client_id"], client["client_secret"]
    form = {"grant_type": "authorization_code", "code": server.code(client_id, **SIGN_IN), "client_secret": secret}
    answer = server.http.post("/oauth2/token", data=form | {"client_id": client_id}, auth=(client_id, secret))
    assert json_error(answer) == (400, "invalid_request")


def test_both_refuse_the_code_grant_for_a_client_that_has_not_registered_it(server: Kit) -> None:
    client_id = server.register(grant_types=["refresh_token"], response_types=[])["client_id"]
    (code,) = redirect_parameters(server.authorize(client_id, **SIGN_IN))["error"]
    assert code in {"unauthorized_client", "invalid_request"}


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_both_refuse_a_registration_that_is_not_json(server: Kit, media_type: str) -> None:
    body = json.dumps({"redirect_uris": [CALLBACK]}).encode()
    answer = server.http.post("/oauth2/register", content=body, headers={"content-type": media_type})
    assert json_error(answer) == (400, "invalid_request")


@pytest.mark.parametrize("application_type", ["web", "native"])
def test_both_allow_another_port_only_for_a_native_client(server: Kit, application_type: str) -> None:
    client_id = server.register(application_type=application_type)["client_id"]
    answer = server.authorize(client_id, **SIGN_IN, redirect_uri="http://127.0.0.1:1/callback")
    assert ("location" in answer.headers) is (application_type == "native")


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}])
def test_both_redirect_only_to_a_registered_client(server: Kit, changes: dict[str, Any]) -> None:
    page = server.authorize(**({"client_id": server.register()["client_id"]} | SIGN_IN | changes))
    assert (page.status_code, "location" in page.headers) == (400, False)


def test_both_issue_tokens_for_the_resource(server: Kit) -> None:
    client_id = server.register()["client_id"]
    code = server.code(client_id, **SIGN_IN)
    assert server.exchange(client_id, code, code_verifier="x" * 43).json()["error"] == "invalid_grant"
    claims = server.claims(server.sign_in(client_id, **SIGN_IN)["access_token"])
    assert (claims["aud"], claims["iss"]) == (RESOURCE, server.url)


def test_both_refuse_a_second_use_of_a_code_and_the_code_of_another_client(server: Kit) -> None:
    client_id = server.register()["client_id"]
    code = server.code(client_id, **SIGN_IN)
    assert server.exchange(server.register()["client_id"], code).json()["error"] == "invalid_grant"
    code = server.code(client_id, **SIGN_IN)
    assert server.exchange(client_id, code).status_code == 200
    assert server.exchange(client_id, code).json()["error"] == "invalid_grant"
