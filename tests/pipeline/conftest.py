"""A repository of somebody else's, with a small app and a manifest that fits it."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import PYPROJECT, SMALL_APP


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "theirs"
    (root / "generated").mkdir(parents=True)
    (root / "server.py").write_text(SMALL_APP)
    (root / "pyproject.toml").write_text(PYPROJECT)
    subprocess.run(
        [sys.executable, "-m", "routegen", "extract", "-o", "generated/routes.json"], cwd=root, check=True, timeout=60
    )
    return root
