"""Run the AuthKit stand-in in a thread of a program or a test."""

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
    """A running stand-in.

    Attributes:
        settings: its settings; `issuer` is its URL.
        keys: its signing keys, which can sign other tokens too.
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
        port: the port; 0 selects a free port.
        auto_consent: whether it allows every client without a consent page.
        access_token_seconds: the lifetime of access tokens.
        now: the clock; a test can pass another clock.

    Raises:
        OSError: it cannot listen on the port.
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
        # The socket listens already, so an early request waits until the thread is ready.
        yield BackgroundStandIn(settings, keys)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
