"""Fixtures: the manifest's gateway in moto, and the command in this process, because moto works only in one process."""

from collections.abc import Callable

import pytest
from audit.moto_deployment import MANIFEST, MotoDeployment
from helpers.support import Run
from routegen.cli import routegen
from routegen.cli.failures import State, run
from routegen.manifest import read_manifest

Audit = Callable[..., Run]


@pytest.fixture(autouse=True)
def _aws(moto_account: None) -> None:
    """Every test has an AWS account in moto."""


@pytest.fixture
def deployment() -> MotoDeployment:
    """The manifest, deployed without a fault."""
    return MotoDeployment(read_manifest(MANIFEST)).create()


@pytest.fixture
def audit(capfd: pytest.CaptureFixture[str]) -> Audit:
    """`audit(*arguments)` runs `routegen audit` on the repository's manifest."""

    def run_audit(*arguments: str) -> Run:
        capfd.readouterr()
        code = run(routegen, State(), ["audit", "--manifest", str(MANIFEST), *arguments])
        output = capfd.readouterr()
        return Run(code, output.out, output.err)

    return run_audit
