"""The stand-in in a thread, for a program or a test that needs one beside itself."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from dev.authkit.oauth_endpoints import build_app
from dev.authkit.stand_in_settings import StandInSettings
from dev.authkit.stand_in_state import Clock, SigningKeys


@dataclass(frozen=True)
class BackgroundStandIn:
    """A stand-in that answers.

    Attributes:
        settings: `issuer` is its URL.
        keys: what it signs with, for whoever wants to make a token of their own.
    """

    settings: StandInSettings
    keys: SigningKeys


@contextmanager
def run_in_background(
    resources: frozenset[str],
    *,
    port: int = 0,
    auto_consent: bool = False,
    access_token_seconds: int = StandInSettings.access_token_seconds,
    now: Clock = time.time,
) -> Iterator[BackgroundStandIn]:
    """Run a stand-in on 127.0.0.1 until the block ends.

    Args:
        resources: its Resource Indicators.
        port: 0 for one that is free.
        auto_consent: whether nobody is asked.
        access_token_seconds: how long a token lives.
        now: for tests that let time pass.

    Raises:
        OSError: the port can't be had.
    """
    listening = socket.create_server(("127.0.0.1", port))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = StandInSettings(url, resources, auto_consent=auto_consent, access_token_seconds=access_token_seconds)
    keys = SigningKeys(access_token_seconds, now)
    app = build_app(settings, now, keys)
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        # The socket listens already: who asks before the thread is ready waits a moment.
        yield BackgroundStandIn(settings, keys)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
