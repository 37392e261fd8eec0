"""nginx, Caddy and HAProxy as Debian has them, each with a rendered configuration, on loopback."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from helpers.ports import free_port
from routegen.manifest import Manifest
from routegen.render import RenderRequest, TemplateGateway, find_target, render

SERVERS = ("nginx", "caddy", "haproxy")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where Debian has two of them
LONG = 30.0
"""Seconds after which something must be wrong with a server that doesn't listen."""
TRIES = 5
"""A port that was free a moment ago may be taken."""


def command(server: str, config: Path, *, test: bool = False) -> list[str]:
    """The command that runs a server in the foreground, or tests its configuration."""
    program = shutil.which(server, path=PATH)
    if program is None:
        pytest.skip(f"{server} is not installed")
    if server == "nginx":
        return [program, "-e", "stderr", "-c", str(config), *(["-t"] if test else ["-g", "daemon off;"])]
    if server == "caddy":
        return [program, "validate" if test else "run", "--config", str(config), "--adapter", "caddyfile"]
    return [program, "-f", str(config), *(["-c"] if test else [])]


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the caller's but PATH; Caddy keeps its state in the folder."""
    return {"PATH": PATH, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def rendered(server: str, manifest: Manifest, port: int, apps: Mapping[str, str], folder: Path) -> str:
    """A configuration that stands alone.

    Args:
        server: one of SERVERS.
        manifest: whose routes.
        port: to listen on.
        apps: `host:port` by the app's name.
        folder: for what the server writes.
    """
    target = find_target(server)
    variables = {"listen": f"127.0.0.1:{port}", **{f"upstream.{name}": where for name, where in apps.items()}}
    if "run" in target.variables:
        variables["run"] = str(folder)
    return render(RenderRequest(server, manifest, variables=variables))


@contextmanager
def serving(server: str, manifest: Manifest, apps: Mapping[str, str], folder: Path) -> Iterator[int]:
    """Run a server until the block ends; its port."""
    assert set(apps) == {app.name for app in TemplateGateway.from_manifest(manifest).apps}
    with contextlib.ExitStack() as stack:
        for _ in range(TRIES):
            port = free_port()
            config = folder / f"{server}.conf"
            config.write_text(rendered(server, manifest, port, apps, folder))
            process = stack.enter_context(program(command(server, config), folder))
            if _listens(process, port):
                yield port
                return
        pytest.fail(f"{server} didn't start: {(folder / 'log').read_text()}")


@contextmanager
def program(
    arguments: list[str],
    folder: Path,
    *,
    fds: Sequence[int] = (),
    says: bool = False,
    env: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[subprocess.Popen[str]]:
    """Run a program and whatever it starts until the block ends.

    Args:
        arguments: the command line.
        folder: its directory; what it prints goes to `log` in there.
        fds: that it inherits.
        says: whether its stdout is for the caller to read.
        env: more of its environment.
    """
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if says else log,
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
    """Whether it listens before it ends."""
    until = time.monotonic() + LONG
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return process.poll() is None
        time.sleep(0.01)
    return False


@contextmanager
def upstreams(number: int, folder: Path) -> Iterator[list[str]]:
    """Apps that say who they are; where each is."""
    arguments = [sys.executable, str(Path(__file__).with_name("upstream.py")), str(number)]
    with program(arguments, folder, says=True) as process:
        assert process.stdout
        yield [f"127.0.0.1:{port}" for port in json.loads(process.stdout.readline())]
