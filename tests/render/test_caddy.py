"""The target caddy: the tests that the other reverse proxies do not share."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from differential.servers import environment, server_command
from render.manifests import COMMITTED, MANIFESTS
from render.test_proxies import CONFIGS_WITH_A_WORD, QUOTABLE_TEXTS, check_config, write_config
from routegen.manifest import Manifest
from routegen.render import RenderRequest, find_target, render


def run_caddy(*arguments: str, folder: Path, text: str = "", **variables: str) -> str:
    program = server_command("caddy", folder)[0]
    done = subprocess.run(
        [program, *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        env=environment(folder) | variables,
    )
    return done.stdout


def adapt(config: Path, **variables: str) -> Any:
    """Convert a Caddyfile into Caddy's JSON configuration."""
    adapted = run_caddy("adapt", "--adapter", "caddyfile", "--config", str(config), folder=config.parent, **variables)
    return json.loads(adapted)


def handlers(document: Any, name: str) -> list[Any]:
    """Every handler with a name, at any depth of a JSON configuration."""
    if isinstance(document, list):
        return [handler for item in document for handler in handlers(item, name)]
    if not isinstance(document, dict):
        return []
    matching = [document] if document.get("handler") == name else []
    return matching + [handler for item in document.values() for handler in handlers(item, name)]


@pytest.mark.parametrize("form", ["standalone", "include"])
@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_caddy_fmt_changes_nothing(form: str, manifest: Manifest, tmp_path: Path) -> None:
    text = write_config("caddy", tmp_path, manifest, form=form).read_text()
    assert run_caddy("fmt", "-", folder=tmp_path, text=text) == text


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_caddy_reads_the_expression_of_each_route_as_intended(manifest: Manifest, tmp_path: Path) -> None:
    (table,) = handlers(adapt(write_config("caddy", tmp_path, manifest)), "map")
    expressions = [
        (re.compile(row["input_regexp"].replace(r"\z", r"\Z").replace(r"\x{2028}", "\u2028")), row["outputs"])
        for row in table["mappings"]
    ]
    assert len(expressions) == len(manifest.routes)
    assert table["defaults"] == [manifest.default or "-"]
    for route in manifest.routes:
        path = unquote(route.path.replace("{name}", "x").replace("{rest+}", "y").replace("{proxy+}", "y"))
        method = "GET" if route.methods == ("GET",) else "PUT"
        assert next(app for regex, (app,) in expressions if regex.match(f"{method} {path}")) == route.app


def test_an_environment_variable_sets_the_address_of_an_app(tmp_path: Path) -> None:
    config = write_config("caddy", tmp_path, COMMITTED, **{"upstream.otterwiki": "wiki:80"})
    dials = [proxy["upstreams"][0]["dial"] for proxy in handlers(adapt(config, UPSTREAM_MCP="mcp:1"), "reverse_proxy")]
    assert dials == ["mcp:1", "wiki:80"]


def test_a_caddyfile_can_import_it(tmp_path: Path) -> None:
    (tmp_path / "routes.caddy").write_text(render(RenderRequest("caddy", COMMITTED, variables={"form": "include"})))
    user_config = tmp_path / "Caddyfile"
    user_config.write_text("import routes.caddy\n\nhttp://wiki.test {\n\timport routegen\n}\n")
    check_config("caddy", user_config)
    assert len(handlers(adapt(user_config), "reverse_proxy")) == 2


@pytest.mark.parametrize("text", QUOTABLE_TEXTS)
def test_caddy_reads_a_quoted_text_unchanged(text: str, tmp_path: Path) -> None:
    quote = find_target("caddy").quote
    assert quote
    (tmp_path / "Caddyfile").write_text(
        CONFIGS_WITH_A_WORD["caddy"].replace("respond WORD", f"respond /x {quote(text)}")
    )
    (response,) = handlers(adapt(tmp_path / "Caddyfile"), "static_response")
    assert response.get("body", "") == text
