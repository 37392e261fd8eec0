"""The inspector's page in Chromium, as a person uses it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import accessibility_problems, find_chromium, start_browser
from helpers.node import PACKAGES, reason_not_to_run
from helpers.support import PROJECT
from playwright.sync_api import Browser, Page, Request, expect
from serve.inspector.conftest import InspectedGateway
from serve.running_gateway import RESERVED

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium")

IMAGES = PROJECT / "docs" / "images"
# Replaces texts that differ between two runs.
STABLE_TEXTS = """() => {
  const replace = (selector, text) => document.querySelectorAll(selector).forEach((element) => {
    element.textContent = text;
  });
  replace("#rows td:first-child", "14:02:11");
  replace("#rows td.number", "1.2");
  document.querySelectorAll("#rows .tag").forEach((tag) => {
    if (tag.textContent === "cold") tag.closest("tr").querySelector("td.number").textContent = "61.5";
  });
  document.querySelectorAll(".facts dt").forEach((name) => {
    if (name.textContent === "time") name.nextSibling.textContent = "1.2 ms, warm";
    if (name.textContent === "request id") name.nextSibling.textContent = "sNW6vUQToaMlAR4=";
  });
  document.querySelectorAll("#details pre").forEach((text) => {
    text.textContent = text.textContent.replace(/127\\.0\\.0\\.1:\\d+/g, "127.0.0.1:8000");
  });
}"""
DISCOVERY = "/.well-known/oauth-authorization-server"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with start_browser() as chrome:
        yield chrome


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(chrome: Browser, inspected: InspectedGateway) -> Iterator[OpenPage]:
    """Open the page; a message in the console or a request to another server fails the test."""
    messages: list[str] = []
    pages: list[Page] = []

    def report_request_elsewhere(request: Request) -> None:
        if not request.url.startswith((inspected.url, "data:")):
            messages.append(request.url)

    def open_new_page(**options: Any) -> Page:
        page = chrome.new_page(reduced_motion="reduce", **options)
        pages.append(page)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("dialog", lambda dialog: messages.append(f"dialog: {dialog.message}"))
        page.on("request", report_request_elsewhere)
        page.goto(inspected.url)
        expect(page.locator("#connection")).to_have_text("connected")
        return page

    yield open_new_page
    for page in pages:
        page.close()
    assert messages == []


def paths(page: Page) -> list[str]:
    return page.locator("#rows tr:visible .open").all_inner_texts()


def test_new_requests_appear_and_their_details_are_shown(inspected: InspectedGateway, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_text("No requests yet")).to_be_visible()
    inspected.gateway.ask("POST", "/mcp?access_token=t0ken-of-the-otter", b"{}", {"content-type": "application/json"})
    page.get_by_role("button", name="POST /mcp, 200").click()
    details = page.locator("#details")
    expect(details.locator("h2")).to_have_text("POST /mcp")
    expect(details).to_contain_text("ANY /mcp")
    expect(details).to_contain_text("the path matches exactly")
    expect(details).to_contain_text("cold: an instance was started")
    expect(details).to_contain_text("POST /mcp?access_token=[masked]")
    expect(details).to_contain_text('"routeKey": "ANY /mcp"')
    expect(details).to_contain_text('"statusCode": 200')
    assert "otter" not in details.inner_text()


def test_filter_pause_and_clear(inspected: InspectedGateway, open_page: OpenPage) -> None:
    page = open_page()
    for path in ("/mcp", "/Home", DISCOVERY, "/.well-known/openid-configuration"):
        inspected.gateway.get(path)
    expect(page.locator("#count")).to_have_text("4 of 4 shown")
    page.get_by_label("Filter").fill("get 404")
    assert paths(page) == ["/.well-known/openid-configuration"]
    page.get_by_label("Filter").fill("")
    page.get_by_label("App").select_option("mcp")
    assert paths(page) == ["/mcp"]
    page.get_by_label("App").select_option("all")
    page.get_by_label("sign-in only").check()
    assert paths(page) == ["/.well-known/openid-configuration", DISCOVERY]
    page.get_by_label("sign-in only").uncheck()
    page.get_by_label("warnings only").check()
    assert len(paths(page)) == 2
    page.get_by_label("warnings only").uncheck()
    page.get_by_role("button", name="Pause").click()
    inspected.gateway.get("/later")
    expect(page.locator("#count")).to_have_text("4 of 4 shown, 1 waiting")
    page.get_by_role("button", name="Pause").click()
    assert paths(page)[0] == "/later"
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("No requests yet")).to_be_visible()


def test_the_keyboard_is_enough(inspected: InspectedGateway, open_page: OpenPage) -> None:
    page = open_page()
    for path in ("/first", "/second", "/third"):
        inspected.gateway.get(path)
    expect(page.locator("#count")).to_have_text("3 of 3 shown")
    heading = page.locator("#details h2")
    page.keyboard.press("j")
    expect(heading).to_have_text("GET /third")
    page.keyboard.press("ArrowDown")
    expect(heading).to_have_text("GET /second")
    page.keyboard.press("k")
    expect(heading).to_have_text("GET /third")
    page.keyboard.press("r")
    expect(page.get_by_role("alert")).to_have_text("Request 3 was replayed.")
    expect(page.locator("#count")).to_have_text("4 of 4 shown")
    page.keyboard.press("/")
    page.keyboard.type("second")
    assert paths(page) == ["/second"]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(heading).to_have_count(0)


def test_a_replay_is_marked_as_such(inspected: InspectedGateway, open_page: OpenPage) -> None:
    page = open_page()
    inspected.gateway.get("/Home")
    page.get_by_role("button", name="GET /Home").click()
    page.get_by_role("button", name="Replay").click()
    expect(page.locator("#replay-result")).to_have_text("Request 1 was replayed.")
    expect(page.get_by_text("replay of 1")).to_be_visible()
    assert inspected.gateway.exchanges[-1].request == inspected.gateway.exchanges[0].request


def test_a_reserved_path_is_marked_in_the_list_and_in_the_route_map(
    inspected: InspectedGateway, open_page: OpenPage
) -> None:
    inspected.change_manifest(routes=[RESERVED])
    page = open_page()
    inspected.gateway.get(RESERVED["path"])
    expect(page.locator("#rows .tag", has_text="reserved")).to_have_attribute("title", RESERVED["reserved"])
    page.locator("#route-map summary").click()
    row = page.locator("#route-rows tr").first
    expect(row).to_contain_text("reserved: protected-resource-metadata, RFC 9728.")
    expect(row).to_contain_text("MCP clients ask here about /mcp; mcp answers 404 itself.")
    page.locator("#rows .open").click()
    expect(page.locator("#details .facts")).to_contain_text("mcp serves nothing at this path and answers 404 itself")


def test_without_a_default_app_the_page_shows_the_problem(inspected: InspectedGateway, open_page: OpenPage) -> None:
    inspected.change_manifest(default=None)
    page = open_page()
    inspected.gateway.get("/Home")
    page.get_by_role("button", name="GET /Home, 404").click()
    facts = page.locator("#details .facts")
    expect(facts).to_contain_text("no route key takes it, and there is no default app")
    expect(page.get_by_role("button", name="Replay")).to_be_enabled()


def test_a_refused_request_cannot_be_replayed_and_the_page_says_why(
    inspected: InspectedGateway, open_page: OpenPage
) -> None:
    page = open_page()
    inspected.gateway.get("/x", Otter="x" * 11_000)
    page.get_by_role("button", name="GET /x, 431").click()
    expect(page.get_by_role("button", name="Replay")).to_be_disabled()
    expect(page.locator("#replay-result")).to_have_text(
        "This request cannot be replayed: the gateway refused it before it had read the whole request."
    )


def test_on_a_narrow_screen_the_details_scroll_into_view(inspected: InspectedGateway, open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 360, "height": 640})
    for number in range(30):
        inspected.gateway.get(f"/page/{'x' * (number % 12)}")
    inspected.gateway.get("/last")
    expect(page.locator("#count")).to_have_text("31 of 31 shown")
    expect(page.locator("#details")).not_to_be_in_viewport(ratio=0.3)
    page.get_by_role("button", name="GET /last").click()
    expect(page.get_by_role("heading", name="GET /last")).to_be_in_viewport()


def test_a_web_page_in_the_sign_in_is_marked_and_announced(inspected: InspectedGateway, open_page: OpenPage) -> None:
    page = open_page()
    inspected.gateway.get(DISCOVERY)
    expect(page.get_by_role("alert")).to_contain_text(
        "typescript-v1, typescript-v2, mcp-remote and inspector will stop here"
    )
    row = page.locator("#rows tr")
    expect(row).to_contain_text("⚠ breaks clients")
    red, green, blue = (
        int(channel)
        for channel in row.locator("td").first.evaluate("e => getComputedStyle(e).backgroundColor.match(/\\d+/g)")
    )
    assert red > green
    assert red > blue
    page.get_by_role("button", name="breaks clients").click()
    expect(page.locator("#details .alarm")).to_contain_text("is not valid JSON")


def test_markup_in_a_request_is_shown_as_text(inspected: InspectedGateway, open_page: OpenPage) -> None:
    page = open_page()
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    body = json.dumps({"<img src=x onerror=alert(3)>": 1}).encode()
    inspected.gateway.ask("POST", "/Home", body, {"content-type": "application/json", "user-agent": evil})
    page.get_by_role("button", name="POST /Home").click()
    expect(page.locator("#details pre").first).to_contain_text(f"user-agent: {evil}")
    expect(page.locator("#details pre").nth(1)).to_contain_text('"<img src=x onerror=alert(3)>": "[masked]"')
    assert page.locator("img").count() == 0


def test_the_page_resumes_after_a_lost_connection(inspected: InspectedGateway, open_page: OpenPage) -> None:
    page = open_page()
    inspected.gateway.get("/before")
    expect(page.locator("#count")).to_have_text("1 of 1 shown")
    page.context.set_offline(True)
    inspected.gateway.get("/between")
    page.context.set_offline(False)
    inspected.gateway.get("/after")
    expect(page.locator("#count")).to_have_text("3 of 3 shown", timeout=20_000)
    assert paths(page) == ["/after", "/between", "/before"]


@pytest.mark.skipif(bool(reason_not_to_run()), reason=str(reason_not_to_run()))
@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 1400), ("light", 360)])
def test_the_page_is_accessible(
    inspected: InspectedGateway, open_page: OpenPage, scheme: str, width: int, tmp_path: Path
) -> None:
    """With SCREENSHOTS set, this writes the pictures in docs/images."""
    for path in ("/Home", DISCOVERY, "/mcp", "/.well-known/openid-configuration", "/login?code=c0de-of-the-otter"):
        inspected.gateway.get(path)
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 760}, bypass_csp=True)
    expect(page.locator("#count")).to_have_text("5 of 5 shown")
    page.locator("#route-map summary").click()
    assert accessibility_problems(page, (PACKAGES / "axe-core" / "axe.min.js").read_text()) == []
    page.locator("#route-map summary").click()
    page.get_by_role("button", name=f"GET {DISCOVERY}").click()
    expect(page.locator("#details .alarm")).to_be_visible()
    assert accessibility_problems(page, (PACKAGES / "axe-core" / "axe.min.js").read_text()) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(STABLE_TEXTS)
    folder = IMAGES if os.environ.get("SCREENSHOTS") else tmp_path
    page.screenshot(path=folder / f"inspector-{scheme}-{width}.png")
