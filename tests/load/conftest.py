"""The command `routegen` of this room imports apps as users do: in new interpreters."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.project import run_in
from helpers.support import Routegen, Run


@pytest.fixture
def routegen(tmp_path: Path) -> Routegen:
    """`routegen(*arguments)` runs the real command in `tmp_path`, with new interpreters for the apps."""

    def run(*arguments: str | Path, cwd: Path = tmp_path, env: Mapping[str, str] | None = None) -> Run:
        return run_in(cwd, *arguments, env=env, forks_apps=False)

    return run
