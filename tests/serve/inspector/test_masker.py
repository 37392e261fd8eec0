"""The page and the log get no secret, in whichever place and encoding it was sent."""

import base64
import html
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routegen.manifest import Manifest, Route
from routegen.manifest.explain import Explainer
from routegen.serve.exchange import Exchange, HttpRequest, HttpResponse
from routegen.serve.gateway_log import GatewayLog
from routegen.serve.inspector.exchange_view import exchange_details
from routegen.serve.masker import MASKED, Masker
from routegen.serve.proxy_event import RequestContext, make_event
from routegen.serve.proxy_response import InvalidResultError, make_response
from routegen.serve.serve_settings import ServeSettings

ROUTE = Route(
    path="/v42/{owner}/mcp-2", methods=("GET",), app="mcp", role="other", route_keys=("ANY /v42/{owner}/mcp-2",)
)
MANIFEST = Manifest(version=1, default="wiki", routes=(ROUTE,))
EXPLAINER = Explainer(MANIFEST)
MASKER = Masker(MANIFEST, ServeSettings())
# With a part that nothing else on the page has.
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cs"]), min_size=6).map(
    lambda text: f"{text[:3]}Zq0tt3r9{text[3:40]}".strip("\"' \u3000\u2002")
)
IN_HEADERS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"';"), min_size=6).map(
    lambda text: f"{text[:3]}Zq0tt3r9{text[3:40]}"
)
NAMES = st.sampled_from([
    "access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "assertion", "password",
    "device_code", "refreshToken", "user[password]", "x-auth", "key", "pin", "sig", "q", "note", "state",
])  # fmt: skip
NOTHING = HttpResponse(200, (("content-type", "text/plain"),), b"")
SECRET = "Zq0tt3r9-of-the-beaver"


def shown(
    request: HttpRequest, response: HttpResponse, result: dict[str, Any] | None = None, masker: Masker = MASKER
) -> str:
    """Everything that the page gets of an exchange, as it is sent, and the lines of the log."""
    event = make_event(request, RequestContext(None, request.path, "id", "Root=1", 0.0))
    exchange = Exchange("id", 0.0, request, "$default", "wiki", response, 1.0, event=json.dumps(event).encode())
    exchange = replace(exchange, result=json.dumps(result or {}).encode())
    details = exchange_details(1, exchange, EXPLAINER, masker, None)
    return json.dumps(details | {"log": log_lines(exchange, masker)}, ensure_ascii=False)


def log_lines(exchange: Exchange, masker: Masker) -> list[str]:
    lines: list[str] = []
    for as_json in (False, True):
        GatewayLog(lines.append, as_json=as_json).write_exchange(exchange, masker.mask_path(exchange.request.path))
    return lines


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
    result = {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": response.body.decode(errors="replace"),
    }
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


