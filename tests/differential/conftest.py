"""Fixtures of the differential tests."""

import os
from collections.abc import Iterator

import pytest
from differential.manifests import MAX_APPS
from differential.servers import run_upstreams
from helpers.certificate import certificate
from render.manifests import HOSTILE

__all__ = ["certificate"]


@pytest.fixture(scope="session")
def seed() -> str:
    """The seed of the random manifests and requests: the same in each run, unless DIFFERENTIAL_SEED is set."""
    return os.environ.get("DIFFERENTIAL_SEED", "otter")


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The addresses of apps whose responses contain the app's number."""
    with run_upstreams(max(MAX_APPS, len(HOSTILE.app_names)), tmp_path_factory.mktemp("apps")) as addresses:
        yield addresses
