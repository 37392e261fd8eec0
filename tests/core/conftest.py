"""The real command as a real process, and projects to run it in."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support import PYPROJECT, SMALL_APP, Routegen, Run


@pytest.fixture
def routegen(tmp_path: Path) -> Routegen:
    """`routegen(*arguments)` runs the real command in `tmp_path` and returns what it has done."""

    def run(*arguments: str | Path, cwd: Path = tmp_path, env: Mapping[str, str] | None = None) -> Run:
        done = subprocess.run(
            [sys.executable, "-m", "routegen", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a small Starlette app and its configuration; no manifest yet."""
    (tmp_path / "server.py").write_text(SMALL_APP)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "generated").mkdir()
    return tmp_path


@pytest.fixture
def committed(project: Path, routegen: Routegen) -> Path:
    """The manifest of `project`, as extracted."""
    manifest = project / "generated" / "routes.json"
    done = routegen("extract", "-o", manifest)
    assert done.code == 0, done.stderr
    return manifest
