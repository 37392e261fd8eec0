"""Dynamic client registration, metadata documents, cross-origin access and the front page."""

import json
from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

CALLBACK = "http://127.0.0.1:33418/callback"
JSON = {"content-type": "application/json"}


def test_the_response_contains_all_registered_metadata(kit: Any) -> None:
    metadata = {
        "redirect_uris": [
            CALLBACK,
            "https://client.example/back",
            "cursor://anysphere/callback",
            "com.example.app:/cb",
        ],
        "client_name": "Größe",
        "client_uri": "https://client.example/",
        "scope": "openid offline_access",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "software_id": "tester",
        "contacts": ["ada@client.example"],
    }
    registered = kit.register(**metadata, unknown_field=1, jwks_uri="https://client.example/keys")
    assert metadata.items() <= registered.items()
    assert set(registered) == {*metadata, "client_id", "client_id_issued_at"}


def test_the_defaults_are_those_of_the_rfc(kit: Any) -> None:
    response = kit.http.post("/oauth2/register", json={"redirect_uris": [CALLBACK]})
    registered = response.json()
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    assert (registered["grant_types"], registered["response_types"]) == (["authorization_code"], ["code"])
    assert registered["token_endpoint_auth_method"] == "client_secret_basic"
    assert registered["client_secret"]
    assert registered["client_secret_expires_at"] == 0


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["/callback"],
        ["callback"],
        [""],
        ["https://"],
        ["https:///callback"],
        ["http://client.example/callback"],
        ["http://127.0.0.1.evil.example/"],
        ["http://user@127.0.0.1/"],
        ["https://client.example/#part"],
        ["https://client.example:port/"],
        ["https://[::1/"],
        ["https://client.example/a b"],
        ["https://client.example/\r\nSet-Cookie: a=b"],
        ["https://größe.example/"],
        ["javascript:alert(1)"],
        ["JavaScript:alert(1)"],
        ["data:text/html,x"],
        ["file:///etc/passwd"],
        [CALLBACK, "javascript:alert(1)"],
        CALLBACK,
        None,
        [1],
        {"a": "b"},
    ],
)
def test_an_invalid_redirect_uri_is_refused(kit: Any, error: Any, uris: Any) -> None:
    assert error(kit.register_raw(redirect_uris=uris)) == (400, "invalid_redirect_uri")
    assert error(kit.http.post("/oauth2/register", json={"client_name": "x"})) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "metadata",
    [
        {"grant_types": ["password"]},
        {"grant_types": "authorization_code"},
        {"grant_types": [["authorization_code"]]},
        {"response_types": ["token"]},
        {"response_types": 1},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": ["none"]},
        {"scope": "openid admin"},
        {"scope": ""},
        {"scope": ["openid"]},
        {"client_name": {"en": "Tester"}},
        {"client_uri": "nowhere"},
        {"contacts": "ada"},
    ],
)
def test_invalid_metadata_is_refused(kit: Any, error: Any, metadata: dict[str, Any]) -> None:
    assert error(kit.register_raw(**metadata)) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b"null", b"1", b"\xff", b'{"scope": "\\ud800"}', b"[" * 60_000]
)
def test_an_invalid_body_is_refused(kit: Any, error: Any, body: bytes) -> None:
    response = kit.http.post("/oauth2/register", content=body, headers=JSON)
    assert error(response) == (400, "invalid_client_metadata")


def test_a_large_body_is_refused(kit: Any, error: Any) -> None:
    body = json.dumps({"redirect_uris": [CALLBACK], "client_name": "x" * 70_000})
    assert error(kit.http.post("/oauth2/register", content=body, headers=JSON)) == (400, "invalid_request")


def test_the_metadata_is_valid_and_its_endpoints_exist(kit: Any) -> None:
    metadata = kit.http.get("/.well-known/oauth-authorization-server").json()
    AuthorizationServerMetadata(metadata).validate()
    assert metadata["issuer"] == kit.url
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization_endpoint", "token_endpoint", "registration_endpoint", "jwks_uri"):
        assert metadata[name].startswith(f"{kit.url}/oauth2/")
        assert kit.http.request("GET", metadata[name]).status_code != 404
    openid = kit.http.get("/.well-known/openid-configuration").json()
    assert metadata.items() <= openid.items()
    assert openid["id_token_signing_alg_values_supported"] == ["RS256"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/.well-known/openid-configuration"),
        ("GET", "/oauth2/jwks"),
        ("POST", "/oauth2/register"),
        ("POST", "/oauth2/token"),
    ],
)
def test_browser_clients_can_call_the_endpoints_from_another_origin(kit: Any, method: str, path: str) -> None:
    headers = {
        "origin": "https://client.example",
        "access-control-request-method": method,
        "access-control-request-headers": "content-type, mcp-protocol-version",
    }
    preflight = kit.http.options(path, headers=headers)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "mcp-protocol-version" in preflight.headers["access-control-allow-headers"].lower()
    response = kit.http.request(method, path, headers={"origin": "https://client.example"})
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/oauth2/consent", "/stand-in/rotate-keys", "/oauth2/authorize", "/"])
def test_other_origins_cannot_read_the_html_pages(kit: Any, path: str) -> None:
    answer = kit.http.get(path, headers={"origin": "https://client.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_another_host_name_is_refused(kit: Any) -> None:
    path = "/.well-known/oauth-authorization-server"
    assert kit.http.get(path, headers={"host": "rebound.evil.example"}).status_code == 400
    assert kit.http.get(path, headers={"host": "localhost:1"}).json()["issuer"] == kit.url


def test_the_front_page_describes_the_stand_in(kit: Any) -> None:
    page = kit.http.get("/")
    assert "stand-in for WorkOS AuthKit, for development" in page.text
    assert "https://mcp.example.com/mcp" in page.text
