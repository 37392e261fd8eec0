"""Requests to loopback without a proxy, and without loading the certificates of authorities for each client."""

from functools import cache

import httpx2
import pytest

_create_ssl_context = cache(httpx2.create_ssl_context)


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("httpx2._transports.default.create_ssl_context", _create_ssl_context)
