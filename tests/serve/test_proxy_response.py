"""What becomes of a function's result, fact by fact."""

import base64
import json
from typing import Any

import pytest
from routegen.serve.aws_behaviour import Decisions
from routegen.serve.proxy_response import REMAPPED, NonsenseError, Response, make_response, own_response
from routegen.serve.serve_settings import Settings

CHALLENGE = 'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp"'


def response_to(result: Any, settings: Settings | None = None) -> Response:
    return make_response(json.dumps(result).encode(), settings or Settings())


def test_a_result_without_status_code_is_a_json_body() -> None:
    response = response_to({"answer": 42})
    assert (response.status, response.headers) == (200, (("content-type", "application/json"),))
    assert json.loads(response.body) == {"answer": 42}


@pytest.mark.parametrize(("result", "body"), [("hello", b"hello"), ([1], b"[1]"), (None, b"null"), (7, b"7")])
def test_any_json_is_a_result(result: Any, body: bytes) -> None:
    response = response_to(result)
    assert (response.status, response.body) == (200, body)


def test_a_status_code_without_content_type_is_plain_text() -> None:
    assert response_to({"statusCode": 201}).headers == (("content-type", "text/plain; charset=utf-8"),)


def test_the_function_s_headers_in_lower_case() -> None:
    response = response_to({"statusCode": 200, "headers": {"Content-Type": "text/html", "X-Age": 3, "X-On": True}})
    assert response.headers == (("content-type", "text/html"), ("x-age", "3"), ("x-on", "true"))


def test_each_cookie_becomes_a_set_cookie_header() -> None:
    response = response_to({"statusCode": 200, "cookies": ["a=1; HttpOnly", "b=2"]})
    assert [value for name, value in response.headers if name == "set-cookie"] == ["a=1; HttpOnly", "b=2"]


@pytest.mark.parametrize(("renames", "name"), [(True, REMAPPED), (False, "www-authenticate")])
def test_the_challenge_is_renamed_unless_it_is_kept(renames: bool, name: str) -> None:
    result = {"statusCode": 401, "headers": {"WWW-Authenticate": CHALLENGE}}
    headers = dict(response_to(result, Settings(renames_challenge=renames)).headers)
    assert headers[name] == CHALLENGE
    assert len(headers) == 2


def test_base64_is_bytes_again() -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    assert response_to({"statusCode": 200, "body": body, "isBase64Encoded": True}).body == b"\x00\xff"


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    assert response_to({"statusCode": status, "body": "x"}).body == b""


def test_the_length_is_the_body_s_and_the_connection_the_gateway_s() -> None:
    headers = {"Content-Length": "99", "Connection": "close", "Transfer-Encoding": "chunked"}
    response = response_to({"statusCode": 200, "headers": headers, "body": "abc"})
    assert not {name for name, _ in response.headers}.intersection(
        {"content-length", "connection", "transfer-encoding"}
    )
    assert response.length == "99", "what a HEAD is told"


def test_whether_head_is_told_the_function_s_length_is_one_decision() -> None:
    settings = Settings(decisions=Decisions(keeps_head_length=False))
    assert response_to({"statusCode": 200, "headers": {"content-length": "99"}}, settings).length is None


def test_whether_a_text_is_a_status_is_one_decision() -> None:
    settings = Settings(decisions=Decisions(reads_status_text=True))
    assert response_to({"statusCode": "404"}, settings).status == 404
    with pytest.raises(NonsenseError):
        response_to({"statusCode": "404"})


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 101},
        {"statusCode": 600},
        {"statusCode": 200.5},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
        {"statusCode": 200, "body": "\ud800"},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"a b": "1"}},
        {"statusCode": 200, "headers": {"a": "1\r\nb: 2"}},
        {"statusCode": 200, "headers": {"a": ["1"]}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "cookies": ["a=1\n"]},
    ],
)
def test_nonsense_is_named(result: Any) -> None:
    with pytest.raises(NonsenseError):
        response_to(result)


def test_what_is_no_json_is_nonsense() -> None:
    with pytest.raises(NonsenseError, match="not JSON"):
        make_response(b"{", Settings())


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "Not Found"),
        (413, "Request Entity Too Large"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
    ],
)
def test_the_gateway_s_own_answers(status: int, message: str) -> None:
    response = own_response(status)
    assert response.body == f'{{"message":"{message}"}}'.encode()
    assert response.headers == (("content-type", "application/json"),)
