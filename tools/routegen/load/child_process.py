"""The process that imports the app: routegen runs it as `python -P -m routegen.load.child_process`.

It reads its order as a line of JSON from stdin, and writes JSON objects to the file descriptor that argv[1] names.
Each line begins with the order's token, so that nothing else that an app writes there counts.
"""

import importlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO

from routegen.discover import UnknownRouteKindError
from routegen.errors import shorten
from routegen.load.app_reference import AppReference, import_referenced_module, resolve_app
from routegen.load.application import AppReferenceError, app_of_handler
from routegen.load.failure_cause import CauseKind, FailureCause, error_place, error_text, find_cause
from routegen.load.import_record import ImportRecord, record_import, runs_a_loop, shown_place
from routegen.load.supervisor import fork_supervised
from routegen.load.uncached_import import import_uncached_below


def main() -> None:
    """Load the app, run the task, and end the process in spite of threads and exit handlers that the app left."""
    stdin = _take_stdin()
    order = json.loads(stdin.readline())
    result, token = int(sys.argv[1]), order.pop("token")
    pipe = os.fstat(result)
    os.set_inheritable(result, False)
    sys.argv[:] = [order["module"]]

    def send(answer: dict[str, Any]) -> None:
        message = f"{token} {json.dumps(answer)}\n".encode()
        if not os.path.samestat(pipe, os.fstat(result)):  # the app can have closed it, and opened a file
            raise OSError("it is another file")
        while message:
            message = message[os.write(result, message) :]

    fork_supervised(lambda status: send({"exit": status}))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is Python's own stream
    ending = threading.Lock()

    def end_with(answer: dict[str, Any]) -> NoReturn:
        ending.acquire()  # the first thread that ends the process keeps it
        # The parent ends this process as soon as it has the answer, so the output must be flushed before.
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            send(answer)
        except OSError as error:
            print(f"routegen: the app has closed routegen's pipe: {error}", file=sys.stderr)
        os._exit(1)

    def report_server(record: ImportRecord) -> None:
        cause = FailureCause("server", place=shown_place(record.server, order["root"]))
        end_with(_failure("load", f"{order['display_name']}: the import does not end", cause=cause))

    folders = tuple({order["root"], *order["paths"], *order["folders"]})
    record = record_import(folders, order["variables"], report_server)
    is_loaded = threading.Event()

    def report_timeout() -> None:
        if not is_loaded.wait(order["deadline"] - time.monotonic()):
            kind: CauseKind = "loop" if runs_a_loop(record) else "timeout"
            cause = FailureCause(kind, place=shown_place(record.main_place(), order["root"]))
            end_with(_failure("load", order["display_name"], cause=cause))

    def exchange(data: dict[str, Any]) -> Any:
        """Report that the app is loaded, which ends the time-out, with data; return the parent's reply."""
        is_loaded.set()
        send({"loaded": data})
        return json.loads(stdin.readline())

    threading.Thread(target=report_timeout, daemon=True).start()
    end_with(_load_and_run(order, record, exchange))


def _take_stdin() -> TextIO:
    """Return stdin, on which the parent sends data, and give the app an empty one in its place."""
    stdin = os.fdopen(os.dup(0), encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return stdin


def _load_and_run(
    order: dict[str, Any], record: ImportRecord, exchange: Callable[[dict[str, Any]], Any]
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
        answer: dict[str, Any] = importlib.import_module(order["task"]).run_task(app, exchange)
        answer["unset_variables"] = record.optional_variables
    except AppReferenceError as error:
        return _failure("reference", f"{name}: {error}")
    except UnknownRouteKindError as error:
        return _failure("unsupported", str(error))
    except BaseException as error:  # noqa: BLE001 - an app can raise any error, also KeyboardInterrupt
        text = (
            f"exited while it was imported: {_exit_text(error)}" if isinstance(error, SystemExit) else error_text(error)
        )
        place = shown_place(error_place(error, record), order["root"])
        subject = place if place.startswith(f"{name},") else f"{name}: {place}" if place else name
        return _failure("load", f"{subject}: {text}", traceback.format_exc(), find_cause(error, record, order["root"]))
    return answer


def _load_app(reference: AppReference, handler: str) -> Any:
    module = import_referenced_module(reference)
    app = resolve_app(module, reference)
    handler_module, _, attribute = handler.rpartition(".")
    own_names = {module.__name__, module.__name__.rpartition(".")[2], Path(reference.module).stem}
    if handler_module and handler_module not in own_names:
        try:
            module = importlib.import_module(handler_module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a module can raise any error
            print(f"routegen: the handler {handler} is not compared with the app: {error_text(error)}", file=sys.stderr)
            return app
    return app_of_handler(module, app, attribute)


def _failure(kind: str, message: str, details: str = "", cause: FailureCause | None = None) -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message, "details": details, "cause": cause and cause.as_data()}}


def _exit_text(exit_: SystemExit) -> str:
    if exit_.code is None or isinstance(exit_.code, int):
        return f"status {exit_.code or 0}"
    return shorten(" ".join(str(exit_.code).split()), 200)


if __name__ == "__main__":
    main()
