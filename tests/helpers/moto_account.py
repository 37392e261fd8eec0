"""The fixture `moto_account`: an AWS account in this process, without the configuration of this machine."""

from collections.abc import Iterator

import pytest

REGION = "eu-central-1"


@pytest.fixture
def moto_account(monkeypatch: pytest.MonkeyPatch, aws_models: None) -> Iterator[None]:
    from moto import mock_aws  # its import takes long, and few tests need it

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
