"""An Otter Wiki over HTTP, as an anonymous reader sees it.

Each method makes one GET below the wiki's URL, follows no redirect, and raises `WikiError` with one sentence for
whoever called the tool. Otterwiki has no API for reading; its sitemap, raw sources and Atom feed are made for
programs, its search answers with a page.
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
"""Long enough for a wiki that has a cold start first, well below the 30 s that API Gateway grants."""

MAX_BYTES = 6_000_000
"""A list, search or feed of the wiki; a wiki on Lambda can't send more."""

MAX_PAGE_BYTES = 1_000_000
"""A page: a tool's answer carries it twice, as text and as structured content, and Lambda takes 6 MB."""

# Otterwiki ends a raw source with a Markdown comment that links to it.
_REFERENCE = "\n[]: # ("
_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_ATOM = "{http://www.w3.org/2005/Atom}"


class WikiError(ToolError):
    """The wiki can't give what was asked for; the text is for the tool's caller."""


class PageList(BaseModel):
    """Names of pages, sorted; `total` tells how many there are where `names` had to stop."""

    total: int
    names: list[str]


class PageMatch(BaseModel):
    """A page that a search has found."""

    page: str
    excerpts: list[str]


class WikiChange(BaseModel):
    """One commit to the wiki; `changed` names its pages and attachments, separated by commas."""

    changed: str
    message: str
    author: str
    time: datetime
    revision: str


class WikiClient:
    """The wiki at one URL."""

    def __init__(self, client: httpx2.AsyncClient, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Use a client whose `base_url` is the wiki's; a whole answer may take `timeout_seconds`."""
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._root = unquote(client.base_url.path).strip("/")

    async def pages(self) -> list[str]:
        """Names of all pages, sorted. The page behind the wiki's root is called Home."""
        sitemap = _xml(await self._get("/sitemap.xml", "the list of its pages"))
        return sorted(self._page_at(loc.text or "") or "Home" for loc in sitemap.iter(f"{_SITEMAP}loc"))

    async def source(self, page: str) -> str:
        """A page as Markdown."""
        what = f"the page {page!r}"
        text = await self._get(f"/{page_path(page)}/source?raw", what, MAX_PAGE_BYTES)
        markdown, reference, _ = text.rpartition(_REFERENCE)
        if not reference:  # a name such as 'Home/edit' has led to another view
            raise WikiError(f"the wiki has no Markdown for {what}; list_pages gives the names of its pages")
        return markdown

    async def search(self, query: str) -> list[PageMatch]:
        """Pages whose name or text contains the query, case ignored, best first."""
        # The query becomes one segment of a path.
        if not query.strip(" .") or "/" in query or not query.isprintable():
            raise WikiError("a search is a word or a phrase, without '/' and control characters, not only dots")
        html = BeautifulSoup(await self._get(f"/-/search/{quote(query)}", "its search"), "html.parser")
        matches: list[PageMatch] = []
        # In document order: Otterwiki doesn't close every <h2>, so an excerpt may sit inside or behind it.
        for element in html.select("h2.content-title a[href], p:has(> .text-match)"):
            if element.name == "a":
                matches.append(PageMatch(page=self._page_at(str(element["href"])), excerpts=[]))
            elif matches:
                matches[-1].excerpts.append(" ".join(element.get_text().split()))
        return matches

    async def changes(self) -> list[WikiChange]:
        """All commits, newest first."""
        feed = _xml(await self._get("/-/changelog/feed.atom", "its changelog"))
        try:
            return [_change(entry) for entry in reversed(feed.findall(f"{_ATOM}entry"))]
        except ValueError:
            raise WikiError("the wiki's changelog is not the Atom feed that Otterwiki gives") from None

    def _page_at(self, url: str) -> str:
        path = unquote(urlsplit(url).path).strip("/")
        return path.removeprefix(self._root).strip("/") if f"{path}/".startswith(f"{self._root}/") else path

    async def _get(self, path: str, what: str, max_bytes: int = MAX_BYTES) -> str:
        """The text at a path of the wiki.

        Raises:
            WikiError: whatever is not, in time, a 200 with a text of bearable size.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds), self._client.stream("GET", path) as response:
                _check(response, what)
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > max_bytes:
                        raise WikiError(f"the wiki's answer for {what} is larger than {max_bytes:,} bytes")
        except (TimeoutError, httpx2.TimeoutException):
            seconds = f"{self._timeout_seconds:g} seconds"
            raise WikiError(f"the wiki did not answer within {seconds}; try again later") from None
        except httpx2.HTTPError as error:
            raise WikiError(f"the wiki can't be reached ({type(error).__name__}); try again later") from None
        return body.decode("utf-8", "replace")


def _check(response: httpx2.Response, what: str) -> None:
    status = response.status_code
    if status == httpx2.codes.NOT_FOUND:
        raise WikiError(f"the wiki does not have {what}; list_pages gives the names of its pages")
    to_login = response.is_redirect and urlsplit(response.headers.get("location", "")).path.endswith("/-/login")
    if status in {401, 403} or to_login:
        raise WikiError(f"the wiki shows {what} only to readers who are signed in")
    if response.is_redirect:
        raise WikiError(f"the wiki has moved {what}, and redirects are not followed; the server's WIKI_URL is wrong")
    if status != httpx2.codes.OK:
        raise WikiError(f"the wiki answered {status} for {what}; try again later")


def page_path(page: str) -> str:
    """A page's name as a path below the wiki, percent-encoded.

    Raises:
        WikiError: the name would lead elsewhere than to a page: `..`, the wiki's own `/-/...`, another host.
    """
    name = page.strip().removeprefix("/").removesuffix("/")
    for text in (name, unquote(name), unquote(unquote(name))):
        parts = text.split("/")
        leaves = not text or "://" in text or "\\" in text or not text.isprintable()
        if leaves or parts[0] in {"-", "static"} or not {"", ".", "..", ".git"}.isdisjoint(parts):
            raise WikiError(f"{page!r} is not the name of a wiki page; list_pages gives their names")
    return quote(name)


def _xml(text: str) -> Any:
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, DefusedXmlException):
        raise WikiError("the wiki's answer is not the XML that Otterwiki gives; is WIKI_URL a wiki?") from None


def _change(entry: Any) -> WikiChange:
    # The title is "Commit 1a2b3c: Home, Team/Onboarding".
    return WikiChange(
        changed=entry.findtext(f"{_ATOM}title", "").partition(": ")[2],
        message=entry.findtext(f"{_ATOM}content", ""),
        author=entry.findtext(f"{_ATOM}author/{_ATOM}name", ""),
        time=datetime.fromisoformat(entry.findtext(f"{_ATOM}published", "")),
        revision=entry.findtext(f"{_ATOM}id", "").rpartition("/")[2],
    )


@asynccontextmanager
async def open_wiki(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> AsyncIterator[WikiClient]:
    """A wiki to ask, with connections that are closed at the end.

    Args:
        url: the wiki's, without a final slash.
        timeout_seconds: how long one whole answer may take.
    """
    # Lambda freezes the process between invocations: a connection kept longer than this is dead by then.
    limits = httpx2.Limits(keepalive_expiry=5)
    async with httpx2.AsyncClient(base_url=url, timeout=timeout_seconds, limits=limits) as client:
        yield WikiClient(client, timeout_seconds)
