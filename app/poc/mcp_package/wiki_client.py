"""HTTP client that reads An Otter Wiki, as an anonymous reader or with a token.

Each method sends one GET request below the wiki's URL, follows no redirect, and raises `WikiError` with one sentence
for the MCP client. Otterwiki has no API for reading. Its sitemap, raw page sources and Atom feed are made for programs;
its search returns an HTML page.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx2
from bs4 import BeautifulSoup
from defusedxml import DefusedXmlException, ElementTree
from fastmcp.exceptions import ToolError
from pydantic import BaseModel

TIMEOUT_SECONDS = 20.0
"""Long enough for a cold start of the wiki, and well below the 30 seconds that API Gateway waits."""

MAX_BYTES = 6_000_000
"""The largest list, search result or feed. A wiki on Lambda cannot send a larger response."""

MAX_PAGE_BYTES = 1_000_000
"""The largest page. A tool result contains it twice, as text and as structured content, and Lambda allows 6 MB."""

# Otterwiki adds a Markdown comment with a link at the end of each raw source.
_SOURCE_COMMENT = "\n[]: # ("
_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_ATOM = "{http://www.w3.org/2005/Atom}"


class WikiError(ToolError):
    """The wiki has no usable response. The text is for the MCP client."""


class PageList(BaseModel):
    """Sorted names of pages. `total` is the number of all pages, which can be larger than the number of names."""

    total: int
    names: list[str]


class PageMatch(BaseModel):
    """A page that matches a search, with excerpts."""

    page: str
    excerpts: list[str]


class WikiChange(BaseModel):
    """One commit to the wiki. `changed_files` has the names of its pages and attachments, separated by commas."""

    changed_files: str
    message: str
    author: str
    time: datetime
    revision: str


class WikiClient:
    """Client of the wiki at one URL."""

    def __init__(self, client: httpx2.AsyncClient, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Create the client.

        Args:
            client: an HTTP client whose `base_url` is the wiki's URL.
            timeout_seconds: the time limit for a whole response.
        """
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._root = unquote(client.base_url.path).strip("/")

    async def list_pages(self) -> list[str]:
        """List the names of all pages, sorted. The page at the wiki's root is called Home."""
        sitemap = _parse_xml(await self._get("/sitemap.xml", "the list of its pages"))
        return sorted(self._page_name(loc.text or "") or "Home" for loc in sitemap.iter(f"{_SITEMAP}loc"))

    async def read_page(self, page: str) -> str:
        """Read a page as Markdown."""
        subject = f"the page {page!r}"
        text = await self._get(f"/{page_path(page)}/source?raw", subject, MAX_PAGE_BYTES)
        markdown, comment, _ = text.rpartition(_SOURCE_COMMENT)
        if not comment:  # a name such as 'Home/edit' leads to another view of the page
            raise WikiError(f"the wiki has no Markdown for {subject}; list_pages gives the names of its pages")
        return markdown

    async def search(self, query: str) -> list[PageMatch]:
        """Find the pages whose name or text contains the query, the best match first. Case does not matter."""
        # The query is one segment of the path, so it cannot contain '/' or be '..'.
        if not query.strip(" .") or "/" in query or not query.isprintable():
            raise WikiError("a search is a word or a phrase without '/' and control characters, and not only dots")
        html = BeautifulSoup(await self._get(f"/-/search/{quote(query)}", "its search"), "html.parser")
        matches: list[PageMatch] = []
        # In document order, because Otterwiki does not close every <h2>: an excerpt can be inside or after its title.
        for element in html.select("h2.content-title a[href], p:has(> .text-match)"):
            if element.name == "a":
                matches.append(PageMatch(page=self._page_name(str(element["href"])), excerpts=[]))
            elif matches:
                matches[-1].excerpts.append(" ".join(element.get_text().split()))
        return matches

    async def list_changes(self) -> list[WikiChange]:
        """List all commits, newest first."""
        feed = _parse_xml(await self._get("/-/changelog/feed.atom", "its changelog"))
        try:
            return [_parse_change(entry) for entry in reversed(feed.findall(f"{_ATOM}entry"))]
        except ValueError:
            raise WikiError("the wiki's changelog is not an Atom feed of Otterwiki") from None

    def _page_name(self, url: str) -> str:
        path = unquote(urlsplit(url).path).strip("/")
        return path.removeprefix(self._root).strip("/") if f"{path}/".startswith(f"{self._root}/") else path

    async def _get(self, path: str, subject: str, max_bytes: int = MAX_BYTES) -> str:
        """Get the text at a path of the wiki.

        Args:
            path: the path below the wiki's URL.
            subject: the name of the requested resource in error messages.
            max_bytes: the largest response.

        Raises:
            WikiError: the response is late, too large, or does not have status 200.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds), self._client.stream("GET", path) as response:
                _check_response(response, subject)
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > max_bytes:
                        raise WikiError(f"the wiki's response for {subject} is larger than {max_bytes:,} bytes")
        except (TimeoutError, httpx2.TimeoutException):
            seconds = f"{self._timeout_seconds:g} seconds"
            raise WikiError(f"the wiki did not answer within {seconds}; try again later") from None
        except httpx2.HTTPError as error:
            raise WikiError(f"the wiki cannot be reached ({type(error).__name__}); try again later") from None
        return body.decode("utf-8", "replace")


def _check_response(response: httpx2.Response, subject: str) -> None:
    status = response.status_code
    if status == httpx2.codes.NOT_FOUND:
        raise WikiError(f"the wiki does not have {subject}; list_pages gives the names of its pages")
    to_login = response.is_redirect and urlsplit(response.headers.get("location", "")).path.endswith("/-/login")
    if status in {401, 403} or to_login:
        raise WikiError(f"the wiki shows {subject} only to readers who are signed in")
    if response.is_redirect:
        raise WikiError(f"the wiki redirects {subject}, and redirects are not followed; the server's WIKI_URL is wrong")
    if status != httpx2.codes.OK:
        raise WikiError(f"the wiki answered {status} for {subject}; try again later")


def page_path(page: str) -> str:
    """Convert the name of a page to a percent-encoded path.

    Raises:
        WikiError: the path would not be that of a page: `..`, the wiki's own `/-/...`, another host.
    """
    name = page.strip().removeprefix("/").removesuffix("/")
    for text in (name, unquote(name), unquote(unquote(name))):
        parts = text.split("/")
        is_outside = not text or "://" in text or "\\" in text or not text.isprintable()
        if is_outside or parts[0] in {"-", "static"} or not {"", ".", "..", ".git"}.isdisjoint(parts):
            raise WikiError(f"{page!r} is not the name of a wiki page; list_pages gives their names")
    return quote(name)


def _parse_xml(text: str) -> Any:
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, DefusedXmlException):
        raise WikiError("the wiki's response is not XML of Otterwiki; check whether WIKI_URL is a wiki") from None


def _parse_change(entry: Any) -> WikiChange:
    # The title is "Commit 1a2b3c: Home, Team/Onboarding".
    return WikiChange(
        changed_files=entry.findtext(f"{_ATOM}title", "").partition(": ")[2],
        message=entry.findtext(f"{_ATOM}content", ""),
        author=entry.findtext(f"{_ATOM}author/{_ATOM}name", ""),
        time=datetime.fromisoformat(entry.findtext(f"{_ATOM}published", "")),
        revision=entry.findtext(f"{_ATOM}id", "").rpartition("/")[2],
    )


@asynccontextmanager
async def open_wiki(
    url: str, reader_token: str = "", timeout_seconds: float = TIMEOUT_SECONDS
) -> AsyncIterator[WikiClient]:
    """Open a client of the wiki; its connections are closed at the end of the block.

    Args:
        url: the URL of the wiki, without a slash at the end.
        reader_token: a token that the wiki accepts instead of an account; empty for an anonymous reader.
        timeout_seconds: the time limit for a whole response.
    """
    headers = {"Authorization": f"Bearer {reader_token}"} if reader_token else {}
    # Lambda freezes the process between invocations, and the wiki closes an older connection in the meantime.
    limits = httpx2.Limits(keepalive_expiry=5)
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=timeout_seconds, limits=limits) as client:
        yield WikiClient(client, timeout_seconds)
