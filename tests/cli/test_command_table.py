"""The lazy command table."""

import pytest
from routegen.cli import COMMANDS, LazyCommand, routegen
from routegen.cli.failures import State, run


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if command.extra], ids=lambda command: command.name
)
def test_a_command_without_its_package_says_what_to_install(
    command: LazyCommand, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("routegen.cli.find_spec", lambda _: None)
    assert run(routegen, State(), [command.name, "--anything"]) == 2
    needs = f"routegen {command.name} needs {command.packages[0]}, which the extra `{command.extra}` has"
    expected = f"{needs}: pip install {' '.join(command.packages)}\n"
    assert expected in capfd.readouterr().err
