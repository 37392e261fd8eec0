"""A user's repository with a small app and its manifest."""

from pathlib import Path

import pytest
from helpers.project import make_project


def make_repository(folder: Path, manifest: str) -> Path:
    root = folder / "repository"
    root.mkdir()
    make_project(root)
    (root / "generated" / "routes.json").write_text(manifest)
    return root


@pytest.fixture
def repository(tmp_path: Path, extracted: str) -> Path:
    return make_repository(tmp_path, extracted)
