"""Caddy: what the other reverse proxies don't have."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from differential.servers import command, environment
from render.manifests import COMMITTED, HOSTILE
from render.test_proxies import HARMLESS, ONE_WORD, checked, written
from routegen.manifest import Manifest
from routegen.render import Request, find_target, render


def caddy(*arguments: str, folder: Path, text: str = "", **more: str) -> str:
    program = command("caddy", folder)[0]
    done = subprocess.run(
        [program, *arguments], input=text, capture_output=True, text=True, check=True, env=environment(folder) | more
    )
    return done.stdout


def adapted(config: Path, **more: str) -> Any:
    """The configuration as Caddy itself has it."""
    said = caddy("adapt", "--adapter", "caddyfile", "--config", str(config), folder=config.parent, **more)
    return json.loads(said)


def handlers(document: Any, name: str) -> list[Any]:
    """Every handler of a name, wherever it stands."""
    if isinstance(document, list):
        return [found for one in document for found in handlers(one, name)]
    if not isinstance(document, dict):
        return []
    own = [document] if document.get("handler") == name else []
    return own + [found for one in document.values() for found in handlers(one, name)]


@pytest.mark.parametrize("form", ["standalone", "include"])
@pytest.mark.parametrize("manifest", [COMMITTED, HOSTILE], ids=["committed", "hostile"])
def test_it_is_formatted_as_caddy_does(form: str, manifest: Manifest, tmp_path: Path) -> None:
    text = written("caddy", tmp_path, manifest, form=form).read_text()
    assert caddy("fmt", "-", folder=tmp_path, text=text) == text


@pytest.mark.parametrize("manifest", [COMMITTED, HOSTILE], ids=["committed", "hostile"])
def test_each_route_stands_as_it_is_meant_once_caddy_has_read_it(manifest: Manifest, tmp_path: Path) -> None:
    (table,) = handlers(adapted(written("caddy", tmp_path, manifest)), "map")
    found = [
        (re.compile(one["input_regexp"].replace(r"\z", r"\Z").replace(r"\x{2028}", "\u2028")), one["outputs"])
        for one in table["mappings"]
    ]
    assert len(found) == len(manifest.routes)
    assert table["defaults"] == [manifest.default]
    for route in manifest.routes:
        path = unquote(route.path.replace("{name}", "x").replace("{rest+}", "y").replace("{proxy+}", "y"))
        method = "GET" if route.methods == ("GET",) else "PUT"
        assert next(app for regex, (app,) in found if regex.match(f"{method} {path}")) == route.app


def test_the_environment_says_where_an_app_is(tmp_path: Path) -> None:
    config = written("caddy", tmp_path, COMMITTED, **{"upstream.otterwiki": "wiki:80"})
    dials = [one["upstreams"][0]["dial"] for one in handlers(adapted(config, UPSTREAM_MCP="mcp:1"), "reverse_proxy")]
    assert dials == ["mcp:1", "wiki:80"]


def test_a_caddyfile_of_one_s_own_imports_it(tmp_path: Path) -> None:
    (tmp_path / "routes.caddy").write_text(render(Request("caddy", COMMITTED, variables={"form": "include"})))
    mine = tmp_path / "Caddyfile"
    mine.write_text("import routes.caddy\n\nhttp://wiki.test {\n\timport routegen\n}\n")
    checked("caddy", mine)
    assert len(handlers(adapted(mine), "reverse_proxy")) == 2


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_is_the_same_when_caddy_has_read_it(text: str, tmp_path: Path) -> None:
    quote = find_target("caddy").quote
    assert quote
    (tmp_path / "Caddyfile").write_text(ONE_WORD["caddy"].replace("respond WORD", f"respond /x {quote(text)}"))
    (said,) = handlers(adapted(tmp_path / "Caddyfile"), "static_response")
    assert said.get("body", "") == text
