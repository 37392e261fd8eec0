"""Record what an app does while it is imported: variables that it misses, connections and servers that it starts.

Audit hooks (PEP 578) see the use of Python's sockets by any library.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import Any

from routegen.errors import shorten

_PACKAGE = f"{Path(__file__).parents[1]}/"
_LOOPBACK_NAMES = (None, "", "localhost", b"localhost", "127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - no server
_SEND_EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_LOOK_UP_EVENTS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
_FAMILIES, _SOCKET_TYPES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX), (socket.SOCK_STREAM, socket.SOCK_DGRAM)
_TYPE_BITS = 0xF
"""The bits of a socket's type that are no flags (socket(2))."""
_SERVER_FUNCTIONS = {
    "create_server", "server_bind", "bind_socket", "bind_sockets", "bind_addr", "create_sockets", "_create_sockets",
    "startListening", "serve"
}  # fmt: skip
_RUN_FUNCTIONS = {"serve_forever", "run_forever", "run_until_complete", "serve", "run", "start"}
_SILENT_SERVERS = {"granian", "robyn", "socketify"}
"""Packages of servers that bind their sockets outside of Python, where no audit hook sees it."""

_CHECKS, _SECONDS_TO_RETURN = 4, 0.5
"""The time in which a server that has bound its socket must return to the import, or run in another thread."""


@dataclass(frozen=True)
class SourcePlace:
    """A line of the user's source.

    Attributes:
        file: the file's path.
        line: the line's number, from 1.
    """

    file: str
    line: int


@dataclass(frozen=True)
class MissingVariable:
    """An environment variable that the app reads and that is not set.

    Attributes:
        name: the variable's name.
        place: the user's line that reads it, or that calls the library which reads it; None for a library's own import.
        is_direct: whether the user's line reads it.
        has_default: whether the reader gives a value to use instead.
    """

    name: str
    place: SourcePlace | None
    is_direct: bool
    has_default: bool


@dataclass
class ImportRecord:
    """What the app did so far.

    Attributes:
        folders: the folders of the user's sources.
        configured: the names of the variables that the configuration sets.
        readings: the user's lines that read one of them.
        is_copied: whether a user's line copies os.environ, so that not each reading of a variable is recorded.
        missing: the variables that are not set, in the order of the first reading.
        connections: each address that the app tried to reach, with the user's line.
        server: the user's line that has started a server.
        remaining_checks: how often the main thread is still looked at for the server.
    """

    folders: tuple[str, ...]
    configured: frozenset[str] = frozenset()
    readings: set[tuple[str, SourcePlace | None]] = field(default_factory=set)
    is_copied: bool = False
    missing: dict[str, MissingVariable] = field(default_factory=dict)
    connections: list[tuple[str, SourcePlace | None]] = field(default_factory=list)
    server: SourcePlace | None = None
    remaining_checks: int = 0

    def place(self, file: str, line: int | None) -> SourcePlace | None:
        """Return the place if the file is one of the user's sources."""
        is_users = file.startswith(self.folders) and "site-packages" not in file and not file.startswith(_PACKAGE)
        return SourcePlace(file, line or 1) if is_users else None

    def user_frame(self, frame: FrameType | None, *, through_imports: bool = False) -> FrameType | None:
        """Return the innermost frame of the user's sources.

        Args:
            frame: the frame that runs.
            through_imports: whether a user's line counts that imports a library.
        """
        for caller in _callers(frame):
            if self.place(caller.f_code.co_filename, 1):
                return caller
            if caller.f_code.co_filename.startswith("<frozen importlib") and not through_imports:
                return None
        return None

    def place_of(self, frame: FrameType | None) -> SourcePlace | None:
        """Return the user's line that a frame runs for."""
        user = self.user_frame(frame)
        return user and self.place(user.f_code.co_filename, user.f_lineno)

    def main_place(self) -> SourcePlace | None:
        """Return the user's line that the main thread runs."""
        user = self.user_frame(_main_frame(), through_imports=True)
        return user and self.place(user.f_code.co_filename, user.f_lineno)

    @property
    def optional_variables(self) -> list[str]:
        """The variables that the user's lines read without a default, and that the import does not need."""
        return [name for name, variable in self.missing.items() if variable.is_direct and not variable.has_default]

    def add_missing_variable(self, name: str, frame: FrameType) -> None:
        """Record that the variable is read and not set."""
        reader = _reader(frame)
        has_default = any(
            each.f_locals.get("default") is not None for each in takewhile(_is_environment, _callers(frame))
        )
        user = self.user_frame(reader)
        variable = MissingVariable(name, self.place_of(user), user is not None and user is reader, has_default)
        earlier_reading = self.missing.get(name)
        if earlier_reading is None or (variable.is_direct and not earlier_reading.is_direct):
            self.missing[name] = variable


