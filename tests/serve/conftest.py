"""Gateways on loopback, in a thread of the test's."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from routegen.config import read_config
from routegen.serve.serve_settings import Settings
from serve.running import Running, Start, running, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


@pytest.fixture
def start(project: Path) -> Iterator[Start]:
    """Start the gateway of `project` with settings; it ends with the test."""
    with ExitStack() as stack:

        def begin(**settings: Any) -> Running:
            config = read_config(project / "pyproject.toml")
            return stack.enter_context(running(config, Settings(**settings)))

        yield begin


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One gateway for a module, whose tests leave it as they found it."""
    root = write_project(tmp_path_factory.mktemp("project"))
    with running(read_config(root / "pyproject.toml"), Settings()) as one:
        yield one
