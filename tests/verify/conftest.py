"""Fixtures: `verify` runs in the process of the tests, against stacks of `broken_stack`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from routegen.report import Report
from routegen.verify.deployment import Deployment
from routegen.verify.fetcher import Fetcher, TimeLimits
from routegen.verify.mcp_messages import INITIALIZE
from routegen.verify.ssrf_guard import SsrfGuard
from routegen.verify.verification import VerifyPlan, verify
from verify.broken_stack import MANIFEST, Stack

VerifyStack = Callable[..., Report]


@pytest.fixture(scope="session")
def verify_stack() -> VerifyStack:
    """`verify_stack(stack)` verifies the sign-in of a stack; with `routes=True`, also its routes and a page."""

    def verify_one(stack: Stack, *, routes: bool = False, token: str | None = None, **options: Any) -> Report:
        manifest = options.pop("manifest", MANIFEST) if routes else None
        deployment = Deployment(stack.deployment, manifest, ("/Home",) if routes else ())
        limits = options.pop("limits", TimeLimits(1.0, 10.0))
        guard = SsrfGuard.for_url(stack.deployment, allow_private=False)
        fetcher = Fetcher(guard, limits, {stack.mcp_url: INITIALIZE}, token)
        return verify(VerifyPlan((stack.mcp_url,), deployment, **options), fetcher)

    return verify_one


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with a key and a self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file
