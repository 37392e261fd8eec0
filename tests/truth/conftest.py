"""Requests to loopback without a proxy, and authorization servers with keys that exist already."""

from collections.abc import Iterator
from itertools import cycle

import pytest
from joserfc.jwk import RSAKey

from dev.authkit import stand_in_state

_KEYS = 8
"""More keys than the authorization servers of one test have."""


@pytest.fixture(scope="session")
def signing_keys() -> Iterator[RSAKey]:
    """Keys for the stand-ins of AuthKit. To generate one takes more CPU time than most tests."""
    return cycle([stand_in_state._new_key() for _ in range(_KEYS)])


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch, signing_keys: Iterator[RSAKey]) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(stand_in_state, "_new_key", lambda: next(signing_keys))