def get(path: str = "/x", query: str = "", **headers: str) -> HttpRequest:
    return HttpRequest("GET", path, query, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


JWT = f"eyJhbGciOiJub25lIn0.e30.{SECRET}"
YAML, XML = f"pin: {SECRET}\n", f"<login><pin>{SECRET}</pin></login>"
FORM, JSON, MULTIPART = "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b"
PLACES = {
    "a code with a semicolon": get(query=f"code=a;{SECRET}"),
    "a code with a quote": get(query=f'code=a"{SECRET}'),
    "key= in the query": get(query=f"key={SECRET}"),
    "pin= in the query": get(query=f"a=1&pin={SECRET}"),
    "a signature in the query": get(query=f"X-Amz-Signature={SECRET}"),
    "a query without a name": get(query=SECRET),
    "a query that is base64": get(query=f"{SECRET}=="),
    "the name of a long parameter": get(query=f"{'x' * 20}{SECRET}=1"),
    "a URL in the query": get(query=f"redirect_uri=http%3A%2F%2F127.0.0.1%2F{SECRET}%3Fkey%3D{SECRET}"),
    "a URL in the query, encoded twice": get(query=f"next=http%253A%252F%252Fa%252F%253Fkey%253D{SECRET}"),
    "the last part of the path": get(f"/confirm/{SECRET}"),
    "the first part of the path": get(f"/{SECRET}/page"),
    "a parameter of a path's part": get(f"/page;key={SECRET}"),
    "a JWT in the path": get(f"/x/{JWT}"),
    "the path of a route with a variable": get(f"/v42/{SECRET}/mcp-2"),
    "a path with another slash": get(f"/v42/{SECRET}/mcp-2/"),
    "a path that is percent-encoded": get("/" + "".join(f"%{ord(char):02x}" for char in SECRET)),
    "a path below a metadata document": get(f"/.well-known/oauth-protected-resource/{SECRET}"),
    "Authorization without a scheme": get(authorization=f"{SECRET} x"),
    "Authorization with a scheme": get(authorization=f"Bearer {SECRET}"),
    "x-auth": get(x_auth=SECRET),
    "x-hub-signature": get(x_hub_signature=f"sha256={SECRET}"),
    "mcp-session-id": get(mcp_session_id=SECRET),
    "a header that nobody knows": get(otter=SECRET),
    "a URL in a header": get(x_original_url=f"/cb?code={SECRET}"),
    "user information of a referer": get(referer=f"https://otter:{SECRET}@a/"),
    "user information of a host": get(host=f"otter:{SECRET}@a"),
    "the path of a referer": get(referer=f"https://a/{SECRET}/x"),
    "the fragment of a referer": get(referer=f"https://a/x#{SECRET}"),
    "a cookie": get(cookie=f"a=b; path={SECRET}"),
    "a cookie without a name": get(cookie=SECRET),
    "a password of several words": post(f"password=two words {SECRET}", FORM),
    "a form field": post(f"pin={SECRET}", FORM),
    "a repeated JSON key": post(f'{{"code": "{SECRET}", "code": ""}}', JSON),
    "JSON with a byte order mark": post(f'\ufeff{{"code": "{SECRET}"}}', JSON),
    "JSON below a name": post(f'{{"credential": {{"value": "{SECRET}"}}}}', JSON),
    "JSON of names and values": post(f'[{{"name": "pin", "value": "{SECRET}"}}]', JSON),
    "JSON in a string": post(json.dumps({"text": json.dumps({"pin": SECRET})}), JSON),
    "JSON as text": post(f'{{"pin": "{SECRET}"}}', "text/plain"),
    "a list of cookies": post(f'{{"cookies": ["otter={SECRET}"]}}', JSON),
    "JSON with NaN": post(f'{{"n": NaN, "token": "{SECRET}"}}', JSON),
    "JSON that is nested deeply": post("[" * 2000 + f'{{"token": "{SECRET}"}}', JSON),
    "JSON that is not complete": post(f'{{"pin": "{SECRET}"', JSON),
    "a JSON string": post(json.dumps(SECRET), JSON),
    "a tool's argument": post(f'{{"jsonrpc": "2.0", "id": 1, "params": {{"arguments": {{"a": "{SECRET}"}}}}}}', JSON),
    "an error's message": post(f'{{"error": {{"code": -32600, "message": "no {SECRET}"}}}}', JSON),
    "the name of a tool": post(f'{{"params": {{"name": "{SECRET}"}}}}', JSON),
    "a part of a form": post(f"--b\nContent-Disposition: form-data; name=code\n\n{SECRET}\n--b--", MULTIPART),
    "YAML": post(YAML, "application/yaml"),
    "XML": post(XML, "application/xml"),
    "UTF-16": HttpRequest("POST", "/x", body=f'{{"pin": "{SECRET}"}}'.encode("utf-16")),
    "a line of text": post(f"a\naccess_token={SECRET}", "text/plain"),
    "prose": post(f"Your code is {SECRET}.", "text/plain"),
    "a script": post(f"<script>x = {{refresh_token: '{SECRET}'}}</script>", "text/html"),
    "a text area": post(f'<textarea name="access_token">{SECRET}</textarea>', "text/html"),
    "a meta element": post(f'<meta name="csrf-token" content="{SECRET}">', "text/html"),
    "a JWE in text": post(f"see eyJhbGciOiJkaXIifQ..aaaaaaaa.{SECRET}.bbbb", "text/plain"),
    "the data of an event": post(f'data: {{"pin": "{SECRET}"}}', "text/event-stream"),
    "the name of an event": post(f"event: {SECRET}", "text/event-stream"),
    "the id of an event": post(f"id: {SECRET}", "text/event-stream"),
    "a comment in an event stream": post(f": {SECRET}", "text/event-stream"),
    "a field of an event stream": post(f"{SECRET}: 1", "text/event-stream"),
    "text at the limit of what is shown": post(" " * 65_530 + f"access_token={SECRET}", "text/plain"),
}  # fmt: skip


@pytest.mark.parametrize("request_", PLACES.values(), ids=PLACES)
@pytest.mark.reliability("places of a secret that the log and the inspector could show")
def test_a_secret_in_any_place_of_a_request_and_of_a_response_is_masked(request_: HttpRequest) -> None:
    assert not leaks(SECRET, request_, HttpResponse(200, request_.headers, request_.body))


@pytest.mark.parametrize("place", ["statusCode", "headers", "cookies", "body"])
@pytest.mark.parametrize("value", [SECRET, [SECRET], {SECRET: SECRET}, f"{SECRET}\n", [f"{SECRET}\n"]])
def test_the_reason_of_an_invalid_result_has_no_value_of_it(place: str, value: Any) -> None:
    result = {"statusCode": 200, place: value}
    with suppress(InvalidResultError):
        make_response(json.dumps(result).encode(), renames_challenge=True)
        return
    with pytest.raises(InvalidResultError) as error:
        make_response(json.dumps(result).encode(), renames_challenge=True)
    assert SECRET not in str(error.value)


def test_with_show_values_nothing_is_masked() -> None:
    masker = Masker(MANIFEST, ServeSettings(shows_values=True))
    for place, request in PLACES.items():
        text = shown(request, HttpResponse(200, request.headers, request.body), masker=masker)
        assert MASKED not in text, place


def test_a_number_can_be_a_secret() -> None:
    assert "987654321" not in shown(post('{"otp": 987654321}', "application/json"), NOTHING)
    assert "-32600" in shown(post('data: {"code": -32600}', "text/event-stream"), NOTHING)
    assert "c0de" not in shown(post('data: {"code": "c0de"}', "text/event-stream"), NOTHING)


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


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/yaml", ""])
def test_a_text_without_names_is_masked_as_a_whole(content_type: str) -> None:
    record = json.loads(shown(get(), answer("Basic knowledge of otters.", content_type)))
    assert record["response"]["body"] == {"bytes": 26, "text": MASKED, "truncated": False}


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
    assert '"text": "[masked]"' in text
    assert token not in text


def test_a_hidden_field_of_a_form_is_masked() -> None:
    page = b'<input type="hidden" name="csrf_token" value="IjEyMzQ1Njc4OTAi"><input name="title" value="Home">'
    text = json.loads(shown(HttpRequest("GET", "/x"), HttpResponse(200, (("content-type", "text/html"),), page)))
    assert text["response"]["body"]["text"] == MASKED


@pytest.mark.parametrize("name", ["Authorization", "access_token", "refreshToken", "client_secret",
                                  "code_verifier", "csrf-token", "password", "X-Api-Key", "Mcp-Session-Id", "code",
                                  "id_token", "state", "code_challenge", "tokens", "keys", "key"])  # fmt: skip
def test_a_value_is_masked_if_its_name_is_not_listed(name: str) -> None:
    assert MASKER.mask_value(name, "word") == MASKER.mask_json({name: "word"})[name] == MASKED


@pytest.mark.parametrize("value", ["QWxhZGRpbjpvcGVu", "SECRET", "two words 2", "a" * 41, "a--b", "x@y", ""])
@pytest.mark.parametrize("name", ["name", "method", "error", "type"])
def test_a_name_or_an_error_is_shown_only_if_it_consists_of_words(name: str, value: str) -> None:
    assert MASKER.mask_json({name: value}) == {name: MASKED if value else ""}


@pytest.mark.parametrize(("name", "value"), [
    ("content-type", "text/html; charset=utf-8"), ("Host", "127.0.0.1:8000"), ("User-Agent", "otter/1.0"),
    ("token_type", "Bearer"), ("routeKey", "ANY /v42/{owner}/mcp-2"), ("statusCode", 200), ("scope", "openid email"),
    ("id", 7), ("code", -32600), ("method", "tools/call"), ("name", "read_page"), ("error", "invalid_grant"),
    ("token_endpoint", "https://a.example/token"), ("issuer", "https://a.example"), ("resource", "http://[::1]:8000/mcp"),
    ("authorization_servers", ["https://a.example/"]), ("scopes_supported", ["openid"]), ("x", True), ("x", None),
    ("redirect_uris", ["http://127.0.0.1:41207/callback"]), ("location", "/v42/-/mcp-2"), ("path", "/static/main.css"),
])  # fmt: skip
def test_a_harmless_value_is_shown(name: str, value: object) -> None:
    assert MASKER.mask_json({name: value}) == {name: value}


@pytest.mark.parametrize(
    ("path", "masked"),
    [
        ("/Home/history", "/Home/history"),
        ("/v42/{owner}/mcp-2", "/v42/{owner}/mcp-2"),
        ("/", "/"),
        ("/v1/-/style.css", "/v1/-/style.css"),
        ("/oauth2/token", "/oauth2/token"),
        ("/prod-2/mcp", "/prod-2/mcp"),
        ("/confirm/s3cr3t", f"/confirm/{MASKED}"),
        ("/verify/123456", f"/verify/{MASKED}"),
        ("/a/two-words/b", f"/a/{MASKED}/b"),
        ("/abcdefghijklm", f"/{MASKED}"),
        ("/SECRET", f"/{MASKED}"),
        ("/a%20b", f"/{MASKED}"),
    ],
)
def test_a_part_of_a_path_is_shown_if_the_manifest_has_it_or_it_is_one_word(path: str, masked: str) -> None:
    assert Masker(MANIFEST, ServeSettings(stage="prod-2")).mask_path(path) == masked


def test_the_details_of_a_request_show_names_and_harmless_values() -> None:
    body = b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "no"}}'
    request = HttpRequest(
        "POST", "/mcp", query="page=Home&scope=a+b", headers=(("content-type", "application/json"),), body=body
    )
    record = json.loads(shown(request, HttpResponse(200, (("content-type", "application/json"),), body)))
    assert record["request"]["line"] == f"POST /mcp?page={MASKED}&scope=a+b"
    masked_body = body.decode().replace('"no"', f'"{MASKED}"')
    assert record["request"]["body"]["text"] == record["response"]["body"]["text"] == masked_body
    assert record["event"]["body"] == masked_body
    assert record["event"]["routeKey"] == "$default"
    context = record["event"]["requestContext"]
    assert MASKED not in json.dumps(context)
    assert record["event"]["queryStringParameters"] == {"page": MASKED, "scope": "a b"}


