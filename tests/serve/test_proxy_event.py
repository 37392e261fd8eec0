"""API Gateway's event, payload format 2.0: one test for each fact."""

import base64
from typing import Any

import pytest
from routegen.gateway import RouteKey
from routegen.serve.exchange import HttpRequest
from routegen.serve.proxy_event import RequestContext, as_public_request, make_event, path_parameters


def event_of(
    method: str = "GET",
    path: str = "/x",
    *,
    key: str | None = None,
    stage: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    route_key = RouteKey.parse(key) if key else None
    path_without_stage = path.removeprefix(f"/{stage}") if stage else path
    context = RequestContext(route_key, path_without_stage, "Abc=", "Root=1-2-3", 1_584_039_838.39, stage)
    return make_event(HttpRequest(method, path, **fields), context)


def test_a_public_url_is_the_host_and_the_scheme_of_the_event() -> None:
    """As in API Gateway's own events, which always say https."""
    request = HttpRequest("GET", "/x", headers=(("host", "127.0.0.1:8000"), ("x-forwarded-proto", "http")), port=8000)
    context = RequestContext(None, "/x", "id", "Root=1", 0.0)
    for url, expected in [
        ("https://abc.example.org", ("abc.example.org", "https", "443", "abc.example.org")),
        ("http://abc.example.org:8080", ("abc.example.org:8080", "http", "8080", "abc.example.org")),
    ]:
        event = make_event(as_public_request(request, url), context)
        headers = event["headers"]
        values = (headers["host"], headers["x-forwarded-proto"], headers["x-forwarded-port"])
        assert (*values, event["requestContext"]["domainName"]) == expected
    assert make_event(request, context)["headers"]["x-forwarded-proto"] == "http"


def test_all_fields_of_a_simple_request() -> None:
    headers = (("host", "wiki.example:8000"), ("user-agent", "otter/1"), ("accept", "*/*"))
    assert event_of(path="/a", headers=headers, source_ip="192.0.2.1", port=8000) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/a",
        "rawQueryString": "",
        "headers": {
            "host": "wiki.example:8000",
            "user-agent": "otter/1",
            "accept": "*/*",
            "x-amzn-trace-id": "Root=1-2-3",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "8000",
            "x-forwarded-proto": "http",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "wiki.example",
            "domainPrefix": "wiki",
            "http": {
                "method": "GET",
                "path": "/a",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "otter/1",
            },
            "requestId": "Abc=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1584039838390,
        },
        "isBase64Encoded": False,
    }


def test_repeated_headers_are_joined_with_commas() -> None:
    headers = event_of(headers=(("accept", "text/html"), ("x-one", "1"), ("accept", "text/plain")))["headers"]
    assert headers["accept"] == "text/html,text/plain"


def test_cookies_are_an_array_and_not_a_header() -> None:
    event = event_of(headers=(("cookie", "a=1; b=2"), ("cookie", "c=3")))
    assert event["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in event["headers"]


def test_both_paths_are_percent_decoded() -> None:
    event = event_of(path="/caf%C3%A9/a%20b%2Fc")
    assert event["rawPath"] == "/café/a b/c"
    assert event["requestContext"]["http"]["path"] == "/café/a b/c"


def test_the_raw_query_is_encoded_and_its_parameters_are_decoded() -> None:
    event = event_of(query="a=1%202&b=&a=x+y&%C3%A9=z")
    assert event["rawQueryString"] == "a=1%202&b=&a=x+y&%C3%A9=z"
    assert event["queryStringParameters"] == {"a": "1 2,x y", "b": "", "é": "z"}


def test_an_empty_query_and_an_empty_body_leave_keys_out() -> None:
    assert not {"queryStringParameters", "body", "cookies", "pathParameters"}.intersection(event_of())


def test_without_a_query_the_raw_query_string_is_empty() -> None:
    assert event_of()["rawQueryString"] == ""


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "TEXT/plain; charset=utf-8", "application/json", "application/xml", "application/javascript;x=y"],
)
def test_the_body_of_a_text_type_is_text(content_type: str) -> None:
    event = event_of(body="ö".encode(), headers=(("content-type", content_type),))
    assert (event["body"], event["isBase64Encoded"]) == ("ö", False)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("content-type", "application/x-www-form-urlencoded"),),
        (("content-type", "application/json-patch+json"),),
        (("content-type", "image/svg+xml"),),
    ],
)
def test_the_body_of_another_type_is_base64(headers: tuple[tuple[str, str], ...]) -> None:
    event = event_of(body=b"grant_type=code", headers=headers)
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"grant_type=code", True)


def test_text_that_is_not_utf8_is_base64() -> None:
    event = event_of(body=b"\xff\x00", headers=(("content-type", "text/plain"),))
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff\x00", True)


def test_a_chunked_body_gets_a_content_length() -> None:
    headers = event_of(body=b"abc", headers=(("transfer-encoding", "chunked"),))["headers"]
    assert headers["content-length"] == "3"
    assert "transfer-encoding" not in headers


def test_hop_by_hop_headers_are_not_forwarded() -> None:
    sent = (("connection", "keep-is_running, x-mine"), ("keep-is_running", "5"), ("x-mine", "1"), ("te", "trailers"))
    assert not {name for name, _ in sent}.intersection(event_of(headers=sent)["headers"])


def test_incoming_x_forwarded_headers_become_forwarded() -> None:
    sent = (
        ("x-forwarded-for", "203.0.113.9, 2001:db8::1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "a.b"),
    )
    headers = event_of(headers=sent, source_ip="127.0.0.1")["headers"]
    assert headers["forwarded"] == 'for=203.0.113.9;host=a.b;proto=https, for="[2001:db8::1]"'
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert "x-forwarded-host" not in headers


def test_a_named_stage_prefixes_the_path() -> None:
    event = event_of(path="/prod/a", stage="prod")
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/prod/a"
    assert event["requestContext"]["stage"] == "prod"


@pytest.mark.parametrize(
    ("key", "path", "expected"),
    [
        ("GET /x", "/x", {}),
        ("ANY /x/{id}", "/x/a%20b", {"id": "a b"}),
        ("GET /x/{id}/{rest+}", "/x/1/a/b%2Fc/", {"id": "1", "rest": "a/b/c/"}),
    ],
)
def test_path_parameters_are_the_values_of_the_variables(key: str, path: str, expected: dict[str, str]) -> None:
    assert path_parameters(RouteKey.parse(key), path) == expected


def test_the_route_key_is_in_the_event_and_in_its_context() -> None:
    event = event_of(path="/x/7", key="ANY /x/{id}")
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "ANY /x/{id}"
    assert event["pathParameters"] == {"id": "7"}


@pytest.mark.parametrize(("host", "domain"), [("127.0.0.1:8000", "127.0.0.1"), ("[::1]:8000", "[::1]")])
def test_the_domain_name_has_no_port(host: str, domain: str) -> None:
    assert event_of(headers=(("host", host),))["requestContext"]["domainName"] == domain
