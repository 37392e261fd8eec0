"""Writing a manifest: the same bytes for the same content, and a file that is whole or untouched."""

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path

from routegen.errors import OutputError
from routegen.manifest.schema import Manifest


def dump_manifest(manifest: Manifest) -> bytes:
    """The manifest as the contract writes it: sorted by path, two-space indent, one newline at the end."""
    document = manifest.model_dump(mode="json", exclude_none=True)
    document["routes"].sort(key=lambda route: (route["path"], route["app"]))
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path`, all of it or nothing: a file of its own first, then renamed over the old one.

    A symbolic link is followed, the old file's permissions are kept, and a target that isn't a regular file
    (a pipe, a terminal) is simply written to.

    Raises:
        OutputError: it could not be written; what stood at `path` is untouched.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        _write_beside(target, data)
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from None


def _write_beside(target: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _mode(target: Path) -> int:
    """The old file's permissions, or what the umask gives a new one (mkstemp's 0600 would shut out the team)."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
