"""What the differential tests share."""

import os
from collections.abc import Iterator

import pytest
from differential.manifests import MOST_APPS
from differential.servers import upstreams


@pytest.fixture(scope="session")
def seed() -> str:
    """What the random manifests and requests start from: the same in each run, unless the environment says another."""
    return os.environ.get("DIFFERENTIAL_SEED", "otter")


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Apps that say who they are; where each is."""
    with upstreams(MOST_APPS, tmp_path_factory.mktemp("apps")) as where:
        yield where
