"""Transports and mounts of the matrix: apps with an auth provider, as FastMCP's documentation shows them.

The source of the cases is FastMCP's documentation on HTTP deployment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastmcp import FastMCP
from fastmcp.server.auth.auth import AuthProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount

URL = "https://mcp.example.com"
BuildProvider = Callable[[str], AuthProvider | None]


@dataclass(frozen=True)
class TransportCase:
    """One column of the matrix.

    Attributes:
        name: the title of the column.
        description: the text for the list above the table.
        build_app: creates the app with a new provider.
    """

    name: str
    description: str
    build_app: Callable[[BuildProvider], Any]


def _server(build_provider: BuildProvider, url: str = URL) -> FastMCP:
    server: FastMCP = FastMCP("matrix", auth=build_provider(url))

    @server.custom_route("/health", methods=["GET"])
    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok")

    return server


def _at_mcp(build_provider: BuildProvider) -> Any:
    return _server(build_provider).http_app(path="/mcp", stateless_http=True)


def _at_another_path(build_provider: BuildProvider) -> Any:
    return _server(build_provider).http_app(path="/api/v1/agent")


def _with_sse(build_provider: BuildProvider) -> Any:
    return _server(build_provider).http_app(transport="sse")


def _with_base_url_path(build_provider: BuildProvider) -> Any:
    return _server(build_provider, f"{URL}/api").http_app(path="/mcp", stateless_http=True)


def _mounted_on_a_server(build_provider: BuildProvider) -> Any:
    inner: FastMCP = FastMCP("inner")

    @inner.custom_route("/inner/status", methods=["GET", "POST"])
    async def status(_request: Request) -> Response:
        return PlainTextResponse("ok")

    server = _server(build_provider)
    server.mount(inner, "inner")
    return server.http_app(path="/mcp", stateless_http=True)


def _under_a_prefix(build_provider: BuildProvider) -> Any:
    server = _server(build_provider, f"{URL}/api")
    inner = server.http_app(path="/mcp", stateless_http=True)
    metadata_routes = server.auth.get_well_known_routes(mcp_path="/mcp") if server.auth else []
    return Starlette(routes=[*metadata_routes, Mount("/api", inner)], lifespan=inner.lifespan)


def _at_the_root(build_provider: BuildProvider) -> Any:
    inner = _server(build_provider).http_app(path="/mcp", stateless_http=True)
    return Starlette(routes=[Mount("/", inner)], lifespan=inner.lifespan)


CASES = (
    TransportCase("`/mcp`", '`http_app(path="/mcp", stateless_http=True)`', _at_mcp),
    TransportCase("another path", '`http_app(path="/api/v1/agent")`, with sessions', _at_another_path),
    TransportCase("SSE", '`http_app(transport="sse")`', _with_sse),
    TransportCase("URL with a path", 'like the first case, with `base_url=".../api"`', _with_base_url_path),
    TransportCase(
        "server on a server",
        "like the first case, with another FastMCP server mounted on the server",
        _mounted_on_a_server,
    ),
    TransportCase(
        "under a prefix", "in a Starlette app at `/api`, beside `auth.get_well_known_routes()`", _under_a_prefix
    ),
    TransportCase("at the root", "in a Starlette app at `/`", _at_the_root),
)
