"""`python -m dev.serve`: start everything, print the URLs when it is ready, and end it with Ctrl-C."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import click
from routegen.cli import main as routegen

from dev.authkit.background import run_in_background
from dev.serve.local_apps import app_environments, make_wiki
from dev.serve.local_site import LocalSite

WIKI = Path("build/serve/wiki")
PORT = click.IntRange(0, 65535)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--port", type=PORT, default=8000, show_default=True, help="The port of the gateway; 0 selects a free port."
)
@click.option(
    "--inspector-port", type=PORT, default=8001, show_default=True, help="The port of the inspector; 0 turns it off."
)
@click.option("--auto-consent", is_flag=True, help="Allow every client without a consent page.")
@click.option(
    "--wiki", type=click.Path(path_type=Path), default=WIKI, show_default=True, help="The data directory of the wiki."
)
@click.argument("options", nargs=-1, metavar="[-- OPTIONS]")
def main(*, port: int, inspector_port: int, auto_consent: bool, wiki: Path, options: tuple[str, ...]) -> None:
    """Run the wiki, the MCP server, the gateway, its inspector and the AuthKit stand-in on this machine.

    OPTIONS after `--` are options of `routegen serve`.
    """
    start = time.monotonic()
    data = wiki.absolute()
    try:
        make_wiki(data)
        gateway = f"http://127.0.0.1:{port or _free_port()}"
        # The MCP server needs the URL of the stand-in when it starts, and the stand-in needs the URL of the gateway.
        with run_in_background(frozenset({f"{gateway}/mcp"}), auto_consent=auto_consent) as authkit:
            inspector = f"http://127.0.0.1:{inspector_port}/" if inspector_port else None
            site = LocalSite(gateway, authkit.settings.issuer, inspector)
            threading.Thread(target=_print_when_ready, args=(site, start), daemon=True).start()
            apps = app_environments(gateway, site.authkit, authkit.settings.client_id, data)
            env = [
                f"--env={app}:{name}={value}" for app, variables in apps.items() for name, value in variables.items()
            ]
            ports = [f"--port={gateway.rpartition(':')[2]}", f"--inspector-port={inspector_port}"]
            routegen(["serve", *ports, *env, *options])
    except OSError as error:
        _fail(f"{error.filename or data}: {error.strerror}")
    except subprocess.CalledProcessError as error:
        _fail(f"git cannot create the wiki's repository in {data}: {' '.join(error.stderr.decode().split())}")


def _print_when_ready(site: LocalSite, start: float) -> None:
    problems = site.wait()
    for problem in problems:
        click.echo(f"dev.serve: {problem}; the lines above have the reason", err=True)
    if not problems:
        click.echo(f"\nReady after {time.monotonic() - start:.1f} s\n{site.instructions}\n")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _fail(problem: str) -> NoReturn:
    sys.exit(f"dev.serve: {problem}")


if __name__ == "__main__":
    main(prog_name="python -m dev.serve")
