"""Write a manifest: the same bytes for the same content, and a file that is either complete or unchanged."""

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path

from routegen.errors import OutputError
from routegen.manifest.schema import Manifest


def dump_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as UTF-8 JSON: sorted by path, indented by two spaces, one newline at the end."""
    document = manifest.model_dump(mode="json", exclude_none=True)
    document["routes"].sort(key=lambda route: (route["path"], route["app"]))
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def replace_file(path: Path, data: bytes) -> None:
    """Replace the file at `path` atomically: write a temporary file, then rename it. Its folder is created.

    A symbolic link is followed, and the old file's permissions are kept. If the target is not a regular file, such as
    a pipe or a terminal, the data is written to it directly.

    Raises:
        OutputError: the file cannot be written; the old file is unchanged.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_and_rename(target, data)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None


def _write_and_rename(target: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_permissions(target))
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _permissions(target: Path) -> int:
    """Return the old file's permissions, or those that the umask gives a new file; mkstemp's are 0600."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
