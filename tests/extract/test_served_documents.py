"""The OAuth documents of an app, compared with the paths at which clients look for them."""

from pathlib import Path
from typing import Any

import pytest
from fastmcp import FastMCP
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from routegen.config import AppConfig
from routegen.discover import discover_paths
from routegen.errors import UnsupportedRouteError
from routegen.extract.build import Extraction, build_manifest
from routegen.extract.extraction_findings import extraction_findings
from routegen.report import rules
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
URL = "https://tools.example.org"
OPEN = FastMCP("open").http_app(path="/mcp", stateless_http=True)


def extraction(app: Any, default: str | None = "site", **options: Any) -> Extraction:
    config = AppConfig(name="mcp", target="x:y", root=Path(), **{"unsupported": "warn"} | options)
    return build_manifest(default, [(config, discover_paths(app))])


def texts(app: Any, kind: str, **options: Any) -> list[str]:
    return [problem.text for problem in extraction(app, **options).unsupported if problem.kind == kind]


def document(**fields: Any) -> Any:
    async def answer(_request: Any) -> JSONResponse:
        return JSONResponse(fields)

    return answer


def resource(url: str, server: str = "https://login.example.org") -> Any:
    return document(resource=url, authorization_servers=[server])


def served(**documents: Any) -> Starlette:
    """An MCP endpoint at /mcp, with documents: `resource` is at the endpoint's path, `root` at the root."""
    places = {"resource": f"{RESOURCE}/mcp", "root": RESOURCE, "server": SERVER}
    routes = [Route(places[name], endpoint) for name, endpoint in documents.items()]
    return Starlette(routes=[*OPEN.routes, *routes], lifespan=OPEN.lifespan)


METADATA = {"issuer": URL, "authorization_endpoint": f"{URL}/login", "token_endpoint": f"{URL}/login"}
WRONG = {
    "another resource": (served(resource=resource(f"{URL}/other")), f"{RESOURCE}/mcp names the resource {URL}/other"),
    "another resource at the root": (served(root=resource(f"{URL}/other")), "clients refuse it for the endpoint /mcp"),
    "only the domain": (served(resource=resource(URL)), "strict clients such as VS Code refuse it"),
    "a final slash": (served(resource=resource(f"{URL}/mcp/")), "strict clients such as VS Code refuse it"),
    "no authorization server": (served(resource=resource(f"{URL}/mcp", f"{URL}/auth")), f"serve it at {SERVER}/auth"),
    "a slash after the issuer": (
        served(resource=resource(f"{URL}/mcp", f"{URL}/"), server=document(**METADATA)),
        "write both with or both without the final slash",
    ),
    "an endpoint that no app serves": (
        served(resource=resource(f"{URL}/mcp", URL), server=document(**METADATA)),
        f"{SERVER} names the authorization_endpoint {URL}/login, which no app serves",
    ),
}
RIGHT = {
    "the resource": served(resource=resource(f"{URL}/mcp")),
    "the resource at the root": served(root=resource(f"{URL}/mcp")),
    "the domain at the root": served(root=resource(URL)),
    "a copy of another domain's document": served(
        resource=resource(f"{URL}/mcp"),
        server=document(issuer="https://login.example.org", authorization_endpoint="https://login.example.org/login"),
    ),
    "FastMCP's own server": FastMCP("x", auth=InMemoryOAuthProvider(base_url=URL)).http_app(stateless_http=True),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_document_that_contradicts_the_paths_is_an_error(name: str) -> None:
    app, message = WRONG[name]
    found = extraction(app)
    assert message in "\n".join(problem.text for problem in found.unsupported if problem.kind == "wrong-document")
    assert rules.DOCUMENT_WRONG in [finding.rule for finding in extraction_findings(found)]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_document_is_accepted(name: str) -> None:
    assert extraction(RIGHT[name]).unsupported == ()


def test_a_resource_that_clients_refuse_is_refused() -> None:
    with pytest.raises(UnsupportedRouteError, match="wrong-document"):
        extraction(served(resource=resource(f"{URL}/other")), unsupported="refuse")


def test_a_token_without_metadata_is_a_warning_that_names_the_clients() -> None:
    auth = StaticTokenVerifier(tokens={"t": {"client_id": "x", "scopes": []}})
    app = FastMCP("x", auth=auth).http_app(path="/mcp", stateless_http=True)
    (text,) = texts(app, "no-metadata")
    assert "Claude, ChatGPT, VS Code and all clients that sign in themselves fail" in text
    assert not texts(app, "no-metadata", routes=(f"{RESOURCE}/mcp",)), "middleware can serve the document"
    assert not texts(OPEN, "no-metadata")


async def page(_request: Any) -> HTMLResponse:
    return HTMLResponse("page")


def with_pages(*routes: Any) -> Starlette:
    return Starlette(routes=[*OPEN.routes, *routes], lifespan=OPEN.lifespan)


@pytest.mark.parametrize(("default", "own"), [(None, ()), ("site", ("/mcp",))], ids=["no default app", "a default app"])
def test_a_route_for_any_path_that_answers_discovery_is_a_warning(default: str | None, own: tuple[str, ...]) -> None:
    (text,) = texts(with_pages(Route("/{path:path}", page)), "catch-all", default=default, own=own)
    assert f"/{{path:path}} also answers {RESOURCE}/mcp, where clients ask about the MCP endpoint /mcp" in text


def test_other_routes_do_not_answer_discovery() -> None:
    for route in (Mount("/", StaticFiles(directory=".")), Route("/{page}", page)):
        assert not texts(with_pages(route), "catch-all", default=None)


def test_the_advice_against_a_route_for_any_path_works_when_it_is_followed() -> None:
    everything = Route("/{path:path}", page)
    (text,) = texts(with_pages(everything), "catch-all", default=None)
    advised = text.rpartition(" for ")[2].split(" and ")
    assert advised == ["/.well-known/{path:path}", "/mcp/.well-known/{path:path}"]
    assert not texts(with_pages(*(Route(path, page) for path in advised), everything), "catch-all", default=None)


def test_a_configured_endpoint_is_an_endpoint() -> None:
    app = Starlette(routes=[Route("/tools", page, methods=["POST"])])
    manifest = extraction(app, endpoints=("/tools", "/by-middleware")).manifest
    endpoints = {route.path: route.methods for route in manifest.routes if route.role == "mcp-endpoint"}
    assert endpoints == {"/tools": ("POST",), "/by-middleware": ("ANY",)}
    assert f"{RESOURCE}/tools" in {route.path for route in manifest.routes if route.reserved}
    assert "mcp-endpoint" not in {route.role for route in extraction(app).manifest.routes}


def test_every_form_of_the_metadata_of_an_issuer_with_a_path_is_reserved() -> None:
    auth = {"issuer": f"{URL}/desk", "authorization_endpoint": f"{URL}/desk/authorize"}
    app = with_pages(Route(f"{SERVER}/desk", document(**auth)))
    reserved = {route.path for route in extraction(app).manifest.routes if route.reserved}
    assert {"/.well-known/openid-configuration/desk", "/desk/.well-known/openid-configuration"} <= reserved
    assert f"{SERVER}/desk" not in reserved
