"""Endpoints behind a redirect, misplaced metadata and sessions: what clients cannot use behind the gateway."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastmcp import FastMCP
from fastmcp.server.auth.providers.github import GitHubProvider
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from fastmcp.server.auth.providers.workos import AuthKitProvider
from mangum import Mangum
from mcp.server.auth.settings import AuthSettings
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import AnyHttpUrl
from routegen.config import AppConfig
from routegen.discover import discover_paths
from routegen.errors import UnsupportedRouteError
from routegen.extract.build import Extraction, build_manifest
from routegen.extract.extraction_findings import extraction_findings
from routegen.report import Rule, rules
from starlette.applications import Starlette
from starlette.routing import Mount, Route

pytestmark = pytest.mark.usefixtures("event_loop_of_mangum")


def extraction(app: Any, **options: Any) -> Extraction:
    config = AppConfig(name="mcp", target="x:y", root=Path(), **options)
    return build_manifest("site", [(config, discover_paths(app))])


def fastapi_mount(mount: str, path: str) -> FastAPI:
    inner = FastMCP("tools").http_app(path=path, stateless_http=True)
    app = FastAPI(lifespan=inner.lifespan, openapi_url=None)
    app.mount(mount, inner)
    return app


def starlette_mount(mount: str, path: str) -> Starlette:
    inner = FastMCP("tools").http_app(path=path, stateless_http=True)
    return Starlette(routes=[Mount(mount, inner)], lifespan=inner.lifespan)


def sdk_mount(mount: str, path: str) -> Starlette:
    return Starlette(routes=[Mount(mount, MCPServer("x").streamable_http_app(streamable_http_path=path))])


manager = StreamableHTTPSessionManager(app=Server("tools"), json_response=True, stateless=True)


async def handle_mcp(scope: Any, receive: Any, send: Any) -> None:
    await manager.handle_request(scope, receive, send)


class Endpoint:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await manager.handle_request(scope, receive, send)


REDIRECTS = {
    "FastAPI": (fastapi_mount("/mcp", "/"), 'app.mount("/", mcp.http_app(path="/mcp"))'),
    "Starlette": (starlette_mount("/tools/mcp", "/"), 'app.mount("/", mcp.http_app(path="/tools/mcp"))'),
    "a path with a slash": (starlette_mount("/api", "/mcp/"), 'app.mount("/", mcp.http_app(path="/api/mcp"))'),
    "the official SDK": (sdk_mount("/mcp", "/"), 'mcp.streamable_http_app(streamable_http_path="/mcp")'),
    "a session manager": (Starlette(routes=[Mount("/mcp", app=handle_mcp)]), 'Route("/mcp", endpoint=Endpoint())'),
}


@pytest.mark.parametrize("name", REDIRECTS)
def test_an_endpoint_behind_a_redirect_is_refused_with_the_code_that_works(name: str) -> None:
    app, code = REDIRECTS[name]
    with pytest.raises(UnsupportedRouteError) as error:
        extraction(app)
    assert str(error.value).startswith("redirect: mcp: the MCP endpoint is /")
    assert code in str(error.value)
    assert "own" not in str(error.value), "owning the path does not help"


@pytest.mark.parametrize("name", REDIRECTS)
@pytest.mark.parametrize("own", [(), ("/mcp",)])
def test_with_the_policy_to_warn_it_is_an_error_of_check_and_no_endpoint(name: str, own: tuple[str, ...]) -> None:
    result = extraction(REDIRECTS[name][0], unsupported="warn", own=own)
    findings = [finding for finding in extraction_findings(result) if finding.rule == rules.ENDPOINT_REDIRECTED]
    assert len(findings) == 1
    assert findings[0].rule.level == "error"
    assert findings[0].subject.endswith("mcp/")
    assert not [route for route in result.manifest.routes if route.role == "mcp-endpoint"]


@pytest.mark.parametrize(
    "app",
    [
        fastapi_mount("/", "/mcp"),
        starlette_mount("/", "/tools/mcp"),
        starlette_mount("/api", "/mcp"),
        sdk_mount("/", "/mcp"),
        Starlette(routes=[Route("/mcp", endpoint=Endpoint())]),
    ],
    ids=["FastAPI", "Starlette", "mounted below a path", "the official SDK", "a session manager"],
)
def test_the_advice_works_when_it_is_followed(app: Any) -> None:
    result = extraction(app)
    assert len([route for route in result.manifest.routes if route.role == "mcp-endpoint"]) == 1
    assert not [problem for problem in result.unsupported if problem.kind == "redirect"]


def test_owning_the_parent_of_the_endpoint_does_help() -> None:
    result = extraction(starlette_mount("/api", "/mcp/"), own=("/api",))
    assert not [problem for problem in result.unsupported if problem.kind == "redirect"]
    assert [route.path for route in result.manifest.routes if route.role == "mcp-endpoint"] == ["/api/mcp"]


def authkit(base_url: str) -> AuthKitProvider:
    return AuthKitProvider(authkit_domain="https://example.authkit.app", base_url=base_url)


def github(base_url: str) -> GitHubProvider:
    return GitHubProvider(
        client_id="id", client_secret="invented-0123456789", base_url=base_url, jwt_signing_key="k" * 32
    )


def mounted(auth: Any, *, at: str, with_metadata: bool) -> Starlette:
    inner = FastMCP("tools", auth=auth).http_app(path="/mcp", stateless_http=True)
    metadata = auth.get_well_known_routes(mcp_path="/mcp") if with_metadata else []
    return Starlette(routes=[*metadata, Mount(at, inner)], lifespan=inner.lifespan)


MISPLACED = {
    "metadata in the mount": (
        mounted(authkit("https://x.example/api"), at="/api", with_metadata=False),
        "/.well-known/oauth-protected-resource/api/mcp",
    ),
    "base_url without the mount": (
        mounted(authkit("https://x.example"), at="/api", with_metadata=True),
        "/.well-known/oauth-protected-resource/api/mcp",
    ),
    "base_url with another path": (
        mounted(authkit("https://x.example/other"), at="/api", with_metadata=True),
        "/.well-known/oauth-protected-resource/api/mcp",
    ),
    "an authorization server in the mount": (
        mounted(github("https://x.example/api"), at="/api", with_metadata=False),
        "/.well-known/oauth-authorization-server/api",
    ),
    "an authorization server with another path": (
        mounted(github("https://x.example/other"), at="/api", with_metadata=True),
        "/.well-known/oauth-authorization-server/api",
    ),
}


@pytest.mark.parametrize("name", MISPLACED)
def test_misplaced_metadata_is_refused_with_the_place_where_clients_look(name: str) -> None:
    app, expected = MISPLACED[name]
    with pytest.raises(UnsupportedRouteError, match=r"^misplaced-metadata: mcp serves the "):
        extraction(app)
    result = extraction(app, unsupported="warn")
    findings = [finding for finding in extraction_findings(result) if finding.rule == rules.METADATA_MISPLACED]
    assert any(f"clients look for it at {expected} (RFC " in finding.message for finding in findings)
    assert all(finding.rule.level == "error" for finding in findings)


@pytest.mark.parametrize("auth", [authkit, github])
def test_metadata_that_clients_find_is_accepted(auth: Any) -> None:
    assert not extraction(mounted(auth("https://x.example/api"), at="/api", with_metadata=True)).unsupported
    assert not extraction(FastMCP("x", auth=auth("https://x.example")).http_app(stateless_http=True)).unsupported


def test_the_issuer_at_the_root_of_the_domain_is_accepted() -> None:
    """FastMCP's documentation recommends `issuer_url` for mounted servers."""
    auth = InMemoryOAuthProvider(base_url="https://x.example/api", issuer_url="https://x.example")
    assert not extraction(mounted(auth, at="/api", with_metadata=True)).unsupported
    with pytest.raises(UnsupportedRouteError, match=r"^misplaced-metadata: mcp serves the "):
        extraction(mounted(auth, at="/desk", with_metadata=True))


