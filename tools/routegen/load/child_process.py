"""The process that imports the app: run as `python -P -m routegen.load.child_process`, never by hand.

In: the order as JSON in argv[1]. Out: one JSON object on the file descriptor that the order names.
"""

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from routegen.load.app_reference import Target, TargetError, find_app, import_target
from routegen.load.uncached_import import import_fresh_below


def main() -> None:
    """Carry out the order and end the process, whatever threads or exit handlers the app has left behind."""
    _end_with_parent()
    order = json.loads(sys.argv[1])
    result = order["result"]
    os.set_inheritable(result, False)
    sys.argv[:] = [order["module"]]
    reached: list[str] = []
    _forbid_network(reached)
    answer = _answer(order, reached, lambda: os.write(result, b"loaded\n"))
    # Before the answer: whoever has that ends this process.
    sys.stdout.flush()
    sys.stderr.flush()
    with os.fdopen(result, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(answer) + "\n")
    os._exit(0)


def _end_with_parent() -> None:
    """Linux ends this process when routegen's is killed, which can't clean up then (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _answer(order: dict[str, Any], reached: list[str], loaded: Callable[[], object]) -> dict[str, Any]:
    target = Target(order["module"], order["attribute"])
    for root in {Path(order["root"]), Path.cwd()}:
        import_fresh_below(root)
    for directory in reversed(order["paths"]):
        sys.path.insert(0, directory)
    try:
        app = find_app(import_target(target), target)
        # After the app: its import is the work, and brings in what a task looks at.
        answer: dict[str, Any] = importlib.import_module(order["task"]).carry_out(app, loaded)
    except TargetError as error:
        return _failure("target", f"{order['shown']}: {error}")
    except SystemExit as exit_:
        return _failure("load", f"{order['shown']}: exited while it was imported: {_exit_text(exit_)}", *_trace())
    except BaseException as error:  # noqa: BLE001 - an app may raise anything, KeyboardInterrupt included
        if type(error).__name__ == "UnknownKindError":
            return _failure("unsupported", str(error))
        text = f"{order['shown']}: {_place(error)}{_one_line(error)}"
        if reached:
            text += f" (the app tried to reach {reached[0]}, and an app is loaded without a network)"
        return _failure("load", text, *_trace())
    return answer


def _failure(kind: str, message: str, details: str = "") -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message, "details": details}}


def _trace() -> tuple[str]:
    return (traceback.format_exc(),)


def _exit_text(exit_: SystemExit) -> str:
    if exit_.code is None or isinstance(exit_.code, int):
        return f"status {exit_.code or 0}"
    return " ".join(str(exit_.code).split())


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(error: BaseException) -> str:
    """The app's own line that failed: the innermost frame below the working directory or the first of a file."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: "
    here = str(Path.cwd())
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(here) and "site-packages" not in frame.filename:
            return f"{Path(frame.filename).name}, line {frame.lineno}: "
    return ""


def _forbid_network(reached: list[str]) -> None:
    """Refuse every connection and every name look-up: extraction depends on nothing that isn't in the project.

    An audit hook, because it sees what any library does with Python's sockets (PEP 578).
    """

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            target = f"{arguments[1][0]}:{arguments[1][1]}"
        elif event == "socket.getaddrinfo":
            target = str(arguments[0])
        else:
            return
        reached.append(target)
        raise ConnectionRefusedError("no network while an app is loaded")

    sys.addaudithook(hook)


if __name__ == "__main__":
    main()
