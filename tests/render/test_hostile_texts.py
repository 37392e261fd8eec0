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


def manifest(text: str) -> Manifest:
    base = {"methods": ["ANY"], "app": "mcp", "role": "other"}
    routes = [
        {**base, "path": "/a", "route_keys": ["ANY /a"], "spec": f"begin7{text}7end", "widened": f"begin7{text}7end"},
        {**base, "path": "/b", "route_keys": ["ANY /b"], "methods": [], "reserved": f"begin7{text}7end"},
    ]
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
    harmless = render(RenderRequest(name, manifest("otter"), allowed=allowed))
    for text in TEXTS:
        output = render(RenderRequest(name, manifest(text), allowed=allowed))
        assert output.count("\n") == harmless.count("\n"), text
        without_data = re.sub(r"(?s)<script type=\"application/json\".*?</script>", "<script></script>", output)
        places = re.findall(r"begin7(.*?)7end", without_data)
        assert all(re.fullmatch(SAFE.get(name, PLAIN), place) for place in places), (text, places)
        assert name != "html" or Tags(output).tags == Tags(harmless).tags, text