def test_a_document_that_names_endpoints_of_another_path_is_misplaced_too() -> None:
    provider = InMemoryOAuthProvider(base_url="https://x.example")
    settings = AuthSettings(
        issuer_url=AnyHttpUrl("https://x.example/auth"),
        resource_server_url=AnyHttpUrl("https://x.example/mcp"),
        validate_token_resource=False,
    )
    app = MCPServer("x", auth_server_provider=provider, auth=settings).streamable_http_app(host="0.0.0.0")
    (problem,) = extraction(app, unsupported="warn").unsupported
    assert "names the issuer https://x.example/auth and the authorization endpoint" in problem.text
    assert "but the app serves /authorize; set the URL of the issuer" in problem.text


@pytest.mark.parametrize("path", ["/mcp", "/tools/mcp"])
def test_an_endpoint_with_sessions_on_lambda_is_a_warning_with_the_setting(path: str) -> None:
    app = FastMCP("x").http_app(path=path)
    result = extraction(app, handler="server.handler")
    (problem,) = result.unsupported
    assert problem.kind == "sessions"
    assert problem.text.endswith("`Session not found`; add stateless_http=True")
    (finding,) = [item for item in extraction_findings(result) if item.rule == rules.KEEPS_SESSIONS]
    assert finding.rule.level == "warning"
    assert not extraction(app).unsupported, "without a Lambda handler, sessions are no problem"
    assert extraction(Mangum(app)).unsupported[0].kind == "sessions"
    assert not extraction(FastMCP("x").http_app(path=path, stateless_http=True), handler="server.handler").unsupported


def test_a_host_guard_is_no_fault_on_lambda_because_it_allows_the_host_of_the_request() -> None:
    app = FastMCP("x").http_app(stateless_http=True, host_origin_protection=True)
    (problem,) = extraction(app).unsupported
    assert (problem.kind, "allowed_hosts=" in problem.text) == ("loopback-only", True)
    assert not extraction(app, handler="server.handler").unsupported


FAILING: dict[str, tuple[Any, str, Rule, str]] = {
    "nothing starts it": (
        Starlette(routes=[Mount("/", FastMCP("x").http_app())]),
        "endpoint-fails",
        rules.ENDPOINT_FAILS,
        "lifespan=mcp_app.lifespan",
    ),
    "only loopback": (MCPServer("x"), "loopback-only", rules.LOOPBACK_ONLY, "transport_security="),
    "events of FastMCP": (FastMCP("x").http_app(transport="sse"), "event-stream", rules.EVENT_STREAM, "http_app()"),
    "events of the official SDK": (
        MCPServer("x").sse_app(),
        "event-stream",
        rules.EVENT_STREAM,
        "streamable_http_app()",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_an_endpoint_that_fails_is_reported_with_the_code_that_works(name: str) -> None:
    app, kind, rule, code = FAILING[name]
    result = extraction(app)
    (problem,) = [problem for problem in result.unsupported if problem.kind == kind]
    assert code in problem.text
    (finding,) = [finding for finding in extraction_findings(result) if finding.rule == rule]
    assert finding.subject == problem.path
