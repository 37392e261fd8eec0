"""The page gets no secret, in whichever place and encoding it was sent."""

import base64
import html
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routegen.manifest import Manifest
from routegen.manifest.explain import Explainer
from routegen.serve.exchange import Exchange, HttpRequest, HttpResponse
from routegen.serve.inspector.exchange_view import exchange_details, exchange_summary
from routegen.serve.inspector.secret_copies import MASKED
from routegen.serve.inspector.secret_names import is_secret_name
from routegen.serve.proxy_event import RequestContext, make_event

EXPLAINER = Explainer(Manifest(version=1, default="wiki", routes=()))
# With a part that nothing else on the page has.
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cs"]), min_size=6).map(
    lambda text: f"{text[:3]}Zq0tt3r9{text[3:40]}".strip("\"' \u3000\u2002")
)
IN_HEADERS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"';"), min_size=6).map(
    lambda text: f"{text[:3]}Zq0tt3r9{text[3:40]}"
)
NAMES = st.sampled_from([
    "access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "assertion", "password",
    "device_code", "refreshToken", "user[password]",
])  # fmt: skip
NOTHING = HttpResponse(200, (("content-type", "text/plain"),), b"")
SECRET = "Zq0tt3r9-of-the-beaver"


def shown(request: HttpRequest, response: HttpResponse, result: dict[str, Any] | None = None) -> str:
    """Everything that the page gets of an exchange, as it is sent."""
    event = make_event(request, RequestContext(None, request.path, "id", "Root=1", 0.0))
    exchange = Exchange(
        "id",
        0.0,
        request,
        "$default",
        "wiki",
        response,
        1.0,
        event=json.dumps(event).encode(),
        result=json.dumps(result or {}).encode(),
    )
    return json.dumps(
        exchange_details(exchange_summary(1, exchange, None), exchange, EXPLAINER, None), ensure_ascii=False
    )


