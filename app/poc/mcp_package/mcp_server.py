"""A FastMCP server for An Otter Wiki: tools that list, read and search pages, and list the latest changes.

`app` is the ASGI application, with a stateless endpoint at /mcp and sign-in through WorkOS AuthKit. `handler` is the
Lambda handler.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from authkit_provider import ExplainingAuthKitProvider
from fastmcp import Context, FastMCP
from json_unauthorized import JsonUnauthorized
from mcp_settings import load_settings
from pydantic import Field
from starlette.middleware import Middleware
from warm_handler import WarmHandler
from wiki_client import PageList, PageMatch, WikiChange, WikiClient, open_wiki

settings = load_settings()

READ_ONLY = {"readOnlyHint": True, "openWorldHint": False}


@asynccontextmanager
async def lifespan(_server: FastMCP[Any]) -> AsyncIterator[dict[str, WikiClient]]:
    """Open one connection pool to the wiki for all requests."""
    async with open_wiki(settings.wiki_url, settings.wiki_reader_token.get_secret_value()) as wiki:
        yield {"wiki": wiki}


mcp = FastMCP(
    "An Otter Wiki",
    instructions="Reads the team's wiki. Page names are paths such as 'Home' or 'Team/Onboarding'.",
    auth=ExplainingAuthKitProvider(
        authkit_domain=settings.authkit_domain,
        base_url=settings.mcp_base_url,
        client_id=settings.workos_client_id,
    ),
    lifespan=lifespan,
    mask_error_details=True,
)


def _wiki(context: Context) -> WikiClient:
    wiki: WikiClient = context.lifespan_context["wiki"]
    return wiki


@mcp.tool(annotations=READ_ONLY)
async def list_pages(
    context: Context,
    prefix: Annotated[str, Field(description="List only names that start with this text, such as 'Team/'")] = "",
    limit: Annotated[int, Field(ge=1, le=1000, description="The largest number of names")] = 200,
) -> PageList:
    """List the names of the wiki's pages, sorted, and the total number of pages."""
    names = [name for name in await _wiki(context).list_pages() if name.startswith(prefix)]
    return PageList(total=len(names), names=names[:limit])


@mcp.tool(annotations=READ_ONLY)
async def read_page(
    context: Context,
    page: Annotated[str, Field(max_length=500, description="A name from list_pages, such as 'Team/Onboarding'")],
) -> str:
    """Read a wiki page as Markdown, up to 1 MB."""
    return await _wiki(context).read_page(page)


@mcp.tool(annotations=READ_ONLY)
async def search(
    context: Context,
    query: Annotated[str, Field(max_length=200, description="A word or a phrase without '/'; case does not matter")],
    limit: Annotated[int, Field(ge=1, le=100, description="The largest number of pages")] = 20,
) -> list[PageMatch]:
    """Find the wiki pages whose name or text contains a phrase, the best match first, with excerpts."""
    return (await _wiki(context).search(query))[:limit]


@mcp.tool(annotations=READ_ONLY)
async def recent_changes(
    context: Context,
    limit: Annotated[int, Field(ge=1, le=100, description="The largest number of changes")] = 20,
) -> list[WikiChange]:
    """List the latest changes of the wiki, newest first: the pages, the author, the time and the message."""
    return (await _wiki(context).list_changes())[:limit]


app = mcp.http_app(
    path="/mcp",
    stateless_http=True,
    json_response=True,
    host_origin_protection=True,
    middleware=[Middleware(JsonUnauthorized)],
)
handler = WarmHandler(app)
