"""The parent's side: start the child, wait for what it found, end it with everything that it started."""

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

from routegen.config import AppConfig, Config
from routegen.discover.served_path import Served
from routegen.errors import ConfigError, LoadError, UnsupportedRouteError
from routegen.load.app_reference import Target

# What a process needs to run at all; nothing else of the caller's environment reaches the app.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")

LOADED = b"loaded\n"
"""What the child says once the app is there and a longer piece of work begins: from then on it may take its time."""

_GRACE = 1.0
"""Seconds between the end of the child's message and its own."""

_POLL = 0.25
"""Seconds between two looks at whether the child is still alive, while it is silent."""


@dataclass
class Loading:
    """An app that is being imported; `result()` waits for it."""

    app: AppConfig
    timeout: float
    process: subprocess.Popen[bytes]
    pipe: int
    home: str
    deadline: float

    def result(self) -> list[Served]:
        """What the app serves; raises as `answer`."""
        return [Served.from_data(entry) for entry in self.answer()["served"]]

    def answer(self) -> dict[str, Any]:
        """What the task has found, as the child said it.

        Raises:
            LoadError: the app could not be imported, exited, crashed or took longer than the time-out.
            UnsupportedRouteError: it serves something of a kind that can't be walked.
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
        raise LoadError(error["message"], error["details"])

    def stop(self) -> None:
        """End the child and whatever it has started; safe to call again."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.pipe)
        self.pipe = -1
        shutil.rmtree(self.home, ignore_errors=True)

    def _read(self) -> dict[str, Any]:
        received = bytearray()
        # The final newline ends the message, and a dead child the wait: a process that the app has forked may
        # hold the pipe open, so its end of file may never come.
        while not received.endswith(b"\n"):
            left = self.deadline - time.monotonic()
            ready, _, _ = select.select([self.pipe], [], [], max(0.0, min(left, _POLL)))
            if ready:
                chunk = os.read(self.pipe, 65536)
                if not chunk:
                    break
                received += chunk
                if received.startswith(LOADED):
                    del received[: len(LOADED)]
                    self.deadline = float("inf")
            elif left <= 0:
                raise LoadError(
                    f"{self.app.target}: still importing after {self.timeout:g} s; "
                    "if it needs longer, raise `timeout` in [tool.routegen] or --timeout"
                )
            elif self.process.poll() is not None:
                break
        try:
            answer: dict[str, Any] = json.loads(received)
        except ValueError:
            raise LoadError(f"{self.app.target}: {self._how_it_ended()} while it was imported") from None
        return answer

    def _how_it_ended(self) -> str:
        try:
            status = self.process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            return "closed routegen's pipe"
        if status >= 0:
            return f"exited with status {status}"
        with contextlib.suppress(ValueError):
            return f"crashed with {signal.Signals(-status).name}"
        return f"crashed with signal {-status}"


def start(app: AppConfig, config: Config, task: str = "routegen.discover.discovery_task") -> Loading:
    """Start importing an app.

    Args:
        app: which one, and the environment that it is to see.
        config: how long it may take from now, and where packages come from.
        task: the module that does something with it there, through its `carry_out`.

    Raises:
        LoadError: the file that it names doesn't exist.
        ConfigError: the directory that its handler is imported from doesn't exist.
    """
    target = Target.parse(app.target)
    module, directory = _locate(app, target)
    home = tempfile.mkdtemp(prefix="routegen-")
    reading, writing = os.pipe()
    order = {
        "task": task,
        "module": module,
        "shown": target.module,
        "root": str(app.root.resolve()),
        "attribute": target.attribute,
        "paths": [str(directory)],
        "result": writing,
    }
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "routegen.load.child_process", json.dumps(order)],
            stdin=subprocess.DEVNULL,
            # fd 1 of the child is our stderr: no print of the app's, from whatever language, is data.
            stdout=2,
            pass_fds=(writing,),
            cwd=directory,
            env=_environment(app, config, home),
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        shutil.rmtree(home, ignore_errors=True)
        raise LoadError(f"{app.target}: a process for it can't be started: {error.strerror}") from None
    finally:
        os.close(writing)
    return Loading(app, config.timeout, process, reading, home, time.monotonic() + config.timeout)


def _locate(app: AppConfig, target: Target) -> tuple[str, Path]:
    """The module to import (a file's absolute path, or a dotted name) and the directory to import it in."""
    root = app.root.resolve()
    directory = root / app.path if app.path else root
    if not directory.is_dir():
        raise ConfigError(f"[tool.routegen.apps.{app.name}]: path: there is no directory {app.path}")
    if not target.is_file:
        return target.module, directory
    file = root / target.module
    if not file.is_file():
        raise LoadError(f"{target.module}: there is no such file in {root}")
    return str(file), directory if app.path else file.parent


def _environment(app: AppConfig, config: Config, home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if config.packages is not None:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(config.packages), kept.get("PYTHONPATH"))))
    fixed = {"HOME": home, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    return {**kept, **fixed, **app.env}