def test_the_body_of_an_event_stream_shows_its_structure() -> None:
    stream = 'event: message\ndata: {"jsonrpc": "2.0", "result": {"text": "page"}}\n\n: ping\n'
    record = json.loads(shown(get(), answer(stream, "text/event-stream")))
    expected = f'event: message\ndata: {{"jsonrpc": "2.0", "result": {{"text": "{MASKED}"}}}}\n\n{MASKED}'
    assert record["response"]["body"]["text"] == expected


def test_a_large_body_is_truncated_and_of_a_binary_body_the_size_is_shown() -> None:
    large = HttpResponse(200, (("content-type", "text/plain"),), b"x" * 70_000)
    masker = Masker(MANIFEST, ServeSettings(shows_values=True))
    record = json.loads(shown(HttpRequest("GET", "/x"), large, masker=masker))
    assert record["response"]["body"]["bytes"] == 70_000
    assert record["response"]["body"]["text"] == "x" * 65_536 + "\n[truncated after 64 KB]"
    assert record["response"]["body"]["truncated"]
    binary = HttpResponse(200, (("content-type", "image/png"),), bytes(range(256)))
    assert json.loads(shown(HttpRequest("GET", "/x"), binary))["response"]["body"] == {
        "bytes": 256,
        "text": None,
        "truncated": False,
    }
