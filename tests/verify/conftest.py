"""Fixtures: `verify` runs in the process of the tests, against stacks of `broken_stack`."""

from collections.abc import Callable
from typing import Any

import pytest
from helpers.certificate import certificate
from routegen.report import Report
from routegen.verify.deployment import Deployment
from routegen.verify.fetcher import Fetcher, TimeLimits
from routegen.verify.mcp_messages import INITIALIZE
from routegen.verify.ssrf_guard import SsrfGuard
from routegen.verify.verification import VerifyPlan, verify
from verify.broken_stack import MANIFEST, Stack

__all__ = ["certificate"]

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
