"""Start the process that imports an app, wait for its answer, and end it with every process that it started."""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routegen.config import AppConfig, Config, inherited_environment
from routegen.discover.served_path import ServedPath
from routegen.errors import ConfigError, LoadError, UnsupportedRouteError
from routegen.load.app_reference import AppReference
from routegen.load.failure_cause import FailureCause
from routegen.load.load_advice import load_advice

_LOADED_MESSAGE = b"loaded\n"
"""The child process sends it when the app is loaded and a long task begins; from then on there is no time-out."""

_SECONDS_TO_EXIT = 1.0
"""The time that the child process has to exit after it has closed the pipe."""

_SECONDS_TO_REPORT = 0.5
"""The time that the child process has after the time-out to report which line it runs."""

_POLL_SECONDS = 0.25
"""How often the parent checks that a silent child process is still alive."""


@dataclass
class AppProcess:
    """A process that imports an app and runs a task on it; `wait_for_answer()` waits for it."""

    app: AppConfig
    config: Config
    process: subprocess.Popen[bytes]
    pipe: int
    home: str
    deadline: float

    def wait_for_paths(self) -> list[ServedPath]:
        """Return the paths that the app serves; it raises the same errors as `wait_for_answer`."""
        return [ServedPath.from_data(entry) for entry in self.wait_for_answer()["served"]]

    def wait_for_answer(self) -> dict[str, Any]:
        """Return the result of the task.

        Raises:
            LoadError: the app cannot be imported, exits, crashes or takes longer than the time-out.
            UnsupportedRouteError: the app has a route of a kind that routegen does not know.
        """
        try:
            answer = self._read()
        finally:
            self.stop()
        error = answer.get("error")
        if error is None:
            return answer
        if error["kind"] == "unsupported":
            raise UnsupportedRouteError(f"{self.app.name}: {error['message']}")
        raise self._load_error(error)

    def stop(self) -> None:
        """End the child process and every process that it has started; a second call does nothing."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.pipe)
        self.pipe = -1
        shutil.rmtree(self.home, ignore_errors=True)

    def _read(self) -> dict[str, Any]:
        received = bytearray()
        # The final newline ends the message, and the child's exit ends the wait: a process that the app has forked
        # can hold the pipe open, so that no end of file arrives.
        while not received.endswith(b"\n"):
            remaining = self.deadline - time.monotonic()
            ready, _, _ = select.select([self.pipe], [], [], max(0.0, min(remaining, _POLL_SECONDS)))
            if ready:
                chunk = os.read(self.pipe, 65536)
                if not chunk:
                    break
                received += chunk
                if received.startswith(_LOADED_MESSAGE):
                    del received[: len(_LOADED_MESSAGE)]
                    self.deadline = float("inf")
            elif remaining <= 0:
                cause = FailureCause("timeout")
                raise LoadError(f"{self.app.target}: {load_advice(cause, self.app, self.config)}")
            elif self.process.poll() is not None:
                break
        try:
            answer: dict[str, Any] = json.loads(received)
        except ValueError:
            raise LoadError(f"{self.app.target}: {self._exit_reason()} while it was imported") from None
        return answer

    def _load_error(self, error: dict[str, Any]) -> LoadError:
        if error["cause"] is None:
            return LoadError(error["message"], error["details"])
        cause = FailureCause(error["cause"]["kind"], tuple(error["cause"]["names"]), error["cause"]["place"])
        separator = ": " if cause.kind == "timeout" else "; "
        message = f"{error['message']}{separator}{load_advice(cause, self.app, self.config)}"
        variables = cause.names if cause.kind == "variable" else ()
        return LoadError(message, error["details"], variables, cause.names[0] if cause.kind == "module" else "")

    def _exit_reason(self) -> str:
        try:
            status = self.process.wait(timeout=_SECONDS_TO_EXIT)
        except subprocess.TimeoutExpired:
            return "closed routegen's pipe"
        if status >= 0:
            return f"exited with status {status}"
        with contextlib.suppress(ValueError):
            return f"crashed with {signal.Signals(-status).name}"
        return f"crashed with signal {-status}"


def start_app_process(app: AppConfig, config: Config, task: str = "routegen.discover.discovery_task") -> AppProcess:
    """Start a process that imports an app and runs a task on it.

    Args:
        app: the app, with the environment that it sees.
        config: the configuration, with the time-out and the directory of packages.
        task: the name of the module whose `run_task` gets the app.

    Raises:
        LoadError: the app's file does not exist.
        ConfigError: the directory that its handler is imported from does not exist.
    """
    order = _order(app, task)
    order["deadline"] = time.monotonic() + config.timeout
    home = tempfile.mkdtemp(prefix="routegen-")
    reading, order["result"] = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "routegen.load.child_process", json.dumps(order)],
            stdin=subprocess.DEVNULL,
            # The child's fd 1 is our stderr, so that output of the app never mixes with data on stdout.
            stdout=2,
            pass_fds=(order["result"],),
            cwd=order["paths"][0],
            env=_environment(app, config, home),
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        shutil.rmtree(home, ignore_errors=True)
        raise LoadError(f"{app.target}: its process cannot be started: {error.strerror}") from None
    finally:
        os.close(order["result"])
    return AppProcess(app, config, process, reading, home, order["deadline"] + _SECONDS_TO_REPORT)


def _order(app: AppConfig, task: str) -> dict[str, Any]:
    """Return the order for the child process, without the file descriptor for its result."""
    reference = AppReference.parse(app.target)
    module, directory = _locate(app, reference)
    return {
        "task": task,
        "module": module,
        "attribute": reference.attribute,
        "display_name": reference.module,
        "handler": app.handler or "",
        "root": str(app.root.resolve()),
        "paths": [str(directory)],
        "variables": list(app.env),
        "folders": [str(Path(module).parent)] if reference.is_file else [],
    }


def _locate(app: AppConfig, reference: AppReference) -> tuple[str, Path]:
    """Return the module to import (a file's absolute path, or a dotted name) and the directory to import it in."""
    root = app.root.resolve()
    directory = root / app.path if app.path else root
    if not directory.is_dir():
        raise ConfigError(f"[tool.routegen.apps.{app.name}]: path: there is no directory {app.path}")
    if not reference.is_file:
        return reference.module, directory
    file = root / reference.module
    if not file.is_file():
        raise LoadError(f"{reference.module}: there is no such file in {root}")
    return str(file), directory if app.path else file.parent


def _environment(app: AppConfig, config: Config, home: str) -> dict[str, str]:
    inherited = inherited_environment()
    if config.packages is not None:
        inherited["PYTHONPATH"] = os.pathsep.join(filter(None, (str(config.packages), inherited.get("PYTHONPATH"))))
    fixed = {"HOME": home, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    return {**inherited, **fixed, **app.env}
