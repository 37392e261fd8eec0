"""The page, in Chromium, from a file and without a server."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from helpers.browser import browser, chromium, problems
from helpers.node import PACKAGES, why_not
from helpers.support import PROJECT
from playwright.sync_api import Browser, Page
from render.manifests import BREAKING_OUT, COMMITTED, HOSTILE
from routegen.manifest import Manifest
from routegen.manifest.explain import Explainer
from routegen.render import Request, render

pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium")

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture
def open_page(chrome: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a manifest; whatever the browser complains of, or asks the network for, fails the test."""
    said: list[str] = []
    pages: list[Page] = []

    def open_(manifest: Manifest, **options: Any) -> Page:
        (tmp_path / "page.html").write_text(render(Request("html", manifest)))
        page = chrome.new_page(**options)
        pages.append(page)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield open_
    for page in pages:
        page.close()
    assert said == []


def requests(manifest: Manifest, number: int) -> list[tuple[str, str]]:
    """Requests near a manifest's paths, with what a browser, a proxy or an attacker makes of them."""
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
    found = []
    for _ in range(number):
        path = random.choice(paths).replace("{rest+}", "a/b").replace("{proxy+}", "x").replace("{name}", "n")
        at = random.randrange(len(path))
        turned = random.choice(
            [path, path, path.upper(), path[:at] + f"%{ord(path[at]):02x}" + path[at + 1 :], "/" + path]
        )
        found.append((random.choice(["GET", "POST", "HEAD", "DELETE"]), turned + random.choice(ends)))
    return found


@pytest.mark.parametrize("manifest", [COMMITTED, HOSTILE], ids=["committed", "hostile"])
def test_it_explains_as_the_command_does(manifest: Manifest, open_page: Open, decided: Callable[[int], None]) -> None:
    asked = requests(manifest, 3000)
    explainer = Explainer(manifest)
    expected = [explainer.explain(method, path) for method, path in asked]
    found = open_page(manifest).evaluate("asked => asked.map(([method, path]) => explain(method, path))", asked)
    for request, one, other in zip(asked, found, expected, strict=True):
        assert one == {"key": other.route_key or "$default", "app": other.app, "why": other.why}, request
    decided(len(asked))


def test_a_person_asks_it_with_the_keyboard_alone(open_page: Open) -> None:
    page = open_page(COMMITTED)
    page.keyboard.press("Tab")
    page.keyboard.type("POST")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("/mcp/x")
    assert page.get_by_role("status").first.inner_text() == (
        "mcp gets it through ANY /mcp/{proxy+}: no key matches in full, "
        "and of those with a greedy variable this has the longest prefix."
    )
    assert page.locator("tr.taken code").all_inner_texts() == ["ANY /mcp/{proxy+}"]


def test_the_search_shows_what_has_all_words(open_page: Open) -> None:
    page = open_page(COMMITTED)
    page.get_by_label("Search").fill("mcp RFC 9728")
    assert page.locator("tbody tr:visible code").all_inner_texts() == ["ANY /.well-known/oauth-protected-resource/mcp"]
    assert page.get_by_text("1 of 5 shown").is_visible()


def test_hostile_text_is_text(open_page: Open) -> None:
    page = open_page(HOSTILE)
    cells = page.locator("tbody td").all_text_contents()
    assert any(BREAKING_OUT in cell for cell in cells)
    assert page.locator("img").count() == 0


@pytest.mark.skipif(bool(why_not()), reason=str(why_not()))
@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 360)])
def test_everybody_can_use_it(scheme: str, width: int, open_page: Open, tmp_path: Path) -> None:
    page = open_page(COMMITTED, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    assert problems(page, (PACKAGES / "axe-core" / "axe.min.js").read_text()) == []
    page.get_by_label("Path").fill("/mcp/x")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    folder = PROJECT / "docs" / "images" if os.environ.get("SCREENSHOTS") else tmp_path
    page.screenshot(path=folder / f"render-html-{scheme}-{width}.png", full_page=True)
