"""The process that imports the app: routegen runs it as `python -P -m routegen.load.child_process`.

It reads its order as JSON from argv[1], and writes one JSON object to the file descriptor that the order names.
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

from routegen.discover import UnknownRouteKindError
from routegen.load.app_reference import AppReference, import_referenced_module, resolve_app
from routegen.load.application import AppReferenceError, app_of_handler
from routegen.load.uncached_import import import_uncached_below


def main() -> None:
    """Load the app, run the task, and end the process in spite of threads and exit handlers that the app left."""
    _end_with_parent()
    order = json.loads(sys.argv[1])
    result = order["result"]
    os.set_inheritable(result, False)
    sys.argv[:] = [order["module"]]
    attempted_connections: list[str] = []
    _forbid_network(attempted_connections)
    answer = _load_and_run(order, attempted_connections, lambda: os.write(result, b"loaded\n"))
    # The parent ends this process as soon as it has the answer, so the output must be flushed before.
    sys.stdout.flush()
    sys.stderr.flush()
    with os.fdopen(result, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(answer) + "\n")
    os._exit(0)


def _end_with_parent() -> None:
    """Let Linux end this process when routegen is killed and cannot do it (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _load_and_run(
    order: dict[str, Any], attempted_connections: list[str], report_loaded: Callable[[], object]
) -> dict[str, Any]:
    reference = AppReference(order["module"], order["attribute"])
    for root in {Path(order["root"]), Path.cwd()}:
        import_uncached_below(root)
    for directory in reversed(order["paths"]):
        sys.path.insert(0, directory)
    name = order["display_name"]
    try:
        app = _load_app(reference, order["handler"])
        # Imported after the app, which has imported most of the modules that a task needs.
        answer: dict[str, Any] = importlib.import_module(order["task"]).run_task(app, report_loaded)
    except AppReferenceError as error:
        return _failure("reference", f"{name}: {error}")
    except UnknownRouteKindError as error:
        return _failure("unsupported", str(error))
    except SystemExit as exit_:
        return _failure("load", f"{name}: exited while it was imported: {_exit_text(exit_)}", traceback.format_exc())
    except BaseException as error:  # noqa: BLE001 - an app can raise any error, also KeyboardInterrupt
        text = f"{name}: {_error_place(error)}{_one_line(error)}"
        if attempted_connections:
            text += f" (the app tried to reach {attempted_connections[0]}, and an app is loaded without a network)"
        return _failure("load", text, traceback.format_exc())
    return answer


def _load_app(reference: AppReference, handler: str) -> Any:
    module = import_referenced_module(reference)
    return app_of_handler(module, resolve_app(module, reference), handler)


def _failure(kind: str, message: str, details: str = "") -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message, "details": details}}


def _exit_text(exit_: SystemExit) -> str:
    if exit_.code is None or isinstance(exit_.code, int):
        return f"status {exit_.code or 0}"
    return " ".join(str(exit_.code).split())


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _error_place(error: BaseException) -> str:
    """Return the app's own line that failed: the innermost frame of a file below the working directory."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: "
    directory = str(Path.cwd())
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(directory) and "site-packages" not in frame.filename:
            return f"{Path(frame.filename).name}, line {frame.lineno}: "
    return ""


def _forbid_network(attempted_connections: list[str]) -> None:
    """Refuse every connection and every name look-up: an extraction depends only on the project.

    It is an audit hook (PEP 578), which sees the use of Python's sockets by any library.
    """

    def refuse_sockets(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            address = f"{arguments[1][0]}:{arguments[1][1]}"
        elif event == "socket.getaddrinfo":
            address = str(arguments[0])
        else:
            return
        attempted_connections.append(address)
        raise ConnectionRefusedError("no network while an app is loaded")

    sys.addaudithook(refuse_sockets)


if __name__ == "__main__":
    main()
