"""The flowchart, drawn by Mermaid itself."""

import pytest
from helpers.browser import browser, chromium
from helpers.node import PACKAGES, why_not
from render.manifests import COMMITTED, HOSTILE
from routegen.manifest import Manifest
from routegen.render import Request, render

pytestmark = pytest.mark.skipif(chromium() is None or bool(why_not()), reason=why_not() or "there is no Chromium")


def drawn(text: str) -> list[str]:
    """The labels of the drawing."""
    with browser() as one:
        page = one.new_page()
        page.add_script_tag(path=PACKAGES / "mermaid" / "dist" / "mermaid.min.js")
        page.evaluate("mermaid.initialize({startOnLoad: false})")
        svg = page.evaluate("async text => (await mermaid.render('drawing', text)).svg", text)
        page.set_content(svg)
        labels: list[str] = page.locator(".nodeLabel, .edgeLabel").all_text_contents()
        assert page.locator("img, script").count() == 0
        return labels


@pytest.mark.parametrize("manifest", [COMMITTED, HOSTILE], ids=["committed", "hostile"])
def test_every_route_key_and_app_is_in_the_drawing(manifest: Manifest) -> None:
    labels = drawn(render(Request("mermaid", manifest)))
    keys = {key for route in manifest.routes for key in route.route_keys}
    apps = {route.app for route in manifest.routes}
    assert {*keys, *apps, "$default", manifest.default} <= set(labels)
