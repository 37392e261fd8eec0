"""What has changed since the last look: a function's source, or the manifest; polled, so that it works everywhere."""

import os
from pathlib import Path

Stamp = tuple[int, int, int]
"""A file's time of change in nanoseconds, size and inode."""

_NOT_SOURCE = frozenset({"__pycache__", "build", "node_modules", "site-packages"})


def stamp(file: Path) -> Stamp | None:
    """What tells one version of a file from another; None where there is no file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def sources(directory: Path) -> dict[str, Stamp]:
    """Every Python file below a directory; hidden directories, packages and what builds leave are left out."""
    found: dict[str, Stamp] = {}
    for place, directories, files in os.walk(directory):
        directories[:] = [one for one in directories if one[0] != "." and one not in _NOT_SOURCE]
        for name in files:
            if name.endswith(".py"):
                file = Path(place, name)
                version = stamp(file)
                if version is not None:
                    found[str(file)] = version
    return found
