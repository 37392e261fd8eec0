"""The command `routegen render`, run as a process."""

from pathlib import Path

import pytest
from helpers.forked import run_routegen
from helpers.support import PROJECT, Run
from routegen.render import target_names

SMALL = '{"version": 1, "default": "wiki", "routes": []}'


def run_render(*arguments: str) -> Run:
    return run_routegen(PROJECT, "render", *arguments)


def test_stdout_and_output_are_the_same(tmp_path: Path) -> None:
    printed = run_render("markdown")
    with_output = run_render("markdown", "-o", str(tmp_path / "ROUTES.md"))
    assert (printed.code, printed.stderr) == (with_output.code, with_output.stdout) == (0, "")
    assert (tmp_path / "ROUTES.md").read_text() == printed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["markdwon"], 2, "there is no target 'markdwon'; the nearest is 'markdown'"),
        (["markdown", "--set", "x"], 2, "--set: 'x' is not NAME=VALUE"),
        (["markdown", "--manifest", "otter.json"], 4, "otter.json"),
        (["markdown", "--template", "otter"], 2, "otter"),
        ([], 2, "`routegen render --list` shows the targets"),
    ],
)
def test_an_error_is_one_line_and_does_not_change_the_file(
    arguments: list[str], code: int, message: str, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("earlier output")
    result = run_render(*arguments, "-o", str(tmp_path / "out"))
    assert (result.code, result.stdout) == (code, "")
    assert message in result.error
    assert "Traceback" not in result.stderr
    assert (tmp_path / "out").read_text() == "earlier output"


def test_the_output_names_a_manifest_without_its_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text(SMALL)
    result = run_render("markdown", "--manifest", str(tmp_path / "routes.json"))
    assert result.code == 0
    assert "from routes.json" in result.stdout
    assert str(tmp_path) not in result.stdout


def test_the_list_has_every_target() -> None:
    result = run_render("--list")
    assert result.code == 0
    listed_targets = [line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert listed_targets == list(target_names())
