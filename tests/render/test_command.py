"""`routegen render` as people run it."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import PROJECT, Run

SMALL = '{"version": 1, "default": "wiki", "routes": []}'


def render(*arguments: str, here: Path = PROJECT) -> Run:
    command = [sys.executable, "-m", "routegen", "render", *arguments]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout, done.stderr)


def test_stdout_and_output_are_the_same(tmp_path: Path) -> None:
    printed = render("markdown")
    written = render("markdown", "-o", str(tmp_path / "ROUTES.md"))
    assert (printed.code, printed.stderr) == (written.code, written.stdout) == (0, "")
    assert (tmp_path / "ROUTES.md").read_text() == printed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["markdwon"], 2, "there is no target 'markdwon'; the nearest is 'markdown'"),
        (["markdown", "--set", "x"], 2, "--set: 'x' is not NAME=VALUE"),
        (["markdown", "--manifest", "otter.json"], 4, "otter.json"),
        (["markdown", "--template", "otter"], 2, "otter"),
        ([], 2, "`routegen render --list` shows them"),
    ],
)
def test_what_can_t_be_is_one_line_and_leaves_the_file_alone(
    arguments: list[str], code: int, says: str, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("what was there")
    done = render(*arguments, "-o", str(tmp_path / "out"))
    assert (done.code, done.stdout) == (code, "")
    assert says in done.error
    assert "Traceback" not in done.stderr
    assert (tmp_path / "out").read_text() == "what was there"


def test_a_manifest_elsewhere_is_named_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text(SMALL)
    done = render("markdown", "--manifest", str(tmp_path / "routes.json"))
    assert done.code == 0
    assert "from routes.json" in done.stdout
    assert str(tmp_path) not in done.stdout


def test_the_list_has_every_target() -> None:
    done = render("--list")
    assert done.code == 0
    assert "markdown" in done.stdout
