"""Fixtures: the manifest's gateway in moto, and the command in this process, because moto works only in one process."""

from collections.abc import Callable, Iterator

import pytest
from audit.moto_deployment import MANIFEST, REGION, MotoDeployment
from helpers.support import Run
from moto import mock_aws
from routegen.cli import routegen
from routegen.cli.failures import State, run
from routegen.manifest import read_manifest

Audit = Callable[..., Run]


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch, aws_models: None) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with mock_aws():
        yield


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
