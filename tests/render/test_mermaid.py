"""The target mermaid: Mermaid itself draws the flowchart."""

from collections.abc import Iterator

import pytest
from helpers.browser import find_chromium, start_browser
from helpers.node import PACKAGES, reason_not_to_run
from playwright.sync_api import Page
from render.manifests import COMMITTED, MANIFESTS, apps_by_key
from routegen.manifest import Manifest
from routegen.render import RenderRequest, render

pytestmark = pytest.mark.skipif(
    find_chromium() is None or bool(reason_not_to_run()), reason=reason_not_to_run() or "there is no Chromium"
)


@pytest.fixture(scope="module")
def mermaid() -> Iterator[Page]:
    """A page that has Mermaid."""
    with start_browser() as browser:
        page = browser.new_context().new_page()
        page.add_script_tag(path=PACKAGES / "mermaid" / "dist" / "mermaid.min.js")
        page.evaluate("mermaid.initialize({startOnLoad: false})")
        yield page


def draw(mermaid: Page, text: str) -> list[str]:
    """Draw a flowchart, and return the labels of the drawing."""
    svg = mermaid.evaluate("async text => (await mermaid.render('drawing', text)).svg", text)
    drawing = mermaid.context.new_page()
    drawing.set_content(svg)
    labels: list[str] = drawing.locator(".nodeLabel, .edgeLabel").all_text_contents()
    assert drawing.locator("img, script").count() == 0
    return labels


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_every_route_key_and_app_is_in_the_drawing(manifest: Manifest, mermaid: Page) -> None:
    labels = draw(mermaid, render(RenderRequest("mermaid", manifest)))
    apps = apps_by_key(manifest)
    assert {*apps, *apps.values()} <= set(labels)
    assert ("404 of the gateway" in labels) is (manifest.default is None)


def test_a_reserved_path_is_labelled_as_reserved(mermaid: Page) -> None:
    labels = draw(mermaid, render(RenderRequest("mermaid", COMMITTED)))
    reserved = {f"reserved, {route.role}" for route in COMMITTED.routes if route.reserved}
    assert {label for label in labels if "reserved" in label} == reserved
