"""Ends every function when the gateway is gone, however it went: run as a file of its own, never by hand.

In, on stdin: `+pid` for a process group that has started, `-pid` for one that has ended. When stdin ends, the
gateway has: every group that is left is killed, and the directory in argv[1], the functions' HOME, is removed.
Only the standard library, so that it starts at once.
"""

import contextlib
import os
import shutil
import signal
import sys


def main() -> None:
    """Keep the list until stdin ends."""
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
