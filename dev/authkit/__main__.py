"""`python -m dev.authkit`: serve the stand-in on loopback until Ctrl-C."""

import json
import os
import re
import socket
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click
import uvicorn

from dev.authkit.oauth_endpoints import build_app
from dev.authkit.stand_in_settings import StandInSettings, is_loopback, is_resource

ABOUT = "AuthKit stand-in, for development only: it lets everyone in and forgets everything when it ends"


class _AnnouncingServer(uvicorn.Server):
    """Tells where it is once it can answer."""

    def __init__(self, config: uvicorn.Config, announce: str) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._announce, flush=True)


def _listen(host: str, port: int) -> socket.socket:
    if not is_loopback(host):
        _fail(f"{host} is not loopback; this stand-in listens on 127.0.0.1, ::1 or localhost alone")
    address = "127.0.0.1" if host == "localhost" else host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listening = socket.create_server((address, port), family=family)
    except OSError as error:
        _fail(f"can't listen on {host} port {port}: {os.strerror(error.errno or 0)}; --port 0 takes a free one")
    # asyncio sets this for sockets that it has made itself; without it, each answer waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _fail(problem: str) -> NoReturn:
    sys.exit(f"dev.authkit: {problem}")


def _settings(issuer: str, resources: tuple[str, ...], client_id: str, **more: Any) -> StandInSettings:
    for resource in resources:
        if not is_resource(resource):
            _fail(f"--resource {resource!r} is not an absolute URL without a fragment, as http://127.0.0.1:8000/mcp is")
    if not re.fullmatch(r"client_[A-Za-z0-9_]+", client_id):
        _fail(f"--client-id {client_id!r} is not in WorkOS's form, as {StandInSettings.client_id} is")
    return StandInSettings(issuer, frozenset(resources), client_id, **more)


def _serve(settings: StandInSettings, listening: socket.socket, *, as_json: bool) -> None:
    about = {"about": ABOUT, "url": settings.issuer, "client_id": settings.client_id}
    if not as_json:
        print(ABOUT, flush=True)
    # No access log: codes and states would be in it.
    config = uvicorn.Config(
        build_app(settings),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    with suppress(KeyboardInterrupt):
        _AnnouncingServer(config, json.dumps(about) if as_json else f"ready at {settings.issuer}").run(
            sockets=[listening]
        )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback; nothing else is taken.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option("--resource", "resources", multiple=True, metavar="URL", help="A Resource Indicator; may be repeated.")
@click.option(
    "--client-id", default=StandInSettings.client_id, show_default=True, help="What WORKOS_CLIENT_ID is to be."
)
@click.option(
    "--access-token-seconds",
    type=click.IntRange(1),
    default=StandInSettings.access_token_seconds,
    show_default=True,
    help="How long a token lives; few, to watch a client refresh.",
)
@click.option("--auto-consent", is_flag=True, help="Ask nobody; for tests.")
@click.option("--json", "as_json", is_flag=True, help="Say where it is as one line of JSON.")
def main(*, host: str, port: int, as_json: bool, **more: Any) -> None:
    """A stand-in for WorkOS AuthKit, for development, on loopback."""
    with _listen(host, port) as listening:
        name = f"[{host.strip('[]')}]" if ":" in host else host.lower()
        _serve(_settings(f"http://{name}:{listening.getsockname()[1]}", **more), listening, as_json=as_json)


if __name__ == "__main__":
    main(prog_name="python -m dev.authkit")
