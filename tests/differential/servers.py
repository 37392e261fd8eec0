"""nginx, Caddy and HAProxy on 127.0.0.1, each with a rendered configuration."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from helpers.ports import free_port
from routegen.manifest import Manifest
from routegen.render import RenderRequest, TemplateGateway, find_target, render

SERVERS = ("nginx", "caddy", "haproxy")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"  # Debian installs nginx and HAProxy there
START_TIMEOUT = 30.0
"""Seconds until a server that does not listen counts as failed."""
START_ATTEMPTS = 5
"""Another process can take a free port before the server does."""


def server_command(server: str, config: Path, *, test: bool = False) -> list[str]:
    """Return the command that runs a server in the foreground, or that tests its configuration."""
    program = shutil.which(server, path=PATH)
    if program is None:
        pytest.skip(f"{server} is not installed")
    if server == "nginx":
        return [program, "-e", "stderr", "-c", str(config), *(["-t"] if test else ["-g", "daemon off;"])]
    if server == "caddy":
        return [program, "validate" if test else "run", "--config", str(config), "--adapter", "caddyfile"]
    return [program, "-f", str(config), *(["-c"] if test else [])]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment that has only PATH from the caller; Caddy keeps its state in the folder."""
    return {"PATH": PATH, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def render_config(
    server: str, manifest: Manifest, port: int, apps: Mapping[str, str], folder: Path, **more: str
) -> str:
    """Render a complete configuration.

    Args:
        server: one of SERVERS.
        manifest: the manifest to render.
        port: the port to listen on.
        apps: `host:port` by the app's name.
        folder: the folder for the server's files.
        more: other variables of the target.
    """
    target = find_target(server)
    variables = {
        "listen": f"127.0.0.1:{port}",
        **more,
        **{f"upstream.{name}": address for name, address in apps.items()},
    }
    if "run" in target.variables:
        variables["run"] = str(folder)
    return render(RenderRequest(server, manifest, variables=variables))


@contextmanager
def run_server(server: str, manifest: Manifest, apps: Mapping[str, str], folder: Path, **more: str) -> Iterator[int]:
    """Run a server until the end of the block, and yield its port."""
    assert set(apps) == {app.name for app in TemplateGateway.from_manifest(manifest).apps}
    with run_configured(
        server, folder, lambda port: render_config(server, manifest, port, apps, folder, **more)
    ) as port:
        yield port


@contextmanager
def run_configured(server: str, folder: Path, write: Callable[[int], str]) -> Iterator[int]:
    """Run a server until the end of the block, and yield its port; `write` returns the configuration for a port."""
    with contextlib.ExitStack() as stack:
        for _ in range(START_ATTEMPTS):
            port = free_port()
            config = folder / f"{server}.conf"
            config.write_text(write(port))
            process = stack.enter_context(run_program(server_command(server, config), folder))
            if _listens(process, port):
                yield port
                return
        pytest.fail(f"{server} didn't start: {(folder / 'log').read_text()}")


@contextmanager
def run_program(
    arguments: list[str],
    folder: Path,
    *,
    fds: Sequence[int] = (),
    reads_stdout: bool = False,
    env: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[subprocess.Popen[str]]:
    """Run a program until the end of the block, and then stop it and its child processes.

    Args:
        arguments: the command line.
        folder: the working directory; the file `log` in it gets the program's output.
        fds: the file descriptors that the program inherits.
        reads_stdout: whether the caller reads the program's stdout.
        env: additional environment variables.
    """
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if reads_stdout else log,
            stderr=log,
            text=True,
            cwd=folder,
            env={**environment(folder), **env},
            pass_fds=fds,
            start_new_session=True,
        )
        with process:
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _listens(process: subprocess.Popen[str], port: int) -> bool:
    """Wait until the process listens, and return whether it does."""
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return process.poll() is None
        time.sleep(0.01)
    return False


@contextmanager
def run_upstreams(number: int, folder: Path) -> Iterator[list[str]]:
    """Run a number of apps until the end of the block, and yield their addresses."""
    arguments = [sys.executable, str(Path(__file__).with_name("upstream.py")), str(number)]
    with run_program(arguments, folder, reads_stdout=True) as process:
        assert process.stdout
        yield [f"127.0.0.1:{port}" for port in json.loads(process.stdout.readline())]
