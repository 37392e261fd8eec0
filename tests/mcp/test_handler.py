"""The Lambda handler of the MCP server with events of API Gateway."""

import base64
import json
import time
from typing import Any

import pytest
from joserfc.jwk import RSAKey

RESOURCE = "https://wiki.example/mcp"
INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "tests", "version": "1"},
}


def test_methods_that_a_stateless_endpoint_does_not_support_are_405(function: Any) -> None:
    statuses = {method: function.send(method, "/mcp").status for method in ("GET", "HEAD", "PUT", "PATCH")}
    assert statuses == dict.fromkeys(statuses, 405)


def test_post_without_a_token_is_401_with_a_challenge(function: Any) -> None:
    answer = function.post(None, "tools/list")
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"message": "Unauthorized"}
    assert int(answer.headers["content-length"]) == len(answer.body)
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert "error" not in challenge, "no error code without authentication information (RFC 6750, section 3.1)"
    assert 'resource_metadata="https://wiki.example/.well-known/oauth-protected-resource/mcp"' in challenge


def test_protected_resource_metadata_names_the_resource_and_authkit(function: Any, authkit: Any) -> None:
    answer = function.send("GET", "/.well-known/oauth-protected-resource/mcp")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["resource"] == RESOURCE
    assert answer.json["authorization_servers"] == [authkit.site.url], "without a slash at the end, like the issuer"
    assert answer.json["scopes_supported"] == ["openid", "profile", "email", "offline_access"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://wiki.example", 405), ("https://evil.example", 403), ("http://wiki.example", 403), ("null", 403)],
)
def test_an_origin_must_be_that_of_the_server(function: Any, origin: str, status: int) -> None:
    assert function.send("GET", "/mcp", headers={"origin": origin}).status == status


def test_authorization_server_metadata_is_that_of_authkit(function: Any, authkit: Any) -> None:
    answer = function.send("GET", "/.well-known/oauth-authorization-server")
    assert (answer.status, answer.json["issuer"]) == (200, authkit.site.url)


def test_a_path_that_the_server_does_not_serve_is_404(function: Any) -> None:
    for path in ("/", "/Home", "/mcp/x", "/.well-known/oauth-protected-resource"):
        assert function.send("GET", path).status == 404


def test_a_signed_in_client_reads_a_page(function: Any, authkit: Any) -> None:
    token = authkit.token()
    initialized = function.post(token, "initialize", **INITIALIZE)
    assert (initialized.status, initialized.headers["content-type"]) == (200, "application/json")
    assert "mcp-session-id" not in initialized.headers
    assert initialized.json["result"]["serverInfo"]["name"] == "An Otter Wiki"
    tools = function.post(token, "tools/list")
    assert {tool["name"] for tool in tools.json["result"]["tools"]} >= {"list_pages", "read_page"}
    result = function.read(token, "Über Uns/Größe Und Gewicht")
    assert result["structuredContent"] == {"result": "# Größe\n\n水獺 wiegen viel.\n"}
    assert not result.get("isError")


def test_the_error_of_a_tool_has_no_traceback(function: Any, authkit: Any) -> None:
    result = function.read(authkit.token(), "../x")
    assert result["isError"] is True
    assert result["content"][0]["text"] == "'../x' is not the name of a wiki page; list_pages gives their names"
    assert "Traceback" not in function.log.read_text()


