"""Processes that are forked from a server which has the modules imported, because an import takes longer than a test.

Each test process has one such server. A process that it forks behaves as a new one does, except that its modules are
imported and that it does not read PYTHON* variables.
"""

import atexit
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TextIO

from helpers.support import PROJECT, Run

CONTEXT = multiprocessing.get_context("forkserver")
_MODULES: list[str] = []
_SECONDS = 120
_LOCK = threading.Lock()


def import_before_fork(*modules: str) -> None:
    """Let the server import these modules. Call this while tests are collected, because the server starts later."""
    _MODULES.extend(modules)
    CONTEXT.set_forkserver_preload([*_MODULES, "helpers.tls_contexts", "helpers.frozen"])


def start(function: Callable[..., object], *arguments: Any, daemon: bool = True) -> BaseProcess:
    """Start a process that calls a function. A daemon ends with this process, and can start no such process itself."""
    previous = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(PROJECT / "tests")  # The server does not get our sys.path.
    try:
        forkserver.ensure_running()
    finally:
        if previous is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = previous
    process = CONTEXT.Process(target=function, args=arguments, daemon=daemon)
    with _LOCK:
        process.start()
    return process


def wait_for_exit(process: BaseProcess, seconds: float | None = None) -> int | None:
    """Wait until a process ends, and return its exit code; None if it has not ended in time.

    The method `join` is not safe here: the start of a process in another thread asks each process for its exit code,
    and only the first question gets it.
    """
    if not wait([process.sentinel], seconds):
        return None
    with _LOCK:
        process.join(_SECONDS)
        return process.exitcode


class ForkedPopen:
    """Stands for the `subprocess.Popen` of a process in a new session, where `process` calls `os.setsid`."""

    def __init__(self, process: BaseProcess, *, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None) -> None:
        assert process.pid is not None
        self._process = process
        self.pid, self.stdin, self.stdout = process.pid, stdin, stdout
        with suppress(ProcessLookupError):
            while os.getpgid(self.pid) != self.pid:
                time.sleep(0.001)

    def terminate(self) -> None:
        self._process.terminate()

    def poll(self) -> int | None:
        return wait_for_exit(self._process, 0)

    def wait(self, timeout: float | None = None) -> int:
        status = wait_for_exit(self._process, timeout)
        if status is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return status


def run_routegen(
    directory: Path, *arguments: str, environment: Mapping[str, str] | None = None, forks_apps: bool = True
) -> Run:
    """Run the command in a directory, as `python -m routegen` does.

    Args:
        directory: its working directory.
        arguments: its arguments.
        environment: all of its environment; that of this process if it is None.
        forks_apps: whether it imports apps in forked processes, too, or in new interpreters as users have it.
    """
    with TemporaryDirectory() as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        variables = dict(os.environ if environment is None else environment)
        process = start(_routegen, arguments, variables, directory, stdout, stderr, forks_apps, daemon=False)
        code = wait_for_exit(process, _SECONDS)
        if code is None:
            process.kill()
            raise TimeoutError(f"routegen {' '.join(arguments)} has not ended after {_SECONDS} s")
        return Run(code, stdout.read_bytes().decode(), stderr.read_bytes().decode())


def _routegen(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    directory: Path,
    stdout: Path,
    stderr: Path,
    forks_apps: bool,
) -> None:
    _set_environment(environment)
    os.chdir(directory)
    _write_to(1, stdout)
    _write_to(2, stderr)
    if forks_apps:
        from helpers.forked_apps import fork_apps

        fork_apps()
    from routegen.cli import main

    main(arguments)


@dataclass(frozen=True)
class Program:
    """A running program.

    Attributes:
        process: its process.
        stream: its stdin and its stdout.
    """

    process: BaseProcess
    stream: TextIO

    def exit_code(self) -> int | None:
        """Close its stdin, and wait until it exits."""
        self.stream.close()
        return wait_for_exit(self.process)

    def terminate(self) -> None:
        self.process.terminate()
        self.exit_code()


def start_program(code: str, environment: Mapping[str, str], stderr: Path, *arguments: str | socket.socket) -> Program:
    """Start a program, as `python -c CODE ARGUMENTS` does.

    Args:
        code: the source of the program.
        environment: all of its environment; PYTHONPATH and PYTHONDONTWRITEBYTECODE have their effects.
        stderr: the file for its stderr.
        arguments: its arguments. A socket becomes the number of its file descriptor in the program.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = start(_run_program, code, dict(environment), stderr, arguments, theirs)
        return Program(process, ours.makefile("rw", buffering=1, encoding="utf-8"))


def _run_program(
    code: str,
    environment: Mapping[str, str],
    stderr: Path,
    arguments: tuple[str | socket.socket, ...],
    stream: socket.socket,
) -> None:
    _set_environment(environment)
    os.dup2(stream.fileno(), 0)
    os.dup2(stream.detach(), 1)
    _write_to(2, stderr)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    texts = (str(argument.fileno()) if isinstance(argument, socket.socket) else argument for argument in arguments)
    sys.argv = ["-c", *texts]
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
    try:
        exec(compile(code, "<program>", "exec"), {"__name__": "__main__"})
    finally:
        atexit._run_exitfuncs()  # multiprocessing ends a process without them


def run_apart(directory: str, environment: Mapping[str, str], output: Connection) -> None:
    """Give this process a session, an environment, a working directory and an output of its own."""
    os.setsid()
    _set_environment(environment)
    os.chdir(directory)
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)


def without_tests(path: list[str]) -> list[str]:
    """Return a module search path without the folders that only the tests have in theirs."""
    return [entry for entry in path if entry and Path(entry) not in (PROJECT, PROJECT / "tests")]


def _set_environment(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _write_to(descriptor: int, file: Path) -> None:
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(opened, descriptor)
    os.close(opened)


WIKI_IMPORTS = (
    "apig_wsgi",
    "feedgen.feed",
    "flask_login",
    "flask_mail",
    "flask_sqlalchemy",
    "flask_wtf",
    "git",
    "otterwiki.gitstorage",
    "otterwiki.renderer",
    "PIL.Image",
    "sqlalchemy.dialects.sqlite",
)
"""Slow imports of the wiki; none of them reads the environment."""
MCP_IMPORTS = ("fastmcp.server.auth.providers.workos", "mangum", "pydantic_settings", "bs4", "defusedxml.ElementTree")
"""Slow imports of the MCP server; none of them reads the environment."""

_COMMANDS = ("init", "extract", "check", "diff", "list", "explain", "prove", "serve", "verify", "render")
import_before_fork(*(f"routegen.cli.{name}" for name in _COMMANDS))
