"""The transports and mounts that a provider is put behind.

In: a provider's builder. Out: an app as people write it, after FastMCP's documentation on HTTP deployment.
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
Build = Callable[[str], AuthProvider | None]


@dataclass(frozen=True)
class Case:
    """One column of the matrix.

    Attributes:
        name: the column's title.
        what: one sentence for the text above the table.
        app: the app, with a provider of its own.
    """

    name: str
    what: str
    app: Callable[[Build], Any]


def _server(build: Build, url: str = URL) -> FastMCP:
    server: FastMCP = FastMCP("matrix", auth=build(url))

    @server.custom_route("/health", methods=["GET"])
    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok")

    return server


def _at_mcp(build: Build) -> Any:
    return _server(build).http_app(path="/mcp", stateless_http=True)


def _elsewhere(build: Build) -> Any:
    return _server(build).http_app(path="/api/v1/agent")


def _sse(build: Build) -> Any:
    return _server(build).http_app(transport="sse")


def _url_with_path(build: Build) -> Any:
    return _server(build, f"{URL}/api").http_app(path="/mcp", stateless_http=True)


def _on_a_server(build: Build) -> Any:
    inner: FastMCP = FastMCP("inner")

    @inner.custom_route("/inner/status", methods=["GET", "POST"])
    async def status(_request: Request) -> Response:
        return PlainTextResponse("ok")

    server = _server(build)
    server.mount(inner, "inner")
    return server.http_app(path="/mcp", stateless_http=True)


def _under_a_prefix(build: Build) -> Any:
    server = _server(build, f"{URL}/api")
    inner = server.http_app(path="/mcp", stateless_http=True)
    documents = server.auth.get_well_known_routes(mcp_path="/mcp") if server.auth else []
    return Starlette(routes=[*documents, Mount("/api", inner)], lifespan=inner.lifespan)


def _at_the_root(build: Build) -> Any:
    inner = _server(build).http_app(path="/mcp", stateless_http=True)
    return Starlette(routes=[Mount("/", inner)], lifespan=inner.lifespan)


CASES = (
    Case("`/mcp`", '`http_app(path="/mcp", stateless_http=True)`', _at_mcp),
    Case("another path", '`http_app(path="/api/v1/agent")`, with sessions', _elsewhere),
    Case("SSE", '`http_app(transport="sse")`', _sse),
    Case("URL with a path", 'as the first, with `base_url=".../api"`', _url_with_path),
    Case("server on a server", "as the first, with another FastMCP server mounted on it", _on_a_server),
    Case("under a prefix", "in a Starlette app at `/api`, beside `auth.get_well_known_routes()`", _under_a_prefix),
    Case("at the root", "in a Starlette app at `/`", _at_the_root),
)
