"""The authorization endpoint: consent page, redirects to the client, and errors."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

CALLBACK = "http://127.0.0.1:33418/callback"


@pytest.fixture(scope="session")
def consent_kit(start: Any) -> Any:
    """A stand-in that shows the consent page."""
    return start(auto_consent=False)


def test_a_person_can_allow_a_client(consent_kit: Any, parameters: Any, choose: Any) -> None:
    client_id = consent_kit.register()["client_id"]
    page = consent_kit.authorize(client_id, scope="openid offline_access")
    assert page.status_code == 200
    for shown in ("Tester", "openid offline_access", "https://mcp.example.com/mcp", CALLBACK, "for development"):
        assert shown in page.text
    back = parameters(choose(consent_kit, page, "allow"))
    assert back["state"] == ["a state & more"]
    assert consent_kit.exchange(client_id, back["code"][0]).json()["scope"] == "openid offline_access"


def test_a_person_can_deny_a_client(consent_kit: Any, parameters: Any, choose: Any) -> None:
    back = choose(consent_kit, consent_kit.authorize(consent_kit.register()["client_id"]), "deny")
    assert back.headers["location"].startswith(f"{CALLBACK}?")
    assert parameters(back)["error"] == ["access_denied"]
    assert parameters(back)["state"] == ["a state & more"]
    assert "code" not in parameters(back)


def test_a_consent_page_can_be_used_only_once(consent_kit: Any, choose: Any) -> None:
    page = consent_kit.authorize(consent_kit.register()["client_id"])
    invalid = choose(consent_kit, page, "perhaps")
    assert (invalid.status_code, "location" in invalid.headers) == (400, False)
    assert choose(consent_kit, page, "allow").status_code == 302
    second = choose(consent_kit, page, "allow")
    assert (second.status_code, "location" in second.headers) == (400, False)
    assert "Start again from the client" in second.text


def test_a_consent_page_expires_after_ten_minutes(consent_kit: Any, choose: Any) -> None:
    page = consent_kit.authorize(consent_kit.register()["client_id"])
    consent_kit.clock.seconds += 600
    assert choose(consent_kit, page, "allow").status_code == 400


def test_a_choice_needs_the_ticket_of_a_page(consent_kit: Any) -> None:
    for form in ({"choice": "allow"}, {"choice": "allow", "ticket": "guessed"}, {}):
        assert consent_kit.http.post("/oauth2/consent", data=form).status_code == 400
    assert consent_kit.http.post("/oauth2/consent", json={"choice": "allow"}).status_code == 400


def test_the_consent_page_is_protected_against_injection_and_framing(consent_kit: Any) -> None:
    client_id = consent_kit.register(client_name='<script>alert(1)</script>"', redirect_uris=["cursor://x/cb"])[
        "client_id"
    ]
    page = consent_kit.authorize(client_id, redirect_uri="cursor://x/cb")
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    policy = dict(rule.strip().split(" ", 1) for rule in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self' cursor:"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in page.headers


@pytest.mark.parametrize(
    ("changes", "error_code"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"resource": "not a URI"}, "invalid_target"),
        ({"resource": "https://mcp.example.com/a b"}, "invalid_target"),
        ({"resource": "https://mcp.example.com/mcp#part"}, "invalid_target"),
        ({"resource": ["https://mcp.example.com/mcp", "https://other.example"]}, "invalid_target"),
    ],
)
def test_an_error_is_sent_to_the_client(kit: Any, parameters: Any, changes: dict[str, Any], error_code: str) -> None:
    back = kit.authorize(kit.register()["client_id"], **changes)
    assert back.headers["location"].startswith(f"{CALLBACK}?")
    assert parameters(back)["error"] == [error_code]
    assert parameters(back)["state"] == ["a state & more"]
    assert parameters(back)["iss"] == [kit.url]
    assert "code" not in parameters(back)


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": f"{CALLBACK}/more"},
        {"redirect_uri": f"{CALLBACK}?more=1"},
        {"redirect_uri": "http://localhost:33418/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.example:33418/callback"},
        {"redirect_uri": "http://127.0.0.1:33418@evil.example/callback"},
        {"redirect_uri": 'https://evil.example/"<b>ü'},
        {"redirect_uri": [CALLBACK, "https://evil.example/"]},
        {"redirect_uri": "https://evil.example/", "response_type": "token"},
        {"redirect_uri": "https://evil.example/", "code_challenge": None},
        {"client_id": "client_01NOBODY"},
        {"client_id": None},
        {"client_id": "client_01NOBODY", "redirect_uri": None},
        {"response_type": 'a"b'},
    ],
)
def test_there_is_no_redirect_to_an_unregistered_uri(kit: Any, changes: dict[str, Any]) -> None:
    registered = kit.register()["client_id"]
    page = kit.authorize(**({"client_id": registered} | changes))
    assert page.status_code == 400
    assert "location" not in page.headers
    assert page.headers["content-type"].startswith("text/html")
    assert "evil" not in page.text


def test_a_native_client_can_use_any_port_of_a_loopback_address(kit: Any) -> None:
    uris = ["http://127.0.0.1/callback", "http://[::1]:5/callback"]
    client_id = kit.register(redirect_uris=uris, application_type="native")["client_id"]
    for uri in ("http://127.0.0.1:40000/callback", "http://127.0.0.1/callback", "http://[::1]:40000/callback"):
        back = kit.authorize(client_id, redirect_uri=uri)
        assert back.headers["location"].startswith(f"{uri}?code="), uri
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        assert kit.exchange(client_id, code, redirect_uri=uri).status_code == 200
    for uri in ("http://127.0.0.1:40000/other", "https://127.0.0.1:40000/callback", "http://127.0.0.2:5/callback"):
        assert kit.authorize(client_id, redirect_uri=uri).status_code == 400, uri


def test_localhost_cannot_have_another_port(kit: Any) -> None:
    uris = ["http://localhost:5/callback"]
    client_id = kit.register(redirect_uris=uris, application_type="native")["client_id"]
    assert kit.authorize(client_id, redirect_uri="http://localhost:6/callback").status_code == 400
    assert kit.authorize(client_id, redirect_uri="http://localhost:5/callback").status_code == 302


def test_a_single_registered_redirect_uri_is_the_default(kit: Any, parameters: Any) -> None:
    client_id = kit.register()["client_id"]
    code = parameters(kit.authorize(client_id, redirect_uri=None))["code"][0]
    assert kit.exchange(client_id, code, redirect_uri=None).status_code == 200
    several = kit.register(redirect_uris=[CALLBACK, "https://client.example/"])["client_id"]
    assert kit.authorize(several, redirect_uri=None).status_code == 400


def test_the_query_of_the_redirect_uri_is_kept(kit: Any) -> None:
    uri = "https://client.example/back?tenant=1"
    back = kit.authorize(kit.register(redirect_uris=[uri])["client_id"], redirect_uri=uri)
    assert back.headers["location"].startswith(f"{uri}&code=")


def test_prompt_none_is_an_error_if_a_consent_page_is_necessary(consent_kit: Any, kit: Any, parameters: Any) -> None:
    client_id = consent_kit.register()["client_id"]
    assert parameters(consent_kit.authorize(client_id, scope="openid", prompt="none"))["error"] == ["login_required"]
    assert "code" in parameters(kit.authorize(kit.register()["client_id"], scope="openid", prompt="none"))
    assert consent_kit.authorize(client_id, scope="openid", prompt="consent").status_code == 200


def test_a_parameter_without_a_value_is_ignored(kit: Any, parameters: Any) -> None:
    back = parameters(kit.authorize(kit.register()["client_id"], resource="", scope="", state=""))
    assert set(back) == {"code", "iss"}


def test_a_client_gets_only_registered_scopes(kit: Any, parameters: Any) -> None:
    client_id = kit.register(scope="openid profile")["client_id"]
    assert kit.sign_in(client_id, scope="openid email")["scope"] == "openid"
    assert kit.sign_in(client_id)["scope"] == "openid profile"
    assert parameters(kit.authorize(client_id, scope="email"))["error"] == ["invalid_scope"]
