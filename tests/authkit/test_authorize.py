"""What a person and a client get at the authorization endpoint."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

CALLBACK = "http://127.0.0.1:33418/callback"


@pytest.fixture(scope="session")
def asking(start: Any) -> Any:
    """A stand-in that asks."""
    return start(auto_consent=False)


def test_person_allows(asking: Any, answered: Any, choose: Any) -> None:
    client_id = asking.register()["client_id"]
    page = asking.authorize(client_id, scope="openid offline_access")
    assert page.status_code == 200
    for shown in ("Tester", "openid offline_access", "https://mcp.example.com/mcp", CALLBACK, "for development"):
        assert shown in page.text
    back = answered(choose(asking, page, "allow"))
    assert back["state"] == ["a state & more"]
    assert asking.exchange(client_id, back["code"][0]).json()["scope"] == "openid offline_access"


def test_person_denies(asking: Any, answered: Any, choose: Any) -> None:
    back = choose(asking, asking.authorize(asking.register()["client_id"]), "deny")
    assert back.headers["location"].startswith(f"{CALLBACK}?")
    assert answered(back)["error"] == ["access_denied"]
    assert answered(back)["state"] == ["a state & more"]
    assert "code" not in answered(back)


def test_choice_is_made_once(asking: Any, choose: Any) -> None:
    page = asking.authorize(asking.register()["client_id"])
    neither = choose(asking, page, "perhaps")
    assert (neither.status_code, "location" in neither.headers) == (400, False)
    assert choose(asking, page, "allow").status_code == 302
    again = choose(asking, page, "allow")
    assert (again.status_code, "location" in again.headers) == (400, False)
    assert "Start again from the client" in again.text


def test_page_waits_ten_minutes(asking: Any, choose: Any) -> None:
    page = asking.authorize(asking.register()["client_id"])
    asking.clock.seconds += 600
    assert choose(asking, page, "allow").status_code == 400


def test_nobody_can_choose_without_the_page(asking: Any) -> None:
    for form in ({"choice": "allow"}, {"choice": "allow", "ticket": "guessed"}, {}):
        assert asking.http.post("/oauth2/consent", data=form).status_code == 400
    assert asking.http.post("/oauth2/consent", json={"choice": "allow"}).status_code == 400


def test_page_can_not_be_used_against_the_person(asking: Any) -> None:
    client_id = asking.register(client_name='<script>alert(1)</script>"', redirect_uris=["cursor://x/cb"])["client_id"]
    page = asking.authorize(client_id, redirect_uri="cursor://x/cb")
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
    ("changed", "error"),
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
def test_client_is_told_what_is_wrong(kit: Any, answered: Any, changed: dict[str, Any], error: str) -> None:
    back = kit.authorize(kit.register()["client_id"], **changed)
    assert back.headers["location"].startswith(f"{CALLBACK}?")
    assert answered(back)["error"] == [error]
    assert answered(back)["state"] == ["a state & more"]
    assert "code" not in answered(back)


@pytest.mark.parametrize(
    "changed",
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
def test_nobody_is_redirected_to_an_address_that_is_not_the_clients(kit: Any, changed: dict[str, Any]) -> None:
    registered = kit.register()["client_id"]
    page = kit.authorize(changed.get("client_id", registered), **{n: v for n, v in changed.items() if n != "client_id"})
    assert page.status_code == 400
    assert "location" not in page.headers
    assert page.headers["content-type"].startswith("text/html")
    assert "evil" not in page.text


def test_loopback_address_has_its_port_free(kit: Any) -> None:
    client_id = kit.register(redirect_uris=["http://127.0.0.1/callback", "http://[::1]:5/callback"])["client_id"]
    for uri in ("http://127.0.0.1:40000/callback", "http://127.0.0.1/callback", "http://[::1]:40000/callback"):
        back = kit.authorize(client_id, redirect_uri=uri)
        assert back.headers["location"].startswith(f"{uri}?code="), uri
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        assert kit.exchange(client_id, code, redirect_uri=uri).status_code == 200
    for uri in ("http://127.0.0.1:40000/other", "https://127.0.0.1:40000/callback", "http://127.0.0.2:5/callback"):
        assert kit.authorize(client_id, redirect_uri=uri).status_code == 400, uri


def test_localhost_has_not(kit: Any) -> None:
    client_id = kit.register(redirect_uris=["http://localhost:5/callback"])["client_id"]
    assert kit.authorize(client_id, redirect_uri="http://localhost:6/callback").status_code == 400
    assert kit.authorize(client_id, redirect_uri="http://localhost:5/callback").status_code == 302


def test_only_redirect_uri_may_stay_unsaid(kit: Any, answered: Any) -> None:
    client_id = kit.register()["client_id"]
    code = answered(kit.authorize(client_id, redirect_uri=None))["code"][0]
    assert kit.exchange(client_id, code, redirect_uri=None).status_code == 200
    several = kit.register(redirect_uris=[CALLBACK, "https://client.example/"])["client_id"]
    assert kit.authorize(several, redirect_uri=None).status_code == 400


def test_query_of_the_redirect_uri_is_kept(kit: Any) -> None:
    uri = "https://client.example/back?tenant=1"
    back = kit.authorize(kit.register(redirect_uris=[uri])["client_id"], redirect_uri=uri)
    assert back.headers["location"].startswith(f"{uri}&code=")


def test_silent_request_is_answered_where_a_person_would_be_asked(asking: Any, kit: Any, answered: Any) -> None:
    client_id = asking.register()["client_id"]
    assert answered(asking.authorize(client_id, scope="openid", prompt="none"))["error"] == ["login_required"]
    assert "code" in answered(kit.authorize(kit.register()["client_id"], scope="openid", prompt="none"))
    assert asking.authorize(client_id, scope="openid", prompt="consent").status_code == 200


def test_parameter_without_a_value_counts_as_left_out(kit: Any, answered: Any) -> None:
    back = answered(kit.authorize(kit.register()["client_id"], resource="", scope="", state=""))
    assert set(back) == {"code"}


def test_client_gets_no_scope_that_it_has_not_registered(kit: Any, answered: Any) -> None:
    client_id = kit.register(scope="openid profile")["client_id"]
    assert kit.sign_in(client_id, scope="openid email")["scope"] == "openid"
    assert kit.sign_in(client_id)["scope"] == "openid profile"
    assert answered(kit.authorize(client_id, scope="email"))["error"] == ["invalid_scope"]