class _RecordedEnvironment(os._Environ):  # type: ignore[type-arg]  # noqa: SLF001 - the class of os.environ
    """os.environ, which also records each name that is read and not set."""

    record: ImportRecord

    def __getitem__(self, name: Any) -> Any:
        try:
            value = super().__getitem__(name)
        except KeyError:
            self.record.add_missing_variable(str(name), sys._getframe(1))  # noqa: SLF001 - the line that reads it
            raise
        if name in self.record.configured:
            self.record.readings.add((name, self.record.place_of(sys._getframe(1))))  # noqa: SLF001 - as above
        return value

    def __iter__(self) -> Iterator[Any]:
        reader = _reader(sys._getframe(1))  # noqa: SLF001 - as above
        self.record.is_copied |= reader is not None and reader is self.record.user_frame(reader)
        return super().__iter__()


def record_import(
    folders: tuple[str, ...], configured: Iterable[str], report_server: Callable[[ImportRecord], object]
) -> ImportRecord:
    """Record from now on, and refuse what Python's sockets could send and each look-up of a name.

    An extraction depends only on the project, so it has no network. The hook sees only Python's sockets in this
    process; `fork_supervised` closes the network for other code where the system permits it.

    Args:
        folders: the folders of the user's sources.
        configured: the names of the variables that the configuration sets.
        report_server: called, in another thread, if the app runs a server and its import does not go on.
    """
    record = ImportRecord(tuple(f"{folder}/" for folder in folders), frozenset(configured))
    _RecordedEnvironment.record = record
    os.environ.__class__ = _RecordedEnvironment

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.bind":
            _record_server(record, sys._getframe(1))  # noqa: SLF001 - the line that binds
        elif event.startswith("socket.") and (address := _refused_address(event, arguments)) is not None:
            _refuse(record, address, sys._getframe(1))  # noqa: SLF001 - as above

    sys.addaudithook(watch)
    threading.Thread(target=_watch_main_thread, args=(record, report_server), daemon=True).start()
    return record


def _refused_address(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the address that a use of a socket asks for; None if it asks for none outside this process."""
    if event in _SEND_EVENTS and arguments[1] is not None:  # a message on a pair of sockets has no address
        address = arguments[1]
        return ":".join(map(str, address[:2])) if isinstance(address, tuple) else shorten(os.fsdecode(address))
    if event in _LOOK_UP_EVENTS:
        is_to_bind = event == "socket.getaddrinfo" and arguments[0] in _LOOPBACK_NAMES
        return None if is_to_bind else str(arguments[0])
    if event == "socket.__new__" and (arguments[1] not in _FAMILIES or arguments[2] & _TYPE_BITS not in _SOCKET_TYPES):
        return f"a socket of family {arguments[1]} and type {arguments[2]}"
    return None


def _refuse(record: ImportRecord, address: str, frame: FrameType) -> None:
    if frame.f_code.co_name != "getfqdn":  # it expects the error, and every http.server calls it
        # A library can connect in another thread.
        record.connections.append((address, record.place_of(frame) or record.main_place()))
    raise ConnectionRefusedError("no network while an app is loaded")


def _main_frame() -> FrameType | None:
    return sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001 - no public function has it


def _record_server(record: ImportRecord, frame: FrameType) -> None:
    if not record.server and any(caller.f_code.co_name in _SERVER_FUNCTIONS for caller in _callers(frame)):
        record.server, record.remaining_checks = record.main_place(), _CHECKS


def _watch_main_thread(record: ImportRecord, report_server: Callable[[ImportRecord], object]) -> None:
    """Report a server if the main thread runs it; many libraries bind a socket for a test, or serve in a thread."""
    while True:
        time.sleep(_SECONDS_TO_RETURN)
        is_silent_server = any(package in _SILENT_SERVERS for package, _ in running_functions(record))
        if (record.server or is_silent_server) and runs_a_loop(record):
            record.server = record.main_place()
            report_server(record)
        record.remaining_checks -= 1
        if record.remaining_checks <= 0:
            record.server = None


def runs_a_loop(record: ImportRecord) -> bool:
    """Whether a user's line has called a function that runs an event loop or a server, and the function goes on."""
    return any(function in _RUN_FUNCTIONS for _, function in running_functions(record))


def running_functions(record: ImportRecord) -> list[tuple[str, str]]:
    """Return the package and the name of each function of a library that the main thread runs for a user's line."""
    functions: list[tuple[str, str]] = []
    for frame in _callers(_main_frame()):
        if record.place(frame.f_code.co_filename, 1):
            return functions
        functions.append((frame.f_globals.get("__name__", "").partition(".")[0], frame.f_code.co_name))
    return []


def _is_environment(frame: FrameType) -> bool:
    return frame.f_code.co_filename in ("<frozen os>", "<frozen _collections_abc>")


def _reader(frame: FrameType) -> FrameType | None:
    """Return the frame that uses os.environ."""
    return next((caller for caller in _callers(frame) if not _is_environment(caller)), None)


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def shown_place(place: SourcePlace | None, root: str) -> str:
    """`folder/server.py, line 6`, relative to the root if the file is below it; empty without a place."""
    if place is None:
        return ""
    file = Path(place.file)
    name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
    return f"{name}, line {place.line}"
