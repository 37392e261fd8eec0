"""What every target keeps, now and when one is added."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from render.manifests import COMMITTED, HOSTILE, HOSTILE_DOCUMENT
from routegen.errors import ConfigError
from routegen.manifest import Manifest, read_manifest
from routegen.render import Request, find_target, render, target_names

TARGETS = target_names()


def allow_all(name: str, manifest: Manifest) -> str:
    return render(Request(name, manifest, allowed=frozenset(find_target(name).approximations)))


@pytest.mark.parametrize("name", TARGETS)
def test_it_says_that_it_is_generated_from_what_and_by_which_command(name: str) -> None:
    text = allow_all(name, COMMITTED)
    assert "enerated" in text
    assert "generated/routes.json" in text
    assert f"routegen render {name}" in text


@pytest.mark.parametrize("name", TARGETS)
def test_it_ends_in_one_newline_and_has_no_trailing_blanks(name: str) -> None:
    text = allow_all(name, COMMITTED)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text(json.dumps(HOSTILE_DOCUMENT))
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from render.test_targets import *;"
        "print([allow_all(name, read_manifest(Path(sys.argv[2]))) for name in TARGETS])"
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
def test_what_can_be_set_or_allowed_is_named_when_it_is_not_there(name: str) -> None:
    with pytest.raises(ConfigError, match=r"--set: .* has no 'otter'"):
        render(Request(name, COMMITTED, variables={"otter": "1"}))
    with pytest.raises(ConfigError, match=r"--allow: .* has no approximation 'otter'"):
        render(Request(name, COMMITTED, allowed=frozenset({"otter"})))


@pytest.mark.parametrize("name", TARGETS)
def test_a_user_s_template_extends_ours(name: str, tmp_path: Path) -> None:
    target = find_target(name)
    (tmp_path / target.template).write_text(f"{{% extends 'routegen/{name}/{target.template}' %}}")
    allowed = frozenset(target.approximations)
    mine = render(Request(name, COMMITTED, allowed=allowed, templates=tmp_path))
    assert mine == allow_all(name, COMMITTED)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ otter }}", "'otter' is undefined"),
        ("{% if %}", "line 1"),
        ("{% include 'otter.j2' %}", "there is no template 'otter.j2'"),
    ],
)
@pytest.mark.parametrize("name", TARGETS)
def test_a_template_that_can_t_be_used_is_said(name: str, template: str, says: str, tmp_path: Path) -> None:
    (tmp_path / find_target(name).template).write_text(template)
    with pytest.raises(ConfigError, match=says):
        render(Request(name, COMMITTED, templates=tmp_path))


def test_the_hostile_manifest_is_a_valid_one(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text(json.dumps(HOSTILE_DOCUMENT))
    assert read_manifest(tmp_path / "routes.json") == HOSTILE


def test_a_user_s_template_leaves_out_a_block(tmp_path: Path) -> None:
    ours = "{% extends 'routegen/terraform/main.tf.j2' %}{% block permissions %}{% endblock %}"
    (tmp_path / "main.tf.j2").write_text(ours)
    text = render(Request("terraform", COMMITTED, templates=tmp_path))
    assert "aws_lambda_permission" not in text
    assert "aws_apigatewayv2_route" in text


def test_a_user_s_template_can_t_forget_to_quote(tmp_path: Path) -> None:
    """What it prints is a string of the target's language, whatever it holds."""
    (tmp_path / "main.tf.j2").write_text("{{ gateway.manifest.routes[0].widened }}")
    text = render(Request("terraform", HOSTILE, templates=tmp_path))
    widened = HOSTILE.routes[0].widened
    assert widened
    assert json.loads(text.replace("$${", "${").replace("%%{", "%{")) == widened
