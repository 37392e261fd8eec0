"""The target html: the page in Chromium, opened from a file and without a server."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from helpers.browser import accessibility_problems, find_chromium, start_browser
from helpers.node import PACKAGES, reason_not_to_run
from helpers.support import PROJECT
from playwright.sync_api import Browser, Page
from render.manifests import BREAKING_OUT, COMMITTED, HOSTILE, MANIFESTS, WITHOUT_DEFAULT
from routegen.manifest import Manifest
from routegen.manifest.explain import Explainer
from routegen.render import RenderRequest, render

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium")

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture
def open_page(chrome: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """Open the page of a manifest; an error, a dialog or a request to the network fails the test."""
    events: list[str] = []
    pages: list[Page] = []

    def open_(manifest: Manifest, **options: Any) -> Page:
        (tmp_path / "page.html").write_text(render(RenderRequest("html", manifest)))
        page = chrome.new_page(**options)
        pages.append(page)
        page.on("console", lambda message: events.append(message.text))
        page.on("pageerror", lambda error: events.append(str(error)))
        page.on("dialog", lambda dialog: events.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: events.append(request.url) if not request.url.startswith("file:") else None)
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield open_
    for page in pages:
        page.close()
    assert events == []


def requests(manifest: Manifest, number: int) -> list[tuple[str, str]]:
    """Random requests near a manifest's paths, with changes that browsers, proxies and attackers make."""
    random = Random(7)
    paths = [route.path for route in manifest.routes] + ["/", "/Home", "/mcp/x"]
    ends = [
        "",
        "/",
        "//",
        "/x",
        "?a=1",
        "#a",
        "%2F",
        "%2fx",
        "%",
        "%zz",
        "%00",
        "%0A",
        "%FF",
        "é",
        "🦦",
        "%C3%A9",
        "/.",
        "/..",
    ]
    chosen = []
    for _ in range(number):
        path = random.choice(paths).replace("{rest+}", "a/b").replace("{proxy+}", "x").replace("{name}", "n")
        position = random.randrange(len(path))
        encoded = path[:position] + f"%{ord(path[position]):02x}" + path[position + 1 :]
        changed = random.choice([path, path, path.upper(), encoded, "/" + path])
        chosen.append((random.choice(["GET", "POST", "HEAD", "DELETE"]), changed + random.choice(ends)))
    return chosen


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_the_page_explains_as_the_command_does(
    manifest: Manifest, open_page: OpenPage, count_decisions: Callable[[int], None]
) -> None:
    chosen = requests(manifest, 3000)
    explainer = Explainer(manifest)
    expected = [explainer.explain(method, path) for method, path in chosen]
    program = "requests => requests.map(([method, path]) => explain(method, path))"
    explained = open_page(manifest).evaluate(program, chosen)
    for request, actual, explanation in zip(chosen, explained, expected, strict=True):
        key = explanation.route_key or ("$default" if explanation.app else "none")
        assert actual == {"key": key, "app": explanation.app, "why": explanation.reason}, request
    count_decisions(len(chosen))


def test_the_page_works_with_only_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(COMMITTED)
    page.keyboard.press("Tab")
    page.keyboard.type("POST")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("/mcp/x")
    assert page.get_by_role("status").first.inner_text() == (
        "mcp gets it through ANY /mcp/{proxy+}: no key matches in full, "
        "and of the keys with a greedy variable this one has the longest prefix."
    )
    assert page.locator("tr.selected code").all_inner_texts() == ["ANY /mcp/{proxy+}"]


def test_the_search_shows_the_rows_with_all_words(open_page: OpenPage) -> None:
    page = open_page(COMMITTED)
    page.get_by_label("Search").fill("mcp RFC 9728 GET")
    assert page.locator("tbody tr:visible code").all_inner_texts() == ["ANY /.well-known/oauth-protected-resource/mcp"]
    assert page.get_by_text("1 of 9 shown").is_visible()


def test_a_reserved_path_is_shown_as_reserved_with_its_reason(open_page: OpenPage) -> None:
    page = open_page(COMMITTED)
    page.get_by_label("Search").fill("reserved MCP clients ask here about /mcp")
    keys = page.locator("tbody tr:visible code").all_inner_texts()
    assert keys == [key for route in COMMITTED.routes if route.reserved for key in route.route_keys]
    page.get_by_label("Path").fill("/.well-known/openid-configuration")
    assert page.get_by_role("status").first.inner_text() == (
        "mcp gets it through ANY /.well-known/openid-configuration: the path matches exactly; "
        "mcp serves nothing at this path and answers 404 itself: MCP clients ask here about /mcp."
    )


def test_without_a_default_app_the_gateway_answers_404(open_page: OpenPage) -> None:
    page = open_page(WITHOUT_DEFAULT)
    page.get_by_label("Path").fill("/Home")
    assert page.get_by_role("status").first.inner_text() == (
        "no app: the gateway answers 404 (no route key takes it; there is no default app)."
    )
    assert page.locator("tr.selected").inner_text().split("\t") == [
        "no route key", "none", "ANY", "everything else: the gateway answers 404",
    ]  # fmt: skip


def test_hostile_text_is_shown_as_text(open_page: OpenPage) -> None:
    page = open_page(HOSTILE)
    cells = page.locator("tbody td").all_text_contents()
    assert any(BREAKING_OUT in cell for cell in cells)
    assert page.locator("img").count() == 0


@pytest.mark.skipif(bool(reason_not_to_run()), reason=str(reason_not_to_run()))
@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 360)])
def test_the_page_is_accessible(scheme: str, width: int, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(COMMITTED, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    assert accessibility_problems(page, (PACKAGES / "axe-core" / "axe.min.js").read_text()) == []
    page.get_by_label("Path").fill("/mcp/x")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    folder = PROJECT / "docs" / "images" if os.environ.get("SCREENSHOTS") else tmp_path
    page.screenshot(path=folder / f"render-html-{scheme}-{width}.png", full_page=True)
