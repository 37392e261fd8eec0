"""Processes that are forked from a server which has the modules imported, because an import takes longer than a test.

Each test process has one such server. A process that it forks behaves as a new one does, except that its modules are
imported and that it does not read PYTHON* variables.
"""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from helpers.support import PROJECT, Run

CONTEXT = multiprocessing.get_context("forkserver")
_MODULES: list[str] = []
_SECONDS = 120


def import_before_fork(*modules: str) -> None:
    """Let the server import these modules. Call this while tests are collected, because the server starts later."""
    _MODULES.extend(modules)
    CONTEXT.set_forkserver_preload([*_MODULES, "helpers.frozen"])


def start(function: Callable[..., object], *arguments: Any) -> BaseProcess:
    """Start a process that calls a function."""
    previous = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(PROJECT / "tests")  # The server does not get our sys.path.
    try:
        forkserver.ensure_running()
    finally:
        if previous is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = previous
    process = CONTEXT.Process(target=function, args=arguments, daemon=True)
    process.start()
    return process


def become(environment: Mapping[str, str], directory: Path | None, *, stdout: Path | None, stderr: Path) -> None:
    """Give this process its environment, working directory and output files, as its program expects them."""
    os.environ.clear()
    os.environ.update(environment)
    if directory:
        os.chdir(directory)
    for descriptor, file in ((1, stdout), (2, stderr)):
        if file:
            opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(opened, descriptor)
            os.close(opened)


def run_routegen(directory: Path, *arguments: str) -> Run:
    """Run the command in a directory, as `python -m routegen` does."""
    with TemporaryDirectory() as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        process = start(_routegen, arguments, dict(os.environ), directory, stdout, stderr)
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"routegen {' '.join(arguments)} has not ended after {_SECONDS} s")
        return Run(process.exitcode, stdout.read_bytes().decode(), stderr.read_bytes().decode())


def _routegen(
    arguments: tuple[str, ...], environment: Mapping[str, str], directory: Path, stdout: Path, stderr: Path
) -> None:
    become(environment, directory, stdout=stdout, stderr=stderr)
    from routegen.cli import main

    main(arguments)


import_before_fork(
    *(f"routegen.cli.{name}" for name in ("extract", "check", "diff", "list", "explain", "prove", "verify", "render"))
)
