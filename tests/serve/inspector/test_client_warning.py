"""The red mark: which client breaks, and how."""

import pytest
from routegen.serve.exchange import Exchange
from routegen.serve.inspector.client_warning import is_discovery, verdict
from routegen.serve.proxy_event import Request
from routegen.serve.proxy_response import Response

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def exchange(request: str, status: int, answer: str, body: bytes, content_type: str) -> Exchange:
    method, path = request.split()
    headers = (("content-type", content_type),) if content_type else ()
    response = Response(status, (("content-type", answer),), body)
    return Exchange("id", 0.0, Request(method, path, headers=headers), "$default", "wiki", response, 1.0)


def page(request: str, status: int, content_type: str = "") -> Exchange:
    return exchange(request, status, "text/html; charset=utf-8", b"<!DOCTYPE html><html></html>", content_type)


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (page("GET /.well-known/oauth-authorization-server", 200), "TypeScript SDK, mcp-remote and MCP Inspector stop"),
        (page("GET /.well-known/oauth-authorization-server/mcp", 200), "Unexpected token '<'"),
        (page("GET /.well-known/openid-configuration", 200), "Unexpected token '<'"),
        (page("GET /mcp/.well-known/openid-configuration", 200), "Unexpected token '<'"),
        (page("GET /.well-known/oauth-authorization-server", 404), "register at this domain's /register"),
        (page("GET /.well-known/oauth-protected-resource/mcp", 200), "doesn't learn of the authorization server"),
        (page("GET /.well-known/oauth-protected-resource", 404), "doesn't learn of the authorization server"),
        (page("GET /.well-known/oauth-authorization-server", 302), "The Python SDK takes a redirect for missing"),
        (page("GET /.well-known/oauth-protected-resource/mcp", 302), "doesn't learn of the authorization server"),
        (page("GET /.well-known/oauth-authorization-server", 502), '"HTTP 502 trying to load OAuth metadata"'),
        (page("GET /.well-known/oauth-protected-resource/mcp", 500), "metadata request failed: HTTP 500"),
        (page("POST /register", 400, JSON), "Registration failed"),
        (page("POST /token", 400, FORM), "sign in again"),
    ],
)
def test_a_web_page_in_the_way_is_said(seen: Exchange, says: str) -> None:
    text = verdict(seen)
    assert text
    assert says in text
    assert text.replace("...", "").count(". ") == 0, "one sentence"
    assert is_discovery(seen)


def test_a_page_is_known_without_its_type() -> None:
    seen = exchange("GET /.well-known/oauth-authorization-server", 200, "text/plain", b"\n<!doctype html><p>", "")
    assert verdict(seen)


@pytest.mark.parametrize(
    "seen",
    [
        page("GET /Home", 200),
        page("GET /register", 200),
        page("POST /register", 200, FORM),
        page("POST /token", 200, JSON),
        page("GET /.well-known/security.txt", 404),
        exchange("GET /.well-known/oauth-authorization-server", 200, JSON, b"{}", ""),
        exchange("GET /.well-known/oauth-authorization-server", 404, JSON, b"{}", ""),
    ],
)
def test_everything_else_is_left_alone(seen: Exchange) -> None:
    assert verdict(seen) is None
