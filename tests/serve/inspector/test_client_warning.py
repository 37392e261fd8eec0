"""The warning about a web page in an MCP client's sign-in: the clients that it breaks, and their errors."""

import pytest
from routegen.serve.exchange import Exchange, HttpRequest, HttpResponse
from routegen.serve.inspector.client_warning import client_warning, is_sign_in_request

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
SERVER = "/.well-known/oauth-authorization-server"
RESOURCE = "/.well-known/oauth-protected-resource"
OPENID = "/.well-known/openid-configuration"
TYPESCRIPT = "typescript-v1, typescript-v2, mcp-remote and inspector"
NOT_JSON = f'{TYPESCRIPT} will stop here with "Unexpected token \'<\', "<!DOCTYPE "... is not valid JSON"'
IGNORED = "will ignore this answer and, without other metadata, go on to /register"


def exchange(request: str, status: int, body: bytes, *, location: str = "", **types: str) -> Exchange:
    """An exchange; `sent` and `answered` are content types."""
    method, path = request.split()
    headers = (("host", "127.0.0.1:8000"), *([("content-type", types["sent"])] if types.get("sent") else []))
    response_headers = (("content-type", types["answered"]), *([("location", location)] if location else []))
    response = HttpResponse(status, response_headers, body)
    return Exchange("id", 0.0, HttpRequest(method, path, headers=headers), "$default", "wiki", response, 1.0)


def page(request: str, status: int, sent: str = "", *, location: str = "") -> Exchange:
    body = b"<!DOCTYPE html><html></html>"
    return exchange(request, status, body, location=location, sent=sent, answered="text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("web_page", "clauses"),
    [
        (page(f"GET {SERVER}", 200), [NOT_JSON, f"python-sdk {IGNORED}"]),
        (page(f"GET {SERVER}/mcp", 200), [NOT_JSON, f"python-sdk {IGNORED}"]),
        (page(f"GET {OPENID}", 200), [NOT_JSON, f"python-sdk {IGNORED}"]),
        (page(f"GET /mcp{OPENID}", 200), [NOT_JSON, f"python-sdk {IGNORED}"]),
        (page(f"GET {SERVER}", 404), [f"python-sdk, {TYPESCRIPT} {IGNORED}"]),
        (page(f"GET {RESOURCE}/mcp", 200), [f"python-sdk, {TYPESCRIPT} {IGNORED}"]),
        (page(f"GET {RESOURCE}/other/endpoint", 200), [f"python-sdk, {TYPESCRIPT} {IGNORED}"]),
        (page(f"GET {RESOURCE}", 404), [f"python-sdk, {TYPESCRIPT} {IGNORED}"]),
        (page(f"GET {SERVER}", 302), [f"python-sdk, {TYPESCRIPT} {IGNORED}"]),
        (
            page(f"GET {SERVER}", 302, location="/login?next=x"),
            [
                f"python-sdk {IGNORED}",
                f"{TYPESCRIPT} will follow the redirect, and stop at /login if a web page answers there",
            ],
        ),
        (page(f"GET {RESOURCE}/mcp", 302, location="/login"), [f"python-sdk, {TYPESCRIPT} {IGNORED}"]),
        (
            page(f"GET {SERVER}", 502),
            [
                f'typescript-v1 will stop here with "HTTP 502 trying to load OAuth metadata from {SERVER}"',
                f"python-sdk, typescript-v2, mcp-remote and inspector {IGNORED}",
            ],
        ),
        (
            page(f"GET {SERVER}", 500),
            [
                f'{TYPESCRIPT} will stop here with "HTTP 500 trying to load OAuth metadata from {SERVER}"',
                f"python-sdk {IGNORED}",
            ],
        ),
        (
            page(f"GET {RESOURCE}/mcp", 500),
            [
                (
                    'python-sdk will stop here with "Client failed to connect: '
                    'Protected resource metadata request failed: HTTP 500"'
                ),
                f"{TYPESCRIPT} {IGNORED}",
            ],
        ),
        (
            page("POST /register", 400, JSON),
            [
                (
                    'python-sdk will stop here with "Client failed to connect: Registration failed: 400 '
                    '<!DOCTYPE html><html></html>"'
                ),
                (
                    'typescript-v1 will stop here with "HTTP 400: Invalid OAuth error response: '
                    'SyntaxError: Unexpected token \'<\', "<!DOCTYPE "..."'
                ),
                (
                    "typescript-v2, mcp-remote and inspector will stop here with "
                    '"Dynamic Client Registration rejected (HTTP 400): <!DOCTYPE html><html></html>"'
                ),
            ],
        ),
        (
            page("POST /token", 400, FORM),
            [
                (
                    "no client gets or refreshes its token from a web page (RFC 6749, section 5, requires JSON), "
                    "so each client will ask its user to sign in again"
                )
            ],
        ),
    ],
)
def test_a_web_page_in_the_sign_in_is_a_warning(web_page: Exchange, clauses: list[str]) -> None:
    text = client_warning(web_page)
    assert text == "; ".join(clauses)
    assert text.replace("...", "").count(". ") == 0, "one sentence"
    assert is_sign_in_request(web_page.request)


def test_a_web_page_is_recognized_without_its_content_type() -> None:
    assert client_warning(exchange(f"GET {SERVER}", 200, b"\n<!doctype html><p>", answered="text/plain"))


@pytest.mark.parametrize(
    "harmless",
    [
        page("GET /Home", 200),
        page("GET /register", 200),
        page("POST /register", 200, FORM),
        page("POST /token", 200, JSON),
        page("GET /.well-known/security.txt", 404),
        exchange(f"GET {SERVER}", 200, b"{}", answered=JSON),
        exchange(f"GET {SERVER}", 404, b"{}", answered=JSON),
    ],
)
def test_other_exchanges_have_no_warning(harmless: Exchange) -> None:
    assert client_warning(harmless) is None


@pytest.mark.parametrize("request_", [f"GET {SERVER}/", f"PUT {SERVER}"])
def test_a_request_that_no_client_sends_has_no_warning(request_: str) -> None:
    assert client_warning(page(request_, 200)) is None


@pytest.mark.parametrize("host", ["", "a b", "[", "otter@a", "WIKI.example:80", "\xe9"])
def test_any_host_header_is_accepted(host: str) -> None:
    request = HttpRequest("GET", SERVER, headers=(("host", host),))
    response = HttpResponse(200, (("content-type", "text/html"),), b"<html>")
    text = client_warning(Exchange("id", 0.0, request, "$default", "wiki", response, 1.0))
    assert text is None or "will stop here" in text
