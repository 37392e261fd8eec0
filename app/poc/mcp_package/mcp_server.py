"""An MCP server for An Otter Wiki: it lists, reads and searches pages, and tells what has changed.

`app` is the ASGI application, served statelessly at /mcp behind WorkOS AuthKit; `handler` is its Lambda handler.
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
    """One connection pool to the wiki for all requests."""
    async with open_wiki(settings.wiki_url) as wiki:
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
    below: Annotated[str, Field(description="Only names that start with this, e.g. 'Team/'")] = "",
    limit: Annotated[int, Field(ge=1, le=1000, description="At most this many names")] = 200,
) -> PageList:
    """List the names of the wiki's pages, sorted, and how many there are in all."""
    names = [name for name in await _wiki(context).pages() if name.startswith(below)]
    return PageList(total=len(names), names=names[:limit])


@mcp.tool(annotations=READ_ONLY)
async def read_page(
    context: Context,
    page: Annotated[str, Field(max_length=500, description="A name from list_pages, e.g. 'Team/Onboarding'")],
) -> str:
    """Read a wiki page as Markdown, up to 1 MB."""
    return await _wiki(context).source(page)


@mcp.tool(annotations=READ_ONLY)
async def search(
    context: Context,
    query: Annotated[str, Field(max_length=200, description="A word or phrase, taken literally, case ignored, no '/'")],
    limit: Annotated[int, Field(ge=1, le=100, description="At most this many pages")] = 20,
) -> list[PageMatch]:
    """Find the wiki pages whose name or text contains a phrase, best first, with excerpts."""
    return (await _wiki(context).search(query))[:limit]


@mcp.tool(annotations=READ_ONLY)
async def recent_changes(
    context: Context,
    limit: Annotated[int, Field(ge=1, le=100, description="At most this many changes")] = 20,
) -> list[WikiChange]:
    """Tell the wiki's latest changes, newest first: which pages, who, when, and the message."""
    return (await _wiki(context).changes())[:limit]


app = mcp.http_app(path="/mcp", stateless_http=True, json_response=True, middleware=[Middleware(JsonUnauthorized)])
handler = WarmHandler(app)
