"""The stand-in refuses what node-oidc-provider refuses: both get the same requests."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from authkit.conftest import RESOURCE, Clock, Kit, json_error, redirect_parameters
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
]


@pytest.mark.parametrize(("metadata", "error_code"), REGISTRATIONS)
def test_both_refuse_a_registration(server: Kit, metadata: dict[str, Any], error_code: str) -> None:
    assert json_error(server.register_raw(**metadata)) == (400, error_code)


@pytest.mark.parametrize(("changes", "error_code"), AUTHORIZATIONS)
def test_both_send_an_error_to_the_client(server: Kit, changes: dict[str, Any], error_code: str) -> None:
    back = redirect_parameters(server.authorize(server.register()["client_id"], **(SIGN_IN | changes)))
    assert (back["error"], back["iss"]) == ([error_code], [server.url])


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