def copies(secret: str) -> set[str]:
    """The secret in each encoding in which somebody could read it."""
    raw = secret.encode()
    in_json = json.dumps(secret)[1:-1]
    encoded = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        in_json,
        json.dumps(in_json)[1:-1],
    }
    for offset in range(3):
        # the base64 characters that depend only on the secret
        start, end = -(-offset * 8 // 6), (offset + len(raw)) * 8 // 6
        encoded.add(base64.b64encode(bytes(offset) + raw).decode()[start:end])
        encoded.add(base64.urlsafe_b64encode(bytes(offset) + raw).decode()[start:end])
    return encoded


def nested_url(url: str, depth: int) -> str:
    """A URL in a parameter of another URL, like the page after a log-in."""
    for _ in range(depth):
        url = f"/login?next={quote(url, safe='')}&x=1"
    return url


def post(body: str, content_type: str) -> HttpRequest:
    return HttpRequest("POST", "/x", headers=(("content-type", content_type),), body=body.encode())


def answer(body: str, content_type: str) -> HttpResponse:
    return HttpResponse(200, (("content-type", content_type),), body.encode())


def requests(name: str, secret: str, depth: int) -> list[HttpRequest]:
    """Requests with the secret in one place each."""
    form = f"a=1&{quote(name)}={quote_plus(secret)}&b=2"
    document = nested_json(name, secret, depth)
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{secret}\r\n--b--\r\n'
    return [
        HttpRequest("GET", "/x", query=nested_url(f"/cb?{form}", depth).partition("?")[2]),
        HttpRequest("GET", "/x", headers=(("referer", nested_url(f"http://a/cb?{form}", depth)),)),
        post(form, "application/x-www-form-urlencoded"),
        post(f"data={quote_plus(document)}", "application/x-www-form-urlencoded"),
        post(document, "application/json"),
        post(document[:-1], "application/json"),
        post(part, "multipart/form-data; boundary=b"),
    ]


def nested_json(name: str, secret: str, depth: int) -> str:
    """JSON within a string of JSON."""
    document = json.dumps({"a": 1, "n": [{name: secret}]})
    for _ in range(depth):
        document = json.dumps({"content": [{"type": "text", "text": document}]})
    return document


def responses(name: str, secret: str, depth: int) -> list[HttpResponse]:
    """Requests with the secret in one place each."""
    form = f"a=1&{quote(name)}={quote_plus(secret)}&b=2"
    document = nested_json(name, secret, depth)
    link = html.escape(nested_url(f"/cb?{form}", depth))
    field = f'<input type=hidden name="{name}" value="{html.escape(secret)}">'
    event = make_event(post(form, "text/x"), RequestContext(None, "/x", "id", "Root=1", 0.0))
    return [
        HttpResponse(302, (("location", nested_url(f"http://a/cb?{form}", depth)),), b""),
        HttpResponse(302, (("location", f"http://a/cb#{form}"),), b""),
        answer(document, "application/json"),
        answer(f"event: message\ndata: {document}\n\n", "text/event-stream"),
        answer(f'<a href="{link}">on</a>{field}', "text/html"),
        answer(json.dumps(event), "application/json"),
    ]


def leaks(secret: str, request: HttpRequest, response: HttpResponse = NOTHING) -> list[str]:
    """The copies of the secret that can be read on the page."""
    result = {"statusCode": response.status, "headers": dict(response.headers), "body": response.body.decode()}
    text = shown(request, response, result)
    return [copy for copy in copies(secret) if copy in text or copy in json.dumps(json.loads(text))]


@settings(max_examples=40, deadline=None)
@given(NAMES, SECRETS, st.integers(0, 3))
def test_no_copy_of_a_secret_is_shown(name: str, secret: str, depth: int) -> None:
    for request in requests(name, secret, depth):
        assert not leaks(secret, request), request
    for response in responses(name, secret, depth):
        # With the request, because the last response has its form in base64.
        form = f"{quote(name)}={quote_plus(secret)}"
        assert not leaks(secret, post(form, "application/x-www-form-urlencoded"), response), response


@settings(deadline=None)
@given(IN_HEADERS, st.sampled_from(["Bearer ", "Basic ", "DPoP ", "Otter ", ""]))
def test_no_secret_in_a_header_is_shown(secret: str, scheme: str) -> None:
    assert not leaks(secret, HttpRequest("GET", "/x", headers=(("authorization", f"{scheme}{secret}"),)))
    assert not leaks(secret, HttpRequest("GET", "/x", headers=(("cookie", f"a=b; otter={secret}; c=d"),)))
    assert not leaks(secret, HttpRequest("GET", "/x", headers=(("x-api-key", secret),)))
    assert not leaks(
        secret, HttpRequest("GET", "/x"), HttpResponse(200, (("set-cookie", f"otter={secret}; Path=/"),), b"")
    )


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("GET", "/x", query=f"code=a;{SECRET}"),
        HttpRequest("GET", "/x", query=f'code=a"{SECRET}'),
        HttpRequest("GET", f"/x/eyJhbGciOiJub25lIn0.e30.{SECRET}"),
        HttpRequest("GET", "/x", headers=(("authorization", f"{SECRET} x"),)),
        HttpRequest("GET", "/x", headers=(("x-original-url", f"/cb?code={SECRET}"),)),
        HttpRequest("GET", "/x", headers=(("referer", f"https://otter:{SECRET}@a/"),)),
        post(f"password=two words {SECRET}", "application/x-www-form-urlencoded"),
        post(f'{{"code": "{SECRET}", "code": ""}}', "application/json"),
        post(f'\ufeff{{"code": "{SECRET}"}}', "application/json"),
        post(f'{{"credential": {{"value": "{SECRET}"}}}}', "application/json"),
        post(f'{{"cookies": ["otter={SECRET}"]}}', "application/json"),
        post(f'{{"n": NaN, "token": "{SECRET}"}}', "application/json"),
        post("[" * 2000 + f'{{"token": "{SECRET}"}}', "application/json"),
        post(f"--b\nContent-Disposition: form-data; name=code\n\n{SECRET}\n--b--", "multipart/form-data; boundary=b"),
        post(f"a\naccess_token={SECRET}", "text/plain"),
        post(f"<script>x = {{refresh_token: '{SECRET}'}}</script>", "text/html"),
        post(f'<textarea name="access_token">{SECRET}</textarea>', "text/html"),
        post(f'<meta name="csrf-token" content="{SECRET}">', "text/html"),
        post(f"see eyJhbGciOiJkaXIifQ..aaaaaaaa.{SECRET}.bbbb", "text/plain"),
        post(" " * 65_530 + f"access_token={SECRET}", "text/plain"),
    ],
)
def test_no_secret_in_an_unusual_place_is_shown(request_: HttpRequest) -> None:
    assert not leaks(SECRET, request_, HttpResponse(200, request_.headers, request_.body))


def test_a_number_can_be_a_secret() -> None:
    assert "123456789" not in shown(post('{"otp": 123456789}', "application/json"), NOTHING)
    assert "-32600" in shown(post('data: {"code": -32600}', "text/event-stream"), NOTHING)


def test_only_the_value_of_a_cookie_is_masked() -> None:
    cookie = "session={}; HttpOnly; Path=/wiki; SameSite=Lax"
    response = HttpResponse(200, (("set-cookie", cookie.format(SECRET)),), b"")
    record = json.loads(
        shown(HttpRequest("GET", "/x"), response, {"statusCode": 200, "cookies": [cookie.format(SECRET)]})
    )
    assert record["response"]["headers"] == [["set-cookie", cookie.format(MASKED)]]
    assert record["result"]["cookies"] == [cookie.format(MASKED)]


def test_secrets_in_invalid_headers_of_a_result_are_masked() -> None:
    for headers in (
        {"headers": {"Set-Cookie": [f"a={SECRET}"]}},
        {"multiValueHeaders": {"Set-Cookie": [f"a={SECRET}"]}},
    ):
        assert SECRET not in shown(HttpRequest("GET", "/x"), NOTHING, {"statusCode": 200, **headers})


