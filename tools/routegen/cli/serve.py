"""`routegen serve`."""

import re
import sys
from pathlib import Path

import click

from routegen.cli.failures import colours, forget_stdout
from routegen.cli.options import (
    NumberBetween,
    env_options,
    manifest_option,
    manifest_path,
    project_config,
    with_variables,
)
from routegen.cli.output import emit
from routegen.errors import ConfigError
from routegen.serve.gateway_log import GatewayLog
from routegen.serve.local_gateway import LocalGateway, open_socket, run_until_signal
from routegen.serve.serve_settings import ServeSettings

_EPILOG = """\b
Examples:
  routegen serve
  routegen serve --port 9000 --inspector-port 0 --stage prod
  routegen serve --www-authenticate keep --json
  routegen serve --env mcp:AUTHKIT_DOMAIN=https://acme.authkit.app --env mcp:SECRET

\b
Ctrl-C ends it, with exit code 0.
"""


@click.command("serve", epilog=_EPILOG)
@manifest_option
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on.")
@click.option("--port", type=NumberBetween(0, 65535), default=8000, show_default=True, help="0 for a free port.")
@click.option(
    "--inspector-port",
    type=NumberBetween(0, 65535),
    default=8001,
    show_default=True,
    help="The inspector's port on 127.0.0.1; 0 for no inspector.",
)
@click.option(
    "--www-authenticate",
    type=click.Choice(["rename", "keep"]),
    default="rename",
    show_default=True,
    help="Rename the WWW-Authenticate header to x-amzn-remapped-www-authenticate, or keep it.",
)
@click.option(
    "--public-url",
    metavar="URL",
    help="The origin that clients use, if a tunnel leads to the gateway, such as https://abc.example.org.",
)
@click.option("--stage", metavar="NAME", help="A named stage; every path begins with /NAME.  [default: $default]")
@env_options
@click.option(
    "--json", "as_json", is_flag=True, help="Write one JSON object for each request or output line to stdout."
)
@click.option(
    "--show-values", is_flag=True, help="Show all values in the log's paths and in the inspector, also secrets."
)
@click.option(
    "--max-instances",
    type=NumberBetween(1, 100),
    default=10,
    show_default=True,
    metavar="N",
    help="The largest number of processes of one function at the same time.",
)
def command(
    manifest: Path | None,
    host: str,
    port: int,
    inspector_port: int,
    www_authenticate: str,
    public_url: str | None,
    stage: str | None,
    variables: tuple[str, ...],
    env_files: tuple[Path, ...],
    as_json: bool,
    show_values: bool,
    max_instances: int,
) -> None:
    """Run the gateway on this machine, with the real handlers in AWS's Lambda runtime.

    Requests go where the manifest sends them. Each app runs as [tool.routegen.apps] says: its handler, from its path,
    with its env. A change of an app's source or of the manifest takes effect when the file is saved.
    """
    if stage is not None and not all(char.isascii() and (char.isalnum() or char in "-_") for char in stage or " "):
        raise ConfigError(f"--stage: {stage!r} is not a stage's name: letters, digits, '-' and '_'")
    config = with_variables(project_config(), variables, env_files)
    if public_url is not None and not _is_origin(public_url):
        raise ConfigError(f"--public-url: {public_url!r} is not an origin such as https://abc.example.org")
    file = manifest_path(manifest, config)
    settings = ServeSettings(
        stage=stage,
        renames_challenge=www_authenticate == "rename",
        max_instances=max_instances,
        public_url=public_url and public_url.rstrip("/"),
        shows_values=show_values,
    )
    log = _log(as_json)
    local = LocalGateway(config, file, settings, log)
    stage_path = f"/{stage}" if stage else ""
    gateway_socket = open_socket(host, port)
    # The inspector shows other people's requests, so it always listens on loopback.
    inspector_socket = open_socket("127.0.0.1", inspector_port, "--inspector-port") if inspector_port else None
    inspector = f"; inspector at http://127.0.0.1:{inspector_port}" if inspector_socket else ""

    def announce(url: str) -> None:
        text = f"{file} at {url}{stage_path}{inspector}; Ctrl-C ends it"
        log.write_event("listening", text, url=url + stage_path, inspector=inspector_port or None)

    run_until_signal(local, gateway_socket, announce, inspector_socket)
    if log.broken:
        forget_stdout()


def _is_origin(url: str) -> bool:
    return bool(re.fullmatch(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?", url))


def _log(as_json: bool) -> GatewayLog:
    if as_json:
        return GatewayLog(emit, as_json=True)
    # Not click.echo: it takes longer than the rest of the log. Only a terminal gets colours.
    return GatewayLog(sys.stderr.write, paint=_paint if colours(sys.stderr.isatty()) else None)


def _paint(text: str, colour: str) -> str:
    return click.style(text, fg=colour)
