"""What leaves for the page holds no secret, wherever it stood and however it was written."""

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routegen.explain import Explainer
from routegen.local.event import Invocation, Request, make_event
from routegen.local.exchange import Exchange
from routegen.local.inspector.mask import MASKED, is_secret
from routegen.local.inspector.record import details
from routegen.local.response import Response
from routegen.local.settings import Settings
from routegen.manifest import Manifest

EXPLAINER = Explainer(Manifest(version=1, default="wiki", routes=()))
SECRETS = st.text('abcXYZ0123456789-._~+/= %&é"\\', min_size=8, max_size=40).filter(
    lambda text: len(set(text)) > 4 and text == text.strip() and text not in MASKED
)


def shown(request: Request, response: Response, result: dict[str, Any] | None = None) -> str:
    """All that the page gets of an exchange, as it goes over the wire."""
    event = make_event(request, Invocation(None, request.path, "id", "Root=1", 0.0), Settings())
    exchange = Exchange(
        "id",
        0.0,
        request,
        "$default",
        "wiki",
        response,
        1.0,
        False,
        json.dumps(event).encode(),
        json.dumps(result or {}).encode(),
    )
    return json.dumps(details(exchange, EXPLAINER, None), ensure_ascii=False)


def copies(secret: str) -> set[str]:
    """The secret in each way in which somebody could read it."""
    raw = secret.encode()
    in_base64 = (
        {base64.b64encode(prefix + raw)[4:-4].decode() for prefix in (b"", b"a", b"ab")} if len(raw) > 8 else set()
    )
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], *in_base64}


def carriers(secret: str) -> list[tuple[Request, Response]]:
    """Exchanges that hold the secret, each in one place."""
    plain = Response(200, (("content-type", "text/plain"),), b"")
    header = secret.encode("ascii", "ignore").decode() or "x"
    parameter = quote_plus(secret)
    form = f"grant_type=authorization_code&code={parameter}&redirect_uri=x".encode()
    document = json.dumps({"access_token": secret, "n": [{"refresh_token": secret}], "token_type": "bearer"})
    multipart = f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{secret}\r\n--b--\r\n'.encode()
    nested = json.dumps({"content": [{"type": "text", "text": document}]})

    def post(body: bytes, content_type: str) -> Request:
        return Request("POST", "/x", headers=(("content-type", content_type),), body=body)

    return [
        (Request("GET", "/x", headers=(("authorization", f"Bearer {header}"),)), plain),
        (Request("GET", "/x", headers=(("cookie", f"a=1; session={header.replace(';', '')}"),)), plain),
        (Request("GET", "/x", headers=(("x-api-key", header),)), plain),
        (Request("GET", "/x", query=f"a=1&code={parameter}&state=s"), plain),
        (Request("GET", "/x", query=f"access%5Ftoken={parameter}"), plain),
        (post(form, "application/x-www-form-urlencoded"), plain),
        (post(document.encode(), "application/json"), plain),
        (post(multipart, "multipart/form-data; boundary=b"), plain),
        (Request("GET", "/x"), Response(302, (("location", f"http://a/cb?code={parameter}&state=1"),), b"")),
        (Request("GET", "/x"), Response(200, (("set-cookie", f"session={header.replace(';', '')}; Path=/"),), b"")),
        (Request("GET", "/x"), Response(200, (("content-type", "application/json"),), document.encode())),
        (Request("GET", "/x"), Response(200, (("content-type", "application/json"),), nested.encode())),
    ]  # fmt: skip


@given(SECRETS)
def test_no_copy_of_a_secret_is_shown(secret: str) -> None:
    for request, response in carriers(secret):
        text = shown(request, response, {"statusCode": 200, "body": response.body.decode()})
        assert MASKED in text
        for copy in copies(secret.encode("ascii", "ignore").decode() if "authorization" in str(request) else secret):
            assert len(copy) < 8 or copy not in text, (request, response)


@given(SECRETS.filter(str.isascii))
def test_what_was_found_once_is_taken_out_everywhere(secret: str) -> None:
    request = Request("GET", "/x", query=f"code={quote_plus(secret)}")
    page = f"<p>Your code is {secret}</p><a href='/cb?c={quote_plus(secret)}'>on</a>"
    text = shown(request, Response(200, (("content-type", "text/html"),), page.encode()))
    assert not [copy for copy in copies(secret) if len(copy) >= 8 and copy in text]


def test_a_token_is_known_by_its_form() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    response = Response(200, (("content-type", "text/plain"),), f"the token {token} was refused".encode())
    text = shown(Request("GET", "/x", query=f"q=Bearer+{token}"), response)
    assert "the token [masked] was refused" in text
    assert token not in text


def test_a_hidden_field_of_a_form_is_masked() -> None:
    page = b'<input type="hidden" name="csrf_token" value="IjEyMzQ1Njc4OTAi"><input name="title" value="Home">'
    text = json.loads(shown(Request("GET", "/x"), Response(200, (("content-type", "text/html"),), page)))
    assert text["response"]["body"]["text"] == page.decode().replace("IjEyMzQ1Njc4OTAi", MASKED)


@pytest.mark.parametrize("name", ["Authorization", "access_token", "refreshToken", "client_secret",
                                  "code_verifier", "csrf-token", "password", "X-Api-Key", "Mcp-Session-Id", "code",
                                  "id_token"])  # fmt: skip
def test_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["token_type", "token_endpoint", "routeKey", "progressToken", "path", "status_code",
                                  "statusCode", "code_challenge", "tokens", "keys", "state", "key"])  # fmt: skip
def test_other_names_are_no_secrets(name: str) -> None:
    assert not is_secret(name)


def test_what_is_no_secret_is_shown_as_it_is() -> None:
    body = b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "no"}}'
    request = Request(
        "POST", "/mcp", query="page=Home&q=a+b", headers=(("content-type", "application/json"),), body=body
    )
    record = json.loads(shown(request, Response(200, (("content-type", "application/json"),), body)))
    assert record["request"]["line"] == "POST /mcp?page=Home&q=a+b"
    assert record["request"]["body"]["text"] == record["response"]["body"]["text"] == body.decode()
    assert record["event"]["body"] == body.decode()
    assert record["event"]["routeKey"] == "$default"
    assert MASKED not in json.dumps(record)


def test_a_large_body_is_cut_and_a_binary_one_is_counted() -> None:
    large = Response(200, (("content-type", "text/plain"),), b"x" * 70_000)
    record = json.loads(shown(Request("GET", "/x"), large))
    assert (record["response"]["body"]["bytes"], len(record["response"]["body"]["text"])) == (70_000, 65_536)
    assert record["response"]["body"]["cut"]
    binary = Response(200, (("content-type", "image/png"),), bytes(range(256)))
    assert json.loads(shown(Request("GET", "/x"), binary))["response"]["body"] == {
        "bytes": 256,
        "text": None,
        "cut": False,
    }
