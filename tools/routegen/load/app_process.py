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
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, cast

from routegen.config import AppConfig, Config, inherited_environment
from routegen.discover import ServedRoutes
from routegen.errors import ConfigError, LoadError, UnsupportedRouteError
from routegen.load.app_reference import AppReference
from routegen.load.failure_cause import FailureCause
from routegen.load.load_advice import load_advice

_SECONDS_FOR_TASK = 600.0
"""The time limit of the task, which begins when the app is loaded."""

_SECONDS_TO_REPORT = 0.5
"""The time that the child process has after the time-out to report which line it runs."""

_SECONDS_TO_END = 20.0
"""The time that the supervisor has to end the processes of an app."""

_CHUNK_BYTES, _MAX_BYTES = 64 * 1024, 64 * 1024 * 1024
"""The size of one reading, and the largest answer: `prove` gets a line for each of its requests."""


@dataclass
class AppProcess:
    """A process that imports an app and runs a task on it; `wait_for_answer()` waits for it."""

    app: AppConfig
    config: Config
    process: subprocess.Popen[bytes]
    orders: IO[bytes]
    pipe: int
    token: str
    home: str
    deadline: float
    is_loaded: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def wait_for_routes(self) -> ServedRoutes:
        """Return what the app serves; it raises the same errors as `wait_for_answer`."""
        return ServedRoutes.from_data(self.wait_for_answer())

    def wait_for_answer(self) -> dict[str, Any]:
        """Return the result of the task.

        Raises:
            LoadError: the app cannot be imported, exits, crashes or takes longer than the time-out.
            UnsupportedRouteError: the app has a route of a kind that routegen does not know.
        """
        try:
            return self._read()
        finally:
            self.stop()

    def wait_for_question(self) -> dict[str, Any]:
        """Return the data with which the task reports that the app is loaded; it waits for a reply then.

        It raises the same errors as `wait_for_answer`.
        """
        question: dict[str, Any] = self._read()["loaded"]
        return question

    def reply(self, data: Any) -> None:
        """Send the data that the task waits for."""
        self.deadline, self.is_loaded = time.monotonic() + _SECONDS_FOR_TASK, True
        # The data can be larger than the pipe, and then an app that hangs must not keep this process.
        threading.Thread(target=self.send, args=(data,), daemon=True).start()

    def send(self, data: Any) -> None:
        """Send a line of JSON to the process."""
        # A process that does not read it is reported when its answer is read. `stop` can have closed the pipe.
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.orders.write(json.dumps(data).encode() + b"\n")
            self.orders.flush()

    def stop(self) -> None:
        """End the child process and every process that it has started; a second call does nothing."""
        self.process.terminate()
        try:
            self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.pipe)
        with contextlib.suppress(OSError):
            self.orders.close()
        self.pipe = -1
        shutil.rmtree(self.home, ignore_errors=True)

    def _read(self) -> dict[str, Any]:
        """Read a message, and raise the error that it reports."""
        begin, received = f"{self.token} ".encode(), bytearray()
        while True:
            if received[: len(begin)] != begin[: len(received)] or len(received) > _MAX_BYTES:
                raise LoadError(
                    f"{self.app.target}: it wrote into routegen's pipe; an app must write only to files that it opens"
                )
            if b"\n" in received[-_CHUNK_BYTES:]:
                line = received.partition(b"\n")[0]  # the supervisor adds a line when the process ends
                return self._checked(json.loads(line[len(begin) :]))
            if not select.select([self.pipe], [], [], max(0.0, self.deadline - time.monotonic()))[0]:
                advice = load_advice(FailureCause("timeout"), self.app, self.config)
                hangs = f"loaded, but the requests to it take more than {_SECONDS_FOR_TASK:g} s; find one that hangs"
                raise LoadError(f"{self.app.target}: {hangs if self.is_loaded else advice}")
            if chunk := os.read(self.pipe, _CHUNK_BYTES):
                received += chunk
            else:
                raise LoadError(f"{self.app.target}: its process was killed from outside while it was imported")

    def _checked(self, message: dict[str, Any]) -> dict[str, Any]:
        if "exit" in message:
            raise LoadError(f"{self.app.target}: {_exit_reason(message['exit'])} while it was imported")
        error = message.get("error")
        if error is None:
            return message
        if error["kind"] == "unsupported":
            raise UnsupportedRouteError(f"{self.app.name}: {error['message']}")
        raise self._load_error(error)

    def _load_error(self, error: dict[str, Any]) -> LoadError:
        if error["cause"] is None:
            return LoadError(error["message"], error["details"])
        cause = FailureCause.from_data(error["cause"])
        separator = ": " if cause.kind in ("timeout", "loop") else "; "
        message = f"{error['message']}{separator}{load_advice(cause, self.app, self.config)}"
        variables = cause.variables if cause.kind == "variable" else {}
        return LoadError(message, error["details"], variables, cause.names[0] if cause.kind == "module" else "")


def _exit_reason(status: int) -> str:
    if status >= 0:
        return f"exited with status {status}"
    with contextlib.suppress(ValueError):
        return f"crashed with {signal.Signals(-status).name}"
    return f"crashed with signal {-status}"


def start_app_process(app: AppConfig, config: Config, task: str = "routegen.discover.walk") -> AppProcess:
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
    token = os.urandom(16).hex()
    home = tempfile.mkdtemp(prefix="routegen-")
    reading, result = os.pipe()
    deadline = time.monotonic() + config.timeout
    order |= {"deadline": deadline, "token": token}
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "routegen.load.child_process", str(result)],
            stdin=subprocess.PIPE,
            # The child's fd 1 is our stderr, so that output of the app never mixes with data on stdout.
            stdout=2,
            pass_fds=(result,),
            cwd=order["paths"][0],
            env=_environment(app, config, home),
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        shutil.rmtree(home, ignore_errors=True)
        raise LoadError(f"{app.target}: its process cannot be started: {error.strerror}") from None
    finally:
        os.close(result)
    orders = cast("IO[bytes]", process.stdin)
    app_process = AppProcess(app, config, process, orders, reading, token, home, deadline + _SECONDS_TO_REPORT)
    app_process.send(order)
    return app_process


def _order(app: AppConfig, task: str) -> dict[str, Any]:
    """Return the order for the child process, without the values of one run."""
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
