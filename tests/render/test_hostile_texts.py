"""No text of a manifest ends a string, a comment or an element of a rendered file."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from render.manifests import BREAKING_OUT
from routegen.manifest import Manifest
from routegen.render import RenderRequest, find_target, render, target_names

TEXTS = [
    BREAKING_OUT, '"', "'", "`", "\\", '\\"', '"""', "'''", "${x}", "%{x}", "#{x}", "{{ x }}", "{% x %}", "*/", "-->",
    "]]>", "</script><img src=x>", "}; deny all;", "$(id) `id`", "| x | y |", "\u2028\u2029\u202e", "[x](javascript:1)",
]  # fmt: skip
PLAIN = r"[\w ./:;(),+@=-]*"
# Markdown and HTML show the text as it is, so they escape characters and do not replace them.
SAFE = {
    "markdown": r"(?:\\[^\w\s]|[^\\|<>`*\[\]])*",
    "html": r'(?:&[#\w]+;|[^<>"&])*',
}


def manifest(texts: list[str]) -> Manifest:
    """A manifest that has each text in every place that takes one."""
    base, routes = {"methods": ["ANY"], "app": "mcp", "role": "other"}, []
    for number, text in enumerate(f"begin7{text}7end" for text in texts):
        path, reserved = f"/a{number:02}", f"/b{number:02}"
        routes += [{**base, "path": path, "route_keys": [f"ANY {path}"], "spec": text, "widened": text}]
        routes += [{**base, "path": reserved, "route_keys": [f"ANY {reserved}"], "methods": [], "reserved": text}]
    routes.sort(key=lambda route: str(route["path"]))
    return Manifest.model_validate_json(json.dumps({"version": 1, "default": "wiki", "routes": routes}))


class Tags(HTMLParser):
    """The tags of a page, each with the number of its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{tag} {len(attrs)}")

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")


@pytest.mark.parametrize("name", target_names())
@pytest.mark.reliability("hostile texts of a manifest in rendered files")
def test_a_text_of_the_manifest_stays_within_its_place(name: str, count_attacks: Callable[[int], None]) -> None:
    count_attacks(len(TEXTS))
    allowed = frozenset(find_target(name).approximations)
    harmless = render(RenderRequest(name, manifest(["otter"] * len(TEXTS)), allowed=allowed))
    output = render(RenderRequest(name, manifest(TEXTS), allowed=allowed))
    assert output.count("\n") == harmless.count("\n")
    without_data = re.sub(r"(?s)<script type=\"application/json\".*?</script>", "<script></script>", output)
    places = re.findall(r"begin7(.*?)7end", without_data)
    assert len(places) == harmless.count("begin7otter7end") - (len(TEXTS) if name == "html" else 0)
    assert [place for place in places if not re.fullmatch(SAFE.get(name, PLAIN), place)] == []
    assert name != "html" or Tags(output).tags == Tags(harmless).tags
