"""The supervisor of the process that imports an app: it isolates that process, and ends every process that is left.

This is not a sandbox: the app has the user's files, and can do everything else that the user can do.
"""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

_IS_LINUX = sys.platform == "linux"
_NEW_USER_AND_NETWORK_NAMESPACE = 0x10000000 | 0x40000000
"""CLONE_NEWUSER and CLONE_NEWNET (unshare(2))."""
_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36
"""PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER (prctl(2))."""

MAX_OUTPUT = 4 * 1024 * 1024
"""How many bytes of an app's output reach stderr."""

_LEFT_OUT = b"\nroutegen: the app prints more, which is left out\n"

_SECONDS_TO_FORWARD = 2.0
"""The time that a process outside the supervisor's reach can keep the app's output open."""


def fork_supervised(report_exit: Callable[[int], object]) -> None:
    """Fork the process that imports the app, and return only in it; this process becomes its supervisor.

    On Linux, the new process has its own user namespace and network namespace if the system permits it. It then has
    no network, also in C and in its child processes, and cannot read the environment of another process in /proc.

    Args:
        report_exit: called in the supervisor with the exit status of the process; a signal is a negative number.
    """
    _call_prctl(_CHILD_SUBREAPER, 1)  # processes that leave the process group become children of the supervisor
    _call_prctl(_DEATH_SIGNAL, signal.SIGTERM)  # also if routegen is killed
    output, app_output = os.pipe()
    isolation, app_isolation = socket.socketpair()
    supervisor = os.getpid()
    if pid := os.fork():
        os.close(app_output)
        app_isolation.close()
        _supervise(pid, output, isolation, report_exit)
    _call_prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != supervisor:  # it has ended before the call
        os._exit(1)
    for descriptor in (1, 2):
        os.dup2(app_output, descriptor)
    for descriptor in (app_output, output):
        os.close(descriptor)
    isolation.close()
    with app_isolation:
        if _IS_LINUX and ctypes.CDLL(None).unshare(_NEW_USER_AND_NETWORK_NAMESPACE) == 0:
            app_isolation.send(b".")
            app_isolation.recv(1)
            # Without a loopback device, a server could not bind ::1.
            with contextlib.suppress(OSError):
                Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1")


def _supervise(pid: int, output: int, isolation: socket.socket, report_exit: Callable[[int], object]) -> NoReturn:
    forwarder = threading.Thread(target=_forward, args=(output,), daemon=True)
    forwarder.start()
    with contextlib.suppress(_StopError, OSError):
        signal.signal(signal.SIGTERM, _stop)
        with isolation:
            if isolation.recv(1):
                _map_user(pid)
                isolation.send(b".")
        report_exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _end_children()
    forwarder.join(_SECONDS_TO_FORWARD)
    os.killpg(0, signal.SIGKILL)
    os._exit(0)


class _StopError(Exception):
    """routegen does not need the app's process any more, or has ended."""


def _stop(*_: object) -> NoReturn:
    raise _StopError


def _call_prctl(option: int, value: int) -> None:
    if _IS_LINUX:
        ctypes.CDLL(None).prctl(option, value)


def _map_user(pid: int) -> None:
    """Give the users and groups of a new user namespace the same numbers as outside (user_namespaces(7))."""
    with contextlib.suppress(OSError):
        for name, number in (("uid", os.geteuid()), ("gid", os.getegid())):
            mapping = f"{number} {number} 1\n"
            if os.geteuid() == 0:
                lines = Path(f"/proc/self/{name}_map").read_text().splitlines()
                mapping = "".join("{0} {0} {2}\n".format(*line.split()) for line in lines)
            elif name == "gid":
                Path(f"/proc/{pid}/setgroups").write_text("deny")
            Path(f"/proc/{pid}/{name}_map").write_text(mapping)


def _forward(output: int) -> None:
    """Copy the app's output to stderr, up to a limit; the rest is read too, so that the app does not wait for ever."""
    remaining = MAX_OUTPUT
    with os.fdopen(2, "wb", closefd=False) as stderr:
        while chunk := os.read(output, 65536):
            output_part = chunk[:remaining]
            if remaining and len(output_part) == remaining:
                output_part += _LEFT_OUT
            remaining = max(0, remaining - len(chunk))
            with contextlib.suppress(OSError):
                stderr.write(output_part)
                stderr.flush()


def _end_children() -> None:
    """End the children of this process until none is left; the children of an ended one become its children."""
    while _IS_LINUX:
        for pid in _children():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    children = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name of the program is in parentheses and can have any character (proc(5)).
            parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
            children += [int(folder.name)] if int(parent) == os.getpid() else []
    return children
