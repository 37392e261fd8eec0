"""`python -m dev.authkit`: run the AuthKit stand-in on a loopback address until Ctrl-C."""

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

DESCRIPTION = "AuthKit stand-in, for development only: every sign-in succeeds, and all data is deleted when it ends"


class _AnnouncingServer(uvicorn.Server):
    """A uvicorn server that prints a line when it is ready."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._announcement, flush=True)


def _listen(host: str, port: int) -> socket.socket:
    if not is_loopback(host):
        _fail(f"{host} is not a loopback address; --host must be 127.0.0.1, ::1 or localhost")
    address = "127.0.0.1" if host == "localhost" else host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listening = socket.create_server((address, port), family=family)
    except OSError as error:
        _fail(f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}; --port 0 selects a free port")
    # asyncio sets TCP_NODELAY only for its own sockets. Without it, each response waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _fail(problem: str) -> NoReturn:
    sys.exit(f"dev.authkit: {problem}")


def _settings(issuer: str, resources: tuple[str, ...], client_id: str, **options: Any) -> StandInSettings:
    for resource in resources:
        if not is_resource(resource):
            _fail(
                f"--resource {resource!r} is not an absolute URL without a fragment, such as http://127.0.0.1:8000/mcp"
            )
    if not re.fullmatch(r"client_[A-Za-z0-9_]+", client_id):
        _fail(f"--client-id {client_id!r} is not a WorkOS client id, such as {StandInSettings.client_id}")
    return StandInSettings(issuer, frozenset(resources), client_id, **options)


def _serve(settings: StandInSettings, listening: socket.socket, *, as_json: bool) -> None:
    facts = {"about": DESCRIPTION, "url": settings.issuer, "client_id": settings.client_id}
    if not as_json:
        print(DESCRIPTION, flush=True)
    # No access log, because it would contain codes and states.
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
        _AnnouncingServer(config, json.dumps(facts) if as_json else f"ready at {settings.issuer}").run(
            sockets=[listening]
        )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="The loopback address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="The port; 0 selects a free port."
)
@click.option("--resource", "resources", multiple=True, metavar="URL", help="A Resource Indicator; can be repeated.")
@click.option(
    "--client-id", default=StandInSettings.client_id, show_default=True, help="The client id of the environment."
)
@click.option(
    "--access-token-seconds",
    type=click.IntRange(1),
    default=StandInSettings.access_token_seconds,
    show_default=True,
    help="The lifetime of access tokens; a few seconds make clients refresh.",
)
@click.option("--auto-consent", is_flag=True, help="Allow every client without a consent page.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when it is ready.")
def main(*, host: str, port: int, as_json: bool, **options: Any) -> None:
    """Run an authorization server that behaves like WorkOS AuthKit, for development, on a loopback address."""
    with _listen(host, port) as listening:
        name = f"[{host.strip('[]')}]" if ":" in host else host.lower()
        _serve(_settings(f"http://{name}:{listening.getsockname()[1]}", **options), listening, as_json=as_json)


if __name__ == "__main__":
    main(prog_name="python -m dev.authkit")
