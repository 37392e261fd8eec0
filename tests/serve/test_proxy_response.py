"""The HTTP response for a function's result: one test for each fact."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from routegen.serve.exchange import HttpResponse, gateway_response
from routegen.serve.proxy_response import RENAMED_CHALLENGE_HEADER, InvalidResultError, make_response

CHALLENGE = 'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp"'


def response_to(result: Any, *, renames_challenge: bool = True) -> HttpResponse:
    return make_response(json.dumps(result).encode(), renames_challenge=renames_challenge)


@pytest.mark.parametrize("field", ["{}", '{{"statusCode": 200, "headers": {}}}', '{{"statusCode": {}}}'])
def test_a_deeply_nested_result_is_invalid_and_never_another_error(field: str) -> None:
    for depth in (5000, 100_000):
        with pytest.raises(InvalidResultError, match="the result is nested too deeply"):
            make_response(field.format("[" * depth + "]" * depth).encode(), renames_challenge=True)
    for depth in range(800, 1001):  # at the limit of the interpreter
        with suppress(InvalidResultError):
            make_response(field.format("[" * depth + "]" * depth).encode(), renames_challenge=True)


def test_a_result_without_status_code_is_a_json_body() -> None:
    response = response_to({"answer": 42})
    assert (response.status, response.headers) == (200, (("content-type", "application/json"),))
    assert json.loads(response.body) == {"answer": 42}


@pytest.mark.parametrize(("result", "body"), [("hello", b"hello"), ([1], b"[1]"), (None, b"null"), (7, b"7")])
def test_any_json_value_is_a_valid_result(result: Any, body: bytes) -> None:
    response = response_to(result)
    assert (response.status, response.body) == (200, body)


def test_a_status_code_without_content_type_is_plain_text() -> None:
    assert response_to({"statusCode": 201}).headers == (("content-type", "text/plain; charset=utf-8"),)


def test_header_names_become_lower_case() -> None:
    response = response_to({"statusCode": 200, "headers": {"Content-Type": "text/html", "X-Age": 3, "X-On": True}})
    assert response.headers == (("content-type", "text/html"), ("x-age", "3"), ("x-on", "true"))


def test_each_cookie_becomes_a_set_cookie_header() -> None:
    response = response_to({"statusCode": 200, "cookies": ["a=1; HttpOnly", "b=2"]})
    assert [value for name, value in response.headers if name == "set-cookie"] == ["a=1; HttpOnly", "b=2"]


@pytest.mark.parametrize(("renames", "name"), [(True, RENAMED_CHALLENGE_HEADER), (False, "www-authenticate")])
def test_the_challenge_header_is_renamed_if_the_setting_says_so(renames: bool, name: str) -> None:
    result = {"statusCode": 401, "headers": {"WWW-Authenticate": CHALLENGE}}
    headers = dict(response_to(result, renames_challenge=renames).headers)
    assert headers[name] == CHALLENGE
    assert len(headers) == 2


def test_a_base64_body_is_decoded() -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    assert response_to({"statusCode": 200, "body": body, "isBase64Encoded": True}).body == b"\x00\xff"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_204_and_304_have_no_body(status: int) -> None:
    assert response_to({"statusCode": status, "body": "x"}).body == b""


def test_content_length_and_hop_by_hop_headers_are_left_out() -> None:
    headers = {"Content-Length": "99", "Connection": "close", "Transfer-Encoding": "chunked"}
    response = response_to({"statusCode": 200, "headers": headers, "body": "abc"})
    assert not {name for name, _ in response.headers}.intersection(
        {"content-length", "connection", "transfer-encoding"}
    )
    assert response.head_length == "99", "the content-length of the response to HEAD"


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "404"},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 101},
        {"statusCode": 600},
        {"statusCode": 200.5},
        {"statusCode": 1e400},
        {"statusCode": -200},
        {"statusCode": [200]},
        {"statusCode": {"a": 200}},
        {"statusCode": ""},
        {"statusCode": 200, "body": 1},
        {"statusCode": 200, "body": ["a"]},
        {"statusCode": 200, "body": "YQ", "isBase64Encoded": True},
        {"statusCode": 200, "body": "é", "isBase64Encoded": True},
        {"statusCode": 200, "headers": "a: 1"},
        {"statusCode": 200, "headers": {"": "1"}},
        {"statusCode": 200, "headers": {"a:": "1"}},
        {"statusCode": 200, "headers": {"é": "1"}},
        {"statusCode": 200, "headers": {"a": "\0"}},
        {"statusCode": 200, "headers": {"a": "\ud800"}},
        {"statusCode": 200, "headers": {"a": {"b": "1"}}},
        {"statusCode": 200, "cookies": {"a": "1"}},
        {"statusCode": 200, "cookies": [None]},
        {"statusCode": 200, "cookies": [["a=1"]]},
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
@pytest.mark.reliability("results of a function that are not valid")
def test_an_invalid_result_is_an_error(result: Any) -> None:
    with pytest.raises(InvalidResultError):
        response_to(result)


def test_a_result_that_is_not_json_is_an_error() -> None:
    with pytest.raises(InvalidResultError, match="not JSON"):
        make_response(b"{", renames_challenge=True)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "Not Found"),
        (413, "Request Entity Too Large"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
    ],
)
def test_the_gateway_s_own_responses(status: int, message: str) -> None:
    response = gateway_response(status)
    assert response.body == f'{{"message":"{message}"}}'.encode()
    assert response.headers == (("content-type", "application/json"),)
