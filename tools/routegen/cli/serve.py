"""`routegen serve`."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from routegen.cli.failures import colours, forget_stdout
from routegen.cli.options import debug_option, manifest_option, manifest_path
from routegen.cli.output import emit
from routegen.errors import ConfigError

if TYPE_CHECKING:
    from routegen.config import Config
    from routegen.serve.gateway_log import Log

_EPILOG = """\b
Examples:
  routegen serve
  routegen serve --port 9000 --inspector-port 0 --stage prod
  routegen serve --www-authenticate keep --json
  routegen serve --env mcp:AUTHKIT_DOMAIN=https://acme.authkit.app --env mcp:SECRET

\b
Ctrl-C ends it, with exit code 0.
"""


@click.command(epilog=_EPILOG)
@manifest_option
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for one that is free.")
@click.option(
    "--inspector-port",
    type=click.IntRange(0, 65535),
    default=8001,
    show_default=True,
    help="The inspector's, on 127.0.0.1; 0 for no inspector.",
)
@click.option(
    "--www-authenticate",
    type=click.Choice(["rename", "keep"]),
    default="rename",
    show_default=True,
    help="Whether the challenge of a 401 arrives as x-amzn-remapped-www-authenticate.",
)
@click.option("--stage", metavar="NAME", help="A named stage: every path is below /NAME.  [default: $default]")
@click.option(
    "--env",
    "variables",
    multiple=True,
    metavar="APP:NAME[=VALUE]",
    help="A variable of an app's, instead of what [tool.routegen] says; without a value, yours.  Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line on stdout, for requests and output.")
@click.option(
    "--max-instances",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    metavar="N",
    help="Processes of one function at the same time.",
)
@debug_option
def serve(
    manifest: Path | None,
    host: str,
    port: int,
    inspector_port: int,
    www_authenticate: str,
    stage: str | None,
    variables: tuple[str, ...],
    as_json: bool,
    max_instances: int,
) -> None:
    """Run the gateway on this machine, with the real handlers in AWS's Lambda runtime.

    Requests go where the manifest sends them. Each app runs as [tool.routegen.apps] says: its handler, from its path,
    with its env. Changed source and a changed manifest are taken up as they are saved.
    """
    for package in ("awslambdaric", "starlette", "uvicorn"):
        if find_spec(package) is None:
            raise ConfigError(f"routegen serve needs {package}: pip install routegen[serve]")
    if stage is not None and not all(char.isascii() and (char.isalnum() or char in "-_") for char in stage or " "):
        raise ConfigError(f"--stage: {stage!r} is not a stage's name: letters, digits, '-' and '_'")
    from routegen.config import find_project, read_config  # noqa: PLC0415 - heavy, and only used here
    from routegen.serve import local_gateway as run  # noqa: PLC0415
    from routegen.serve.serve_settings import Settings  # noqa: PLC0415

    config = _with_variables(read_config(find_project(Path.cwd())), variables)
    file = manifest_path(manifest, config)
    settings = Settings(stage=stage, renames_challenge=www_authenticate == "rename", max_instances=max_instances)
    log = _log(as_json)
    local = run.Local(config, file, settings, log)
    ending = f"/{stage}" if stage else ""
    listening = run.listen(host, port)
    # On loopback whatever the gateway's host is: it shows what others send.
    inspecting = run.listen("127.0.0.1", inspector_port, "--inspector-port") if inspector_port else None
    looking = f"; inspector at http://127.0.0.1:{inspector_port}" if inspecting else ""

    def say(url: str) -> None:
        text = f"{file} at {url}{ending}{looking}; Ctrl-C ends it"
        log.about("listening", text, url=url + ending, inspector=inspector_port or None)

    run.serve(local, listening, say, inspecting)
    if log.broken:
        forget_stdout()


def _with_variables(config: "Config", variables: tuple[str, ...]) -> "Config":
    from routegen.config import with_env  # noqa: PLC0415 - as above

    for said in variables:
        app, colon, pair = said.partition(":")
        name, equals, value = pair.partition("=")
        if not (app and colon and name):
            raise ConfigError(f"--env: {said!r} is not APP:NAME=VALUE, nor APP:NAME")
        if not equals and name not in os.environ:
            raise ConfigError(f"--env: {said!r} has no value, and {name} is not in your environment either")
        config = with_env(config, app, {name: value if equals else os.environ[name]})
    return config


def _log(as_json: bool) -> "Log":
    from routegen.serve.gateway_log import Log  # noqa: PLC0415 - as above

    if as_json:
        return Log(emit, as_json=True)
    coloured = colours(sys.stderr.isatty())

    def to_stderr(line: str) -> None:
        click.echo(line, nl=False, err=True, color=coloured)

    return Log(to_stderr, paint=_paint if coloured else None)


def _paint(text: str, colour: str) -> str:
    return click.style(text, fg=colour)