@pytest.mark.parametrize(
    "text",
    [
        'Bearer resource_metadata="https://a/.well-known/oauth-protected-resource/mcp"',
        'Bearer realm="x", error="invalid_token"',
    ],
)
def test_a_challenge_is_not_masked(text: str) -> None:
    response = HttpResponse(401, (("www-authenticate", text), ("x-amzn-remapped-www-authenticate", text)), b"")
    assert [value for _, value in json.loads(shown(HttpRequest("GET", "/x"), response))["response"]["headers"]] == [
        text
    ] * 2


def test_prose_is_not_masked() -> None:
    text = "Basic knowledge of bearer authentication, at www.an.example and in heyJude.tar.gz. Session: see below."
    assert json.loads(shown(HttpRequest("GET", "/x"), answer(text, "text/html")))["response"]["body"]["text"] == text


def test_secrets_named_like_keys_do_not_change_the_keys() -> None:
    cookies = "; ".join(f"{number}={name}" for number, name in enumerate(("request", "headers", "response", "result")))
    many = "&".join(f"code=secret-{number}" for number in range(1000))
    for request in (
        HttpRequest("GET", "/x", headers=(("cookie", cookies),)),
        post(many, "application/x-www-form-urlencoded"),
    ):
        record = json.loads(shown(request, NOTHING))
        assert set(record["request"]) == {"line", "headers", "body"}
        assert set(record) >= {"request", "response", "event", "result"}
        assert "secret-7" not in json.dumps(record)


@pytest.mark.parametrize("unit", ["eyJ", "<input ", 'name="', "token=", 'token="', "%3D", "bearer+", "//a:", "\\\\"])
def test_a_long_repetitive_text_is_searched_in_linear_time(unit: str) -> None:
    """In quadratic time, each of these would need hours."""
    record = json.loads(shown(post(unit * (5_000_000 // len(unit)), "text/html"), NOTHING))
    assert record["request"]["body"]["truncated"] or "[masked]" in record["request"]["body"]["text"]


def test_a_large_result_is_truncated() -> None:
    text = shown(HttpRequest("GET", "/x"), NOTHING, {"a": ["otter"] * 100_000})
    assert len(text) < 100_000
    assert "[truncated after 64 KB]" in text


@settings(deadline=None)
@given(SECRETS)
def test_every_copy_of_a_secret_is_masked(secret: str) -> None:
    request = HttpRequest("GET", "/x", query=f"code={quote_plus(secret)}")
    page = f"<p>Your code is {secret}</p><a href='/cb?c={quote_plus(secret)}'>on</a>"
    assert not leaks(secret, request, answer(page, "text/html"))


def test_a_jwt_is_recognized_by_its_form() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    response = HttpResponse(200, (("content-type", "text/plain"),), f"the token {token} was refused".encode())
    text = shown(HttpRequest("GET", "/x", query=f"q=Bearer+{token}"), response)
    assert "the token [masked] was refused" in text
    assert token not in text


def test_a_hidden_field_of_a_form_is_masked() -> None:
    page = b'<input type="hidden" name="csrf_token" value="IjEyMzQ1Njc4OTAi"><input name="title" value="Home">'
    text = json.loads(shown(HttpRequest("GET", "/x"), HttpResponse(200, (("content-type", "text/html"),), page)))
    assert text["response"]["body"]["text"] == page.decode().replace("IjEyMzQ1Njc4OTAi", MASKED)


@pytest.mark.parametrize("name", ["Authorization", "access_token", "refreshToken", "client_secret",
                                  "code_verifier", "csrf-token", "password", "X-Api-Key", "Mcp-Session-Id", "code",
                                  "id_token"])  # fmt: skip
def test_a_secret_is_recognized_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["token_type", "token_endpoint", "routeKey", "progressToken", "path", "status_code",
                                  "statusCode", "code_challenge", "tokens", "keys", "state", "key"])  # fmt: skip
def test_other_names_are_not_names_of_secrets(name: str) -> None:
    assert not is_secret_name(name)


def test_text_without_secrets_is_unchanged() -> None:
    body = b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "no"}}'
    request = HttpRequest(
        "POST", "/mcp", query="page=Home&q=a+b", headers=(("content-type", "application/json"),), body=body
    )
    record = json.loads(shown(request, HttpResponse(200, (("content-type", "application/json"),), body)))
    assert record["request"]["line"] == "POST /mcp?page=Home&q=a+b"
    assert record["request"]["body"]["text"] == record["response"]["body"]["text"] == body.decode()
    assert record["event"]["body"] == body.decode()
    assert record["event"]["routeKey"] == "$default"
    assert MASKED not in json.dumps(record)


def test_a_large_body_is_truncated_and_of_a_binary_body_the_size_is_shown() -> None:
    large = HttpResponse(200, (("content-type", "text/plain"),), b"x" * 70_000)
    record = json.loads(shown(HttpRequest("GET", "/x"), large))
    assert record["response"]["body"]["bytes"] == 70_000
    assert record["response"]["body"]["text"] == "x" * 65_536 + "\n[truncated after 64 KB]"
    assert record["response"]["body"]["truncated"]
    binary = HttpResponse(200, (("content-type", "image/png"),), bytes(range(256)))
    assert json.loads(shown(HttpRequest("GET", "/x"), binary))["response"]["body"] == {
        "bytes": 256,
        "text": None,
        "truncated": False,
    }
