"""Apps that routegen imports in forked processes, in which the frameworks are imported already.

The fixture `forked_apps` lets a test call routegen in this process: `run(routegen, State(), ["check"])`. A process of
routegen that was forked itself calls `fork_apps()`.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.forked import ForkedPopen, import_before_fork, run_apart, start, without_tests

# The processes import this module, and with it pytest.
import_before_fork("pytest", "helpers.forked_apps")
import_before_fork("routegen.load.child_process", "routegen.discover.walk", "routegen.prove.driver")
import_before_fork(
    "fastmcp.server.server",
    "fastmcp.server.auth.providers.workos",
    "fastapi",
    "mangum",
    "mcp.server.mcpserver",
    "flask",
)


def _start_app_process(
    start_process: Callable[..., BaseProcess],
    _command: Sequence[str],
    *,
    pass_fds: tuple[int, ...],
    cwd: str,
    env: Mapping[str, str],
    **_: Any,
) -> ForkedPopen:
    """Stand for the `subprocess.Popen` of `routegen.load.app_process`."""
    result, stderr = Connection(os.dup(pass_fds[0])), Connection(os.dup(2))
    order, stdin = os.pipe()
    with result, stderr, Connection(order) as order_pipe:
        process = start_process(_import_app, order_pipe, dict(env), str(cwd), result, stderr)
        return ForkedPopen(process, stdin=os.fdopen(stdin, "wb"))


def _import_app(
    order: Connection, environment: dict[str, str], directory: str, result: Connection, stderr: Connection
) -> None:
    run_apart(directory, environment, stderr)
    sys.path[:] = without_tests(sys.path)
    os.dup2(order.fileno(), 0)
    sys.argv[:] = ["child", str(result.fileno())]
    from routegen.load.child_process import main

    main()


def _subprocess_module(start_process: Callable[..., BaseProcess]) -> SimpleNamespace:
    """Return what `routegen.load.app_process` uses of the module `subprocess`."""
    return SimpleNamespace(
        Popen=partial(_start_app_process, start_process),
        PIPE=subprocess.PIPE,
        TimeoutExpired=subprocess.TimeoutExpired,
    )


@pytest.fixture
def forked_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routegen.load.app_process.subprocess", _subprocess_module(start))


def fork_apps() -> None:
    """Let routegen fork this process for each app."""
    from routegen.load import app_process

    vars(app_process)["subprocess"] = _subprocess_module(_fork)


def _fork(function: Callable[..., object], *arguments: Any) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    process.start()
    return process
