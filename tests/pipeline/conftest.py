"""A user's repository with a small app and its manifest."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import PYPROJECT, SMALL_APP


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "generated").mkdir(parents=True)
    (root / "server.py").write_text(SMALL_APP)
    (root / "pyproject.toml").write_text(PYPROJECT)
    subprocess.run(
        [sys.executable, "-m", "routegen", "extract", "-o", "generated/routes.json"], cwd=root, check=True, timeout=60
    )
    return root
