"""Versions of a function's source files and of the manifest, so that a change is noticed.

They are polled, because polling works on every file system.
"""

import os
from pathlib import Path

FileVersion = tuple[int, int, int]
"""Modification time in nanoseconds, size and inode of a file."""

_OTHER_DIRECTORIES = frozenset({"__pycache__", "build", "node_modules", "site-packages"})


def file_version(file: Path) -> FileVersion | None:
    """The version of a file; None if there is no file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def source_versions(directory: Path) -> dict[str, FileVersion]:
    """The version of each Python file below a directory.

    Hidden directories, installed packages and the output of builds are left out.
    """
    versions: dict[str, FileVersion] = {}
    for folder, subfolders, names in os.walk(directory):
        subfolders[:] = [name for name in subfolders if name[0] != "." and name not in _OTHER_DIRECTORIES]
        for name in names:
            file = Path(folder, name)
            if name.endswith(".py") and (version := file_version(file)) is not None:
                versions[str(file)] = version
    return versions
