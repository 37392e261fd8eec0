"""Reserved paths: what clients ask about an MCP endpoint, and the app does not serve."""

from pathlib import Path
from typing import Any

import pytest
from fastmcp import FastMCP
from fastmcp.server.auth.providers.workos import AuthKitProvider
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from routegen.config import AppConfig
from routegen.discover import ServedPath, discover_paths
from routegen.extract.build import Extraction, build_manifest
from routegen.extract.extraction_findings import extraction_findings
from routegen.gateway import RouteKey, RouteTable
from routegen.manifest import Manifest
from routegen.report import rules
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

OPEN = FastMCP("open").http_app(path="/mcp", stateless_http=True)
ROOT = {
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
}
INSERTED = {f"{document}/mcp" for document in ROOT}
APPENDED = {f"/mcp{document}" for document in ROOT}


def answer(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("page")


def signed_in(path: str, base_url: str = "https://tools.example.org") -> Starlette:
    auth = AuthKitProvider(authkit_domain="https://example.authkit.app", base_url=base_url)
    app: Starlette = FastMCP("tools", auth=auth).http_app(path=path, stateless_http=True)
    return app


def website(*paths: str) -> list[ServedPath]:
    """A default app with a page for every path, and with rules that name some paths."""
    return discover_paths(Starlette(routes=[*(Route(path, answer) for path in paths), Route("/{page:path}", answer)]))


def extraction(
    *apps: tuple[str, Any], default: list[ServedPath] | None = None, default_name: str | None = "site", **options: Any
) -> Extraction:
    configured = [
        (AppConfig(name=name, target="x:y", root=Path(), **options), discover_paths(app)) for name, app in apps
    ]
    return build_manifest(default_name, configured, default)


def reserved(result: Extraction) -> set[str]:
    return {route.path for route in result.manifest.routes if route.reserved}


def owner(manifest: Manifest, path: str) -> str | None:
    routes = {key: route for route in manifest.routes for key in route.route_keys}
    key = RouteTable(map(RouteKey.parse, routes)).select("GET", path)
    return routes[str(key)].app if key else None


def test_an_open_server_behind_a_website_gets_every_path_that_clients_ask_about_it() -> None:
    result = extraction(("mcp", OPEN), default=website())
    assert reserved(result) == ROOT | INSERTED | APPENDED
    for route in result.manifest.routes:
        assert (route.methods == ()) is bool(route.reserved)
        assert not route.reserved or route.route_keys == (f"ANY {route.path}",)
    assert not [finding for finding in extraction_findings(result) if finding.rule == rules.NOT_RESERVED]


def test_without_a_configured_default_app_the_root_documents_are_left_and_reported() -> None:
    result = extraction(("mcp", OPEN))
    assert reserved(result) == INSERTED | APPENDED
    findings = [finding for finding in extraction_findings(result) if finding.rule == rules.NOT_RESERVED]
    assert {finding.subject for finding in findings} == ROOT
    assert "site answers, because it is not configured" in findings[0].message
    assert findings[0].fix == 'Add [tool.routegen.apps.site], or set reserve = "all" for mcp.'


@pytest.mark.parametrize("rule", ["/.well-known/openid-configuration", "/.well-known/{document}"])
def test_a_rule_of_the_default_app_that_names_the_path_wins(rule: str) -> None:
    result = extraction(("mcp", OPEN), default=website(rule))
    left = [finding for finding in extraction_findings(result) if finding.rule == rules.NOT_RESERVED]
    assert "/.well-known/openid-configuration" not in reserved(result)
    assert "/.well-known/openid-configuration" in {finding.subject for finding in left}
    assert f"because its rule {rule} names the path" in left[-1].message
    assert owner(result.manifest, "/.well-known/openid-configuration") is None


def test_a_served_document_is_not_reserved() -> None:
    result = extraction(("mcp", signed_in("/mcp")), default=website())
    assert reserved(result) == (ROOT | INSERTED | APPENDED) - {
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
    }


def test_an_owned_subtree_has_the_appended_paths_already() -> None:
    result = extraction(("mcp", OPEN), default=website(), own=("/mcp",))
    assert reserved(result) == ROOT | INSERTED
    assert {owner(result.manifest, path) for path in ROOT | INSERTED | APPENDED} == {"mcp"}


@pytest.mark.parametrize(
    ("reserve", "expected"),
    [
        ("none", set()),
        ("all", ROOT | INSERTED | APPENDED),
        (("/.well-known/oauth-protected-resource", "/health"), {"/.well-known/oauth-protected-resource", "/health"}),
    ],
)
def test_the_policy_is_configurable(reserve: Any, expected: set[str]) -> None:
    default = website("/.well-known/openid-configuration")
    assert reserved(extraction(("mcp", OPEN), default=default, reserve=reserve)) == expected


def test_an_endpoint_at_the_root_reserves_the_root_documents() -> None:
    app = FastMCP("open").http_app(path="/", stateless_http=True)
    assert reserved(extraction(("mcp", app), default=website())) == ROOT


def test_an_endpoint_for_each_tenant_reserves_the_documents_of_each_tenant() -> None:
    inner = FastMCP("tools").http_app(path="/mcp", stateless_http=True)
    app = Starlette(routes=[Mount("/{tenant}", inner)], lifespan=inner.lifespan)
    manifest = extraction(("mcp", app), default=website()).manifest
    for document in ROOT:
        assert owner(manifest, document) == "mcp"
        assert owner(manifest, f"{document}/acme/mcp") == "mcp"
        assert owner(manifest, f"/acme/mcp{document}") == "mcp"


async def answers_every_path(scope: Any, receive: Any, send: Any) -> None:
    await manager.handle_request(scope, receive, send)


manager = StreamableHTTPSessionManager(app=Server("tools"), stateless=True)


def test_an_endpoint_that_answers_every_path_is_the_endpoint_of_the_owned_path() -> None:
    result = extraction(("mcp", answers_every_path), default=website(), own=("/mcp",), unsupported="warn")
    roles = {route.path: route.role for route in result.manifest.routes}
    assert (roles["/mcp"], roles["/mcp/{proxy+}"]) == ("mcp-endpoint", "owned")
    assert reserved(result) == ROOT | INSERTED


def test_an_app_without_an_endpoint_reserves_nothing() -> None:
    app = Starlette(routes=[Route("/api", answer)])
    assert reserved(extraction(("api", app), default=website())) == set()


def test_each_server_gets_its_own_documents_and_one_server_the_root_documents() -> None:
    one = FastMCP("one").http_app(path="/one/mcp", stateless_http=True)
    two = FastMCP("two").http_app(path="/two/mcp", stateless_http=True)
    manifest = extraction(("one", one), ("two", two), default=website()).manifest
    for document in ROOT:
        assert owner(manifest, document) == "one"
        assert owner(manifest, f"{document}/one/mcp") == "one"
        assert owner(manifest, f"{document}/two/mcp") == "two"
        assert owner(manifest, f"/two/mcp{document}") == "two"


@pytest.mark.parametrize(("reserve", "expected"), [("auto", set()), ("all", ROOT | INSERTED | APPENDED)])
def test_without_a_default_app_nothing_needs_to_be_reserved(reserve: str, expected: set[str]) -> None:
    result = extraction(("mcp", OPEN), default_name=None, reserve=reserve)
    assert reserved(result) == expected
    assert not [finding for finding in extraction_findings(result) if finding.rule == rules.NOT_RESERVED]


@pytest.mark.parametrize("default_name", [None, "other"])
def test_the_catch_all_route_of_another_app_is_a_reason_to_reserve(default_name: str | None) -> None:
    named = "/.well-known/openid-configuration"
    path = "/{page:path}" if default_name is None else "/{first}/{second}"
    site = Starlette(routes=[Route(named, answer), Route(path, answer)])
    manifest = extraction(("site", site), ("mcp", OPEN), default_name=default_name).manifest
    assert owner(manifest, named) == "site"
    taken = {"/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"}
    for document in taken if default_name is None else taken | INSERTED:
        assert owner(manifest, document) == "mcp"
    if default_name is None:
        assert {owner(manifest, document) for document in INSERTED | APPENDED} == {"mcp"}
        assert owner(manifest, "/") == owner(manifest, "/Home") == "site"
        assert not extraction(("site", site), ("mcp", OPEN), default_name=None).unsupported


def test_a_document_that_two_servers_serve_needs_an_owner_and_the_error_says_how() -> None:
    apps = (("mail", signed_in("/mail/mcp")), ("files", signed_in("/files/mcp")))
    with pytest.raises(
        Exception, match=r"'mail' and 'files' both serve /.well-known/oauth-authorization-server"
    ) as error:
        extraction(*apps, default=website())
    remedy = 'write routes = ["/.well-known/oauth-authorization-server"] in [tool.routegen.apps.mail]'
    assert remedy in str(error.value)
    configured = [
        (
            AppConfig(
                name=name,
                target="x:y",
                root=Path(),
                routes=("/.well-known/oauth-authorization-server",) if name == "files" else (),
            ),
            discover_paths(app),
        )
        for name, app in apps
    ]
    result = build_manifest("site", configured, website())
    assert owner(result.manifest, "/.well-known/oauth-authorization-server") == "files"
    (finding,) = [finding for finding in extraction_findings(result) if finding.rule == rules.SHARED_DOCUMENT]
    assert finding.message.startswith("files answers for mail too.")


def test_a_claimed_path_that_middleware_answers_is_a_route() -> None:
    path = "/.well-known/oauth-protected-resource/mcp"
    result = extraction(("mcp", OPEN), default=website(), routes=(path, "/health"))
    routes = {route.path: route for route in result.manifest.routes}
    assert (routes[path].methods, routes[path].role) == (("ANY",), "protected-resource-metadata")
    assert (routes["/health"].methods, routes["/health"].role) == (("ANY",), "owned")
    assert path not in reserved(result)


def test_mounted_metadata_at_the_right_place_is_no_problem() -> None:
    auth = AuthKitProvider(authkit_domain="https://example.authkit.app", base_url="https://tools.example.org/api")
    inner = FastMCP("tools", auth=auth).http_app(path="/mcp", stateless_http=True)
    app = Starlette(
        routes=[*auth.get_well_known_routes(mcp_path="/mcp"), Mount("/api", inner)], lifespan=inner.lifespan
    )
    result = extraction(("mcp", app), default=website())
    assert not result.unsupported
    roles = {route.path: route.role for route in result.manifest.routes}
    assert roles["/.well-known/oauth-protected-resource/api/mcp"] == "protected-resource-metadata"
    assert roles["/api/.well-known/oauth-protected-resource/api/mcp"] == "misplaced-metadata"
