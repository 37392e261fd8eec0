"""Fixtures that run routegen as a process, and projects in which it runs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.forked import run_routegen
from helpers.support import PYPROJECT, SMALL_APP, Routegen, Run


def run_in(
    directory: Path, *arguments: str | Path, env: Mapping[str, str] | None = None, forks_apps: bool = True
) -> Run:
    """Run the command in a forked process, or in a new interpreter if `env` has variables of Python."""
    variables = {**os.environ, **(env or {})}
    if not any(name.startswith("PYTHON") for name in env or ()):
        return run_routegen(directory, *map(str, arguments), environment=variables, forks_apps=forks_apps)
    done = subprocess.run(
        [sys.executable, "-m", "routegen", *map(str, arguments)],
        cwd=directory,
        env=variables,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def routegen(tmp_path: Path) -> Routegen:
    """`routegen(*arguments)` runs the real command in `tmp_path` and returns the result."""

    def run(*arguments: str | Path, cwd: Path = tmp_path, env: Mapping[str, str] | None = None) -> Run:
        return run_in(cwd, *arguments, env=env)

    return run


def make_project(directory: Path) -> None:
    (directory / "server.py").write_text(SMALL_APP)
    (directory / "pyproject.toml").write_text(PYPROJECT)
    (directory / "generated").mkdir()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a small Starlette app and its configuration; no manifest yet."""
    make_project(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of `routegen extract` for that project."""
    directory = tmp_path_factory.mktemp("project")
    make_project(directory)
    done = run_in(directory, "extract")
    assert done.code == 0, done.stderr
    return done.stdout


@pytest.fixture
def committed(project: Path, extracted: str) -> Path:
    """The file of the manifest in `project`, as extracted."""
    manifest = project / "generated" / "routes.json"
    manifest.write_text(extracted)
    return manifest
