"""The rules that every target must follow; a new target is tested without changes here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from render.manifests import COMMITTED, HOSTILE, HOSTILE_DOCUMENT
from routegen.errors import ConfigError
from routegen.manifest import Manifest, read_manifest
from routegen.render import RenderRequest, find_target, render, target_names

TARGETS = target_names()


def render_allowing_all(name: str, manifest: Manifest) -> str:
    return render(RenderRequest(name, manifest, allowed=frozenset(find_target(name).approximations)))


@pytest.mark.parametrize("name", TARGETS)
def test_it_names_its_source_and_its_command(name: str) -> None:
    text = render_allowing_all(name, COMMITTED)
    assert "enerated" in text
    assert "generated/routes.json" in text
    assert f"routegen render {name}" in text


@pytest.mark.parametrize("name", TARGETS)
def test_it_ends_in_one_newline_and_has_no_trailing_spaces(name: str) -> None:
    text = render_allowing_all(name, COMMITTED)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text(json.dumps(HOSTILE_DOCUMENT))
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from render.test_targets import *;"
        "print([render_allowing_all(name, read_manifest(Path(sys.argv[2]))) for name in TARGETS])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parents[1]), str(tmp_path / "routes.json")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("name", TARGETS)
def test_an_unknown_variable_or_approximation_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match=r"--set: .* has no variable 'otter'"):
        render(RenderRequest(name, COMMITTED, variables={"otter": "1"}))
    with pytest.raises(ConfigError, match=r"--allow: .* has no approximation 'otter'"):
        render(RenderRequest(name, COMMITTED, allowed=frozenset({"otter"})))


@pytest.mark.parametrize("name", TARGETS)
def test_a_custom_template_extends_the_packaged_one(name: str, tmp_path: Path) -> None:
    target = find_target(name)
    (tmp_path / target.template).write_text(f"{{% extends 'routegen/{name}/{target.template}' %}}")
    allowed = frozenset(target.approximations)
    output = render(RenderRequest(name, COMMITTED, allowed=allowed, templates=tmp_path))
    assert output == render_allowing_all(name, COMMITTED)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ otter }}", "'otter' is undefined"),
        ("{% if %}", "line 1"),
        ("{% include 'otter.j2' %}", "there is no template 'otter.j2'"),
    ],
)
@pytest.mark.parametrize("name", TARGETS)
def test_a_template_with_an_error_is_reported(name: str, template: str, message: str, tmp_path: Path) -> None:
    (tmp_path / find_target(name).template).write_text(template)
    with pytest.raises(ConfigError, match=message):
        render(RenderRequest(name, COMMITTED, templates=tmp_path))


RESERVED_IN_WORDS = {
    "html": "reserved, the app answers 404 itself: MCP clients ask here about /mcp",
    "markdown": "| reserved | mcp |",
    "mermaid": '"reserved#44; ',
}


@pytest.mark.parametrize("name", TARGETS)
def test_each_reserved_path_is_shown_as_reserved(name: str) -> None:
    words = RESERVED_IN_WORDS.get(name, "reserved for the 404 of mcp: MCP clients ask here about /mcp")
    assert render_allowing_all(name, COMMITTED).count(words) == sum(bool(route.reserved) for route in COMMITTED.routes)
    served_routes = tuple(route for route in COMMITTED.routes if not route.reserved)
    assert words not in render_allowing_all(name, COMMITTED.model_copy(update={"routes": served_routes}))


@pytest.mark.parametrize("name", TARGETS)
def test_without_a_default_app_there_is_no_default_route(name: str) -> None:
    text = render_allowing_all(name, COMMITTED.model_copy(update={"default": None}))
    assert "otterwiki" not in text
    if name != "html":  # the script of the page names it
        assert "$default" not in text


def test_the_hostile_manifest_is_valid(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text(json.dumps(HOSTILE_DOCUMENT))
    assert read_manifest(tmp_path / "routes.json") == HOSTILE


def test_a_custom_template_leaves_out_a_block(tmp_path: Path) -> None:
    template = "{% extends 'routegen/terraform/main.tf.j2' %}{% block permissions %}{% endblock %}"
    (tmp_path / "main.tf.j2").write_text(template)
    text = render(RenderRequest("terraform", COMMITTED, templates=tmp_path))
    assert "aws_lambda_permission" not in text
    assert "aws_apigatewayv2_route" in text


def test_values_in_a_custom_template_are_quoted(tmp_path: Path) -> None:
    """Every value that a template prints becomes a string of the target's language."""
    (tmp_path / "main.tf.j2").write_text("{{ gateway.manifest.routes[0].widened }}")
    text = render(RenderRequest("terraform", HOSTILE, templates=tmp_path))
    widened = HOSTILE.routes[0].widened
    assert widened
    assert json.loads(text.replace("$${", "${").replace("%%{", "%{")) == widened
