"""Options that several commands share: the environment of the apps, and the folder of the project."""

import os
from pathlib import Path

import pytest
from helpers.support import SMALL_APP, Routegen
from routegen.cli.env_file import read_env_file
from routegen.errors import ConfigError


def test_an_env_file_has_comments_quotes_and_names_of_your_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "from the caller")
    monkeypatch.delenv("NOT_MINE", raising=False)
    file = tmp_path / ".env"
    file.write_text(
        "\ufeff# a comment\n\nPLAIN=a b=c # comment\nexport EXPORTED=x\nEMPTY=\nHASH=a#b\r\n"
        'DOUBLE="two\\nlines \\"x\\"" # comment\nSINGLE=\'a # \\n\'\n SPACES = x \nMINE\nNOT_MINE\n',
        encoding="utf-8",
    )
    assert read_env_file(file) == {
        "PLAIN": "a b=c",
        "EXPORTED": "x",
        "EMPTY": "",
        "HASH": "a#b",
        "DOUBLE": 'two\nlines "x"',
        "SINGLE": "a # \\n",
        "SPACES": "x",
        "MINE": "from the caller",
    }


@pytest.mark.parametrize("line", ["no name here", "=x", "1A=x"])
def test_a_line_of_another_form_is_an_error(tmp_path: Path, line: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"A=1\n{line}\n")
    with pytest.raises(ConfigError, match="line 2: write NAME=VALUE"):
        read_env_file(file)


def test_options_have_priority_over_files_and_files_over_the_configuration(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(
        f"import os\n{SMALL_APP}\nfor name in 'ABC':\n"
        "    app.router.routes.append(Route('/' + os.environ[name], answer))\n"
    )
    with (project / "pyproject.toml").open("a") as file:
        file.write('env = { A = "a-key", B = "b-key", C = "c-key" }\n')
    (project / "variables").write_text("B=b-file\nC=c-file\n")
    done = routegen("extract", "--env-file", "variables", "--env", "C=c-option")
    assert done.code == 0, done.stderr
    for path in ("/a-key", "/b-file", "/c-option"):
        assert f'"path": "{path}"' in done.stdout


def test_the_project_can_be_in_another_folder(
    project: Path, routegen: Routegen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert routegen("extract", "--project", project, "--write", cwd=elsewhere).code == 0
    assert routegen("list", "-C", project, cwd=elsewhere).code == 0
    (project / "server.py").write_text(SMALL_APP.replace("/items", "/things"))
    done = routegen("check", "-C", project, cwd=elsewhere)
    assert done.code == 1
    assert f"routegen extract --project {os.path.relpath(project, elsewhere)} --write\n" in done.stdout
