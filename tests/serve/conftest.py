"""Gateways on loopback, in a thread of the test."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from routegen.config import read_config
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, StartGateway, running_gateway, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


@pytest.fixture
def start(project: Path) -> Iterator[StartGateway]:
    """Start the gateway of `project` with settings; it ends with the test."""
    with ExitStack() as stack:

        def start_gateway(**settings: Any) -> RunningGateway:
            config = read_config(project / "pyproject.toml")
            return stack.enter_context(running_gateway(config, ServeSettings(**settings)))

        yield start_gateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One gateway for all tests of a module, which must not change it."""
    root = write_project(tmp_path_factory.mktemp("project"))
    with running_gateway(read_config(root / "pyproject.toml"), ServeSettings()) as module_gateway:
        yield module_gateway
