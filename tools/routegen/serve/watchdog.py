"""A separate process that kills every function when the gateway ends, even if the gateway itself was killed.

`ProcessWatchdog` runs this file and writes lines to its stdin: `+pid` for a process group that has started, `-pid` for
one that has ended. When the gateway ends, stdin ends: the process kills every group that is left, and removes the
directory in argv[1], the functions' HOME. Only the standard library is imported, so that it starts at once.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path


class ProcessWatchdog:
    """Starts the watchdog process and tells it which process groups run."""

    def __init__(self, home: Path) -> None:
        """Have `home` removed at the end."""
        self._home = home

    def __enter__(self) -> "ProcessWatchdog":
        read_end, self._pipe = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(self._home)],
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(read_end)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._pipe)
        self._process.wait()

    def add(self, pid: int) -> None:
        """Kill this process group at the end."""
        self._write(f"+{pid}\n")

    def remove(self, pid: int) -> None:
        """Forget a process group that has ended."""
        self._write(f"-{pid}\n")

    def _write(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # the watchdog was killed; the gateway still ends its functions
            os.write(self._pipe, line.encode())


def main() -> None:
    """Read lines until stdin ends, then kill what is left."""
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line[0] == "+" else groups.discard
        change(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
