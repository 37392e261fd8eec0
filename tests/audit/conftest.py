"""moto's AWS with the manifest's gateway in it, and the real command in this process, which moto needs."""

from collections.abc import Callable, Iterator

import pytest
from audit.deployment import MANIFEST, REGION, Deployment
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
def deployment() -> Deployment:
    """The manifest, deployed as it should be."""
    return Deployment(read_manifest(MANIFEST)).up()


@pytest.fixture
def audit(capfd: pytest.CaptureFixture[str]) -> Audit:
    """`audit(*arguments)` runs `routegen audit` on the repository's manifest."""

    def run_(*arguments: str) -> Run:
        capfd.readouterr()
        code = run(routegen, State(), ["audit", "--manifest", str(MANIFEST), *arguments])
        said = capfd.readouterr()
        return Run(code, said.out, said.err)

    return run_
