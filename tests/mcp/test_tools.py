"""The tools' results for a real Otterwiki, through FastMCP's client."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastmcp.exceptions import ToolError

Call = Callable[..., Any]
NAMES = ["100% Sure", "Home", "Odd", "Team/Onboarding", "Über Uns/Größe Und Gewicht"]


def test_every_tool_has_a_description_and_only_reads(client: Call, wiki_url: str) -> None:
    async def tools() -> list[Any]:
        async with client(wiki_url) as connected:
            return list(await connected.list_tools())

    by_name = {tool.name: tool for tool in asyncio.run(tools())}
    assert sorted(by_name) == ["list_pages", "read_page", "recent_changes", "search"]
    for tool in by_name.values():
        assert tool.description
        assert tool.annotations.read_only_hint is True
        assert "context" not in tool.input_schema["properties"]
        assert all(parameter["description"] for parameter in tool.input_schema["properties"].values())


def test_list_pages_returns_names_with_spaces_unicode_and_slashes(call: Call, wiki_url: str) -> None:
    assert call(wiki_url, "list_pages") == {"total": 5, "names": NAMES}


def test_a_limited_list_has_the_total_number(call: Call, wiki_url: str) -> None:
    assert call(wiki_url, "list_pages", limit=2) == {"total": 5, "names": NAMES[:2]}
    assert call(wiki_url, "list_pages", prefix="Team/") == {"total": 1, "names": ["Team/Onboarding"]}


def test_every_listed_page_can_be_read(call: Call, wiki_url: str) -> None:
    texts = {name: call(wiki_url, "read_page", page=name) for name in NAMES}
    assert texts["Home"] == "# Home\n\nWelcome to the otters.\n"
    assert texts["Odd"] == "no line end", "without the comment that Otterwiki adds"
    assert texts["100% Sure"] == "Otters & <b>beavers</b>, for sure.\n"
    assert texts["Team/Onboarding"].startswith("# Onboarding\n")
    assert texts["Über Uns/Größe Und Gewicht"] == "# Größe\n\n水獺 wiegen viel.\n"


@pytest.mark.parametrize("page", ["/Home", "Home/", "home", " Home "])
def test_a_page_name_can_be_written_as_in_a_link(call: Call, wiki_url: str, page: str) -> None:
    assert call(wiki_url, "read_page", page=page).startswith("# Home")


@pytest.mark.parametrize("page", ["Nowhere", "Home/edit", "Home/view", "Home?raw", "Home#top", "a@evil.example"])
def test_a_page_that_does_not_exist_is_an_error(call: Call, wiki_url: str, page: str) -> None:
    with pytest.raises(ToolError, match=r"^the wiki does not have the page '.*'; list_pages gives the names"):
        call(wiki_url, "read_page", page=page)


def test_search_finds_text_and_names(call: Call, wiki_url: str) -> None:
    excerpts = {match["page"]: match["excerpts"] for match in call(wiki_url, "search", query="OTTERS")}
    assert set(excerpts) == {"Home", "Team/Onboarding", "100% Sure"}
    assert excerpts["100% Sure"] == ["Otters & <b>beavers</b>, for sure."]
    assert call(wiki_url, "search", query="odd") == [{"page": "Odd", "excerpts": []}], "only its name matches"
    assert [match["page"] for match in call(wiki_url, "search", query="水獺")] == [NAMES[-1]]


@pytest.mark.parametrize("query", ["t", "o", "sure"])
def test_each_match_has_its_own_excerpts(call: Call, wiki_url: str, query: str) -> None:
    matches = call(wiki_url, "search", query=query)
    assert len({match["page"] for match in matches}) == len(matches) > 0
    for match in matches:
        text = call(wiki_url, "read_page", page=match["page"])
        for excerpt in match["excerpts"]:
            lines = [line for line in excerpt.replace("[..]", "\n").splitlines() if line.strip()]
            assert any(line.split()[0] in text for line in lines), (match["page"], excerpt)


def test_search_is_literal_and_limited(call: Call, wiki_url: str) -> None:
    assert [match["page"] for match in call(wiki_url, "search", query="100%")] == ["100% Sure"]
    assert [match["page"] for match in call(wiki_url, "search", query="& <b>")] == ["100% Sure"]
    for query in ("o.ters", "?x", "%2e%2e", "nothing has this"):
        assert call(wiki_url, "search", query=query) == []
    assert len(call(wiki_url, "search", query="e", limit=1)) == 1


@pytest.mark.parametrize("query", ["", "  ", "a/b", "..", "a\nb"])
def test_an_invalid_search_is_an_error(call: Call, wiki_url: str, query: str) -> None:
    with pytest.raises(ToolError, match=r"^a search is a word or a phrase without '/'"):
        call(wiki_url, "search", query=query)


def test_recent_changes_are_sorted_newest_first(call: Call, wiki_url: str) -> None:
    changes = call(wiki_url, "recent_changes")
    assert changes[0]["message"].startswith('Revert "Change one page,')
    assert changes[1]["changed_files"] == "Home, Odd", "the list contains a deleted page"
    assert changes[1]["message"] == "Change one page,\n\nremove <another>"
    assert changes[1]["author"] == "Ada Otter"
    assert changes[-1]["changed_files"] == "Home"
    assert len(changes) == 7
    assert changes == sorted(changes, key=lambda change: change["time"], reverse=True)
    assert call(wiki_url, "recent_changes", limit=2) == changes[:2]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_pages", {"limit": 1001}),
        ("search", {"query": "x", "limit": 101}),
        ("search", {"query": "x" * 201}),
        ("recent_changes", {"limit": 0}),
        ("read_page", {"page": "x" * 501}),
        ("read_page", {}),
    ],
)
def test_arguments_have_limits(call: Call, wiki_url: str, tool: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match=r"validation error for call\[" + tool):
        call(wiki_url, tool, **arguments)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("list_pages", {}), ("read_page", {"page": "Home"}), ("search", {"query": "otter"}), ("recent_changes", {})],
)
def test_a_private_wiki_is_an_error(call: Call, private_wiki: str, tool: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match=r"^the wiki shows .* only to readers who are signed in$"):
        call(private_wiki, tool, **arguments)


@pytest.fixture(scope="module")
def private_wiki(start_wiki: Callable[..., str]) -> str:
    return start_wiki(READ_ACCESS="APPROVED", WRITE_ACCESS="APPROVED")
