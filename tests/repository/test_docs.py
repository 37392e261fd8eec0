"""The documents say what the program does."""

import runpy
import tomllib
from pathlib import Path

import pytest
from helpers.support import PROJECT
from routegen import __version__
from routegen.cli import COMMANDS, routegen
from routegen.cli.failures import State, run


def test_the_command_reference_is_current() -> None:
    page = runpy.run_path(str(PROJECT / "dev" / "docs" / "cli_reference.py"))["reference"]()
    assert (PROJECT / "docs" / "cli.md").read_text() == page, "run `make docs`"


def test_the_page_of_the_configuration_is_current() -> None:
    page = runpy.run_path(str(PROJECT / "dev" / "docs" / "configuration_reference.py"))["reference"]()
    assert (PROJECT / "docs" / "configuration.md").read_text() == page, "run `make docs`"


def test_the_shell_completes_commands_options_and_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "_ROUTEGEN_COMPLETE=bash_source routegen" in (PROJECT / "README.md").read_text()
    monkeypatch.setenv("_ROUTEGEN_COMPLETE", "bash_complete")
    for words, completion in (("ch", "check"), ("check --form", "--format"), ("check --format s", "sarif")):
        monkeypatch.setenv("COMP_WORDS", f"routegen {words}")
        monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
        with pytest.raises(SystemExit):
            run(routegen, State(), [])
        assert capsys.readouterr().out == f"plain,{completion}\n"


def test_every_command_has_an_example() -> None:
    for command in COMMANDS:
        assert f"routegen {command.name}" in (command.load().epilog or ""), command.name


def test_a_command_has_the_name_that_the_table_gives_it() -> None:
    assert [command.load().name for command in COMMANDS] == [command.name for command in COMMANDS]


def test_the_changelog_has_the_package_s_version() -> None:
    assert f"\n## {__version__}\n" in (PROJECT / "CHANGELOG.md").read_text()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    requirements = [
        *project["project"]["dependencies"],
        *(one for extra in project["project"]["optional-dependencies"].values() for one in extra),
        *(name for group in project["dependency-groups"].values() for name in group if isinstance(name, str)),
    ]
    lambdas = [Path("app/poc/mcp_package/requirements.in"), Path("app/otterwiki/requirements.in")]
    for file in lambdas:
        requirements += [line for line in (PROJECT / file).read_text().splitlines() if line and line[0] != "#"]
    reasons = (PROJECT / "docs" / "dependencies.md").read_text()
    for requirement in requirements:
        name = requirement.split(">")[0].split("[")[0].split("=")[0]
        assert f"| {name} |" in reasons, name