def test_wrong_tokens_are_refused(function: Any, authkit: Any) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    good = authkit.token()
    head, claims, signature = good.split(".")
    unsigned = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    nested = base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
    tokens = {
        "another audience": authkit.token(aud="https://other.example/mcp"),
        "the environment's audience": authkit.token(aud="client_01TEST"),
        "no audience": authkit.token(missing="aud"),
        "an audience that is a number": authkit.token(aud=5),
        "expired": authkit.token(exp=int(time.time()) - 60),
        "no expiry": authkit.token(missing="exp"),
        "a not-before time that no float can have": authkit.token(nbf=-(10**400)),
        "an endless expiry": authkit.token(exp=float("inf")),
        "an expiry that is a string": authkit.token(exp="9999999999"),
        "not yet valid": authkit.token(nbf=int(time.time()) + 600),
        "a not-before time that is NaN": authkit.token(nbf=float("nan")),
        "another issuer": authkit.token(iss="https://other.example"),
        "another key": authkit.token(key=stranger),
        "no signature": f"{unsigned}.{claims}.",
        "a changed signature": f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
        "not a JWT": "x",
        "deeply nested JSON": f"{head}.{nested}.{signature}",
        "not UTF-8": f"{head}.{base64.urlsafe_b64encode(bytes([255])).decode()}.{signature}",
    }
    statuses = {name: function.post(token, "tools/list").status for name, token in tokens.items()}
    assert statuses == dict.fromkeys(tokens, 401)
    assert function.post("x", "tools/list").json["error"] == "invalid_token"
    assert function.post(good, "tools/list").status == 200


def hints(function: Any, token: str, expected: int) -> list[str]:
    """Return the log's hints about a missing Resource Indicator after a call."""
    length_before = len(function.log.read_text())
    assert function.post(token, "tools/list").status == expected
    log = " ".join(function.log.read_text()[length_before:].split())
    return log.split("a token was refused because its aud is WORKOS_CLIENT_ID")[1:]


@pytest.mark.parametrize("audience", ["client_01TEST", ["other", "client_01TEST"]])
def test_the_log_explains_the_refusal_of_a_token_for_the_whole_environment(
    function: Any, authkit: Any, audience: object
) -> None:
    (hint,) = hints(function, authkit.token(aud=audience), 401)
    assert f"add {RESOURCE} as a Resource Indicator in the WorkOS dashboard" in hint


def test_other_tokens_cause_no_hint_in_the_log(function: Any, authkit: Any) -> None:
    assert hints(function, authkit.token(aud="client_02OTHER"), 401) == []
    assert hints(function, authkit.token(aud=["client_01TEST", RESOURCE]), 200) == []


def test_a_thousand_invocations_share_one_lifespan_and_one_event_loop(function: Any, authkit: Any) -> None:
    token = authkit.token()
    wrong_token = authkit.token(aud="https://other.example/mcp")
    for number in range(125):
        assert function.send("GET", "/mcp").status == 405
        assert function.post(None, "tools/list").status == 401
        assert function.post(wrong_token, "tools/list").status == 401
        metadata = function.send("GET", "/.well-known/oauth-protected-resource/mcp")
        assert metadata.json["resource"] == RESOURCE
        assert len(function.post(token, "tools/list").json["result"]["tools"]) == 4
        assert function.read(token, "Home")["structuredContent"]["result"].startswith("# Home")
        missing = function.read(token, f"Missing {number}")
        assert missing["content"][0]["text"].startswith(f"the wiki does not have the page 'Missing {number}'")
        assert function.post(token, "initialize", **INITIALIZE).json["result"]["protocolVersion"] == "2025-06-18"
    assert function.value("[len(starts), len(ends), len(loops)]") == [1, 0, 1]
    assert "Traceback" not in function.log.read_text()


def test_another_event_loop_between_two_invocations_does_no_harm(function: Any) -> None:
    assert function.send("GET", "/mcp").status == 405
    function.value("asyncio.run(asyncio.sleep(0))")
    assert function.send("GET", "/mcp").status == 405
    assert function.value("[len(starts), len(ends), len(loops)]") == [1, 0, 1]


def test_the_first_request_starts_the_lifespan_and_the_import_does_not(new_function: Any, new_authkit: Any) -> None:
    assert new_function.value("[len(starts), len(loops), mcp_server.app.routes != []]") == [0, 0, True]
    assert new_authkit.site.requested == []
    # A lifespan that fails is an error of the invocation, and the next invocation tries again.
    new_function.value("failures.append('no pool')")
    error = new_function.error_of_invocation()
    assert error.startswith("LifespanFailure")
    assert "no pool" in error
    assert new_function.send("GET", "/mcp").status == 405
    assert new_function.value("len(starts)") == 1
