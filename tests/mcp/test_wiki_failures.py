"""Failures of the wiki, and page names that lead out of it: each is one clear ToolError, without another request."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from fastmcp.exceptions import ToolError

Call = Callable[..., Any]
TOOLS: list[tuple[str, dict[str, str], str]] = [
    ("list_pages", {}, "/sitemap.xml"),
    ("read_page", {"page": "Home"}, "/Home/source?raw"),
    ("search", {"query": "otter"}, "/-/search/otter"),
    ("recent_changes", {}, "/-/changelog/feed.atom"),
]
every_tool = pytest.mark.parametrize(("tool", "arguments", "path"), TOOLS)

OUTSIDE_NAMES = [
    "",
    "   ",
    "/",
    "..",
    "../x",
    "Home/../../x",
    "./Home",
    "/-/settings",
    "-/settings",
    "-",
    "//evil.example/",
    "Home//x",
    "%2e%2e",
    "%2E%2E/x",
    "%252e%252e/x",
    "Home/%2e%2e/%2e%2e/x",
    "%2d/settings",
    "%2f%2fevil.example",
    "..\\x",
    "a%5cb",
    "http://evil.example/",
    "https:%2f%2fevil.example",
    "Home\x00",
    "Home\r\nX-Evil: 1",
    "Home%0d%0aX-Evil: 1",
    ".git/config",
    "static/js/otterwiki.js",
]


@pytest.mark.parametrize("page", OUTSIDE_NAMES)
def test_a_name_that_leads_out_of_the_wiki_sends_no_request(call: Call, start_site: Call, page: str) -> None:
    site = start_site()
    with pytest.raises(ToolError, match=r"is not the name of a wiki page; list_pages gives their names$"):
        call(site.url, "read_page", page=page)
    assert site.requested == []


@pytest.mark.parametrize(
    "page", ["a@evil.example", ":80/x", "a?b#c", "x;y", "[::1]", "localhost:1", "~", "\uff0e\uff0e/x"]
)
def test_an_unusual_name_is_requested_below_the_wiki_url(call: Call, start_site: Call, page: str) -> None:
    site = start_site()
    with pytest.raises(ToolError, match=r"^the wiki does not have the page"):
        call(f"{site.url}/wiki", "read_page", page=page)
    assert [path.startswith("/wiki/") and path.endswith("/source?raw") for path in site.requested] == [True]


@every_tool
def test_an_unreachable_wiki_is_an_error(call: Call, tool: str, arguments: dict[str, str], path: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ToolError, match=r"^the wiki cannot be reached \(ConnectError\); try again later$"):
            call(url, tool, **arguments)


@every_tool
@pytest.mark.parametrize("status", [500, 502, 503, 204])
def test_a_wrong_status_is_an_error(
    call: Call, start_site: Call, reply: Call, tool: str, arguments: dict[str, str], path: str, status: int
) -> None:
    site = start_site()
    site.replies[path] = reply(status)
    with pytest.raises(ToolError, match=rf"^the wiki answered {status} for .*; try again later$"):
        call(site.url, tool, **arguments)


@pytest.mark.parametrize("status", [401, 403])
def test_a_page_for_signed_in_readers_is_an_error(call: Call, start_site: Call, reply: Call, status: int) -> None:
    site = start_site()
    site.replies["/Home/source?raw"] = reply(status)
    with pytest.raises(ToolError, match=r"^the wiki shows the page 'Home' only to readers who are signed in$"):
        call(site.url, "read_page", page="Home")


@every_tool
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(
    call: Call, start_site: Call, reply: Call, tool: str, arguments: dict[str, str], path: str, status: int
) -> None:
    site, other_site = start_site(), start_site()
    site.replies[path] = reply(status, headers={"location": f"{other_site.url}{path}"})
    with pytest.raises(ToolError, match=r"redirects are not followed; the server's WIKI_URL is wrong$"):
        call(site.url, tool, **arguments)
    assert (site.requested, other_site.requested) == ([path], [])


@pytest.mark.parametrize(
    ("tool", "path"), [("list_pages", "/sitemap.xml"), ("recent_changes", "/-/changelog/feed.atom")]
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><p>Hello",
        b'<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><d>&b;</d>',
        b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><d>&a;</d>',
    ],
)
def test_invalid_or_malicious_xml_is_an_error(
    call: Call, start_site: Call, reply: Call, tool: str, path: str, body: bytes
) -> None:
    site = start_site()
    site.replies[path] = reply(body=body)
    with pytest.raises(ToolError, match=r"^the wiki's response is not XML of Otterwiki"):
        call(site.url, tool)


def test_a_feed_without_dates_is_an_error(call: Call, start_site: Call, reply: Call) -> None:
    site = start_site()
    site.replies["/-/changelog/feed.atom"] = reply(body=b'<feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>')
    with pytest.raises(ToolError, match=r"^the wiki's changelog is not an Atom feed of Otterwiki"):
        call(site.url, "recent_changes")


def test_html_instead_of_markdown_is_an_error(call: Call, start_site: Call, reply: Call) -> None:
    site = start_site()
    site.replies["/Home/edit/source?raw"] = reply(body=b"<!doctype html><title>Editor</title>")
    with pytest.raises(ToolError, match=r"^the wiki has no Markdown for the page 'Home/edit'"):
        call(site.url, "read_page", page="Home/edit")


def test_a_page_that_is_too_large_is_an_error(call: Call, start_site: Call, reply: Call) -> None:
    site = start_site()
    site.replies["/Fits/source?raw"] = reply(body=b"x" * 999_900 + b"\n[]: # (http://x/Fits/source)")
    site.replies["/Large/source?raw"] = reply(body=b"x" * 1_000_001)
    assert len(call(site.url, "read_page", page="Fits")) == 999_900
    with pytest.raises(ToolError, match=r"^the wiki's response for the page 'Large' is larger than 1,000,000 bytes$"):
        call(site.url, "read_page", page="Large")


def test_the_wiki_can_be_below_a_path(call: Call, start_site: Call, reply: Call) -> None:
    site = start_site()
    locs = "".join(f"<url><loc>{site.url}/{path}</loc></url>" for path in ("docs/", "docs/docs", "docs/Docsis%20x"))
    sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locs}</urlset>'
    site.replies["/docs/sitemap.xml"] = reply(body=sitemap.encode())
    assert call(f"{site.url}/docs", "list_pages")["names"] == ["Docsis x", "Home", "docs"]


@pytest.mark.parametrize(
    ("names", "authorization"), [({"WIKI_READER_TOKEN": "read-only"}, "Bearer read-only"), ({}, None)]
)
def test_the_token_of_the_settings_is_sent_to_the_wiki(
    start_site: Call, client: Call, names: dict[str, str], authorization: str | None
) -> None:
    site = start_site()

    async def read() -> None:
        async with client(site.url, **names) as connected:
            await connected.call_tool("list_pages", raise_on_error=False)

    asyncio.run(read())
    assert (site.requested, site.authorizations) == (["/sitemap.xml"], [authorization])


def test_a_slow_wiki_is_an_error(start_site: Call, reply: Call, monkeypatch: pytest.MonkeyPatch, load: Call) -> None:
    site = start_site()
    site.replies["/sitemap.xml"] = reply(pause_seconds=60)
    wiki_client = load("wiki_client")

    async def wait() -> None:
        async with wiki_client.open_wiki(site.url, timeout_seconds=0.2) as wiki:
            await wiki.list_pages()

    with pytest.raises(ToolError, match=r"^the wiki did not answer within 0.2 seconds; try again later$"):
        asyncio.run(wait())
