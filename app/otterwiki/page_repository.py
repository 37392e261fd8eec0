"""The git repository with the pages, shared by all instances: one writer at a time, and readers without a lock.

A writer holds a lock on `write.lock`, and this file has the version of the pages: an even number. A writer makes the
number odd before it changes a file, and even afterwards. A reader compares the versions before and after its work; if
they differ, it reads again. So a reader never blocks a writer, and never returns half a save.

An odd number without a lock is the trace of a writer that was killed or failed. The next request restores the last
commit, because Otterwiki answers a save only after its commit.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

POLL_SECONDS = 0.01
"""A blocking lock of an NFS client tries again after 1, 2, 4, ... seconds (`nfs4_retry_setlk` in Linux)."""
_VERSION_DIGITS = 20  # a fixed length: the file system can be full


class RepositoryBusyError(Exception):
    """Another writer has held the lock for the whole time that a request can wait."""


class PageRepository:
    """The repository of one data directory.

    Attributes:
        path: the working tree.
    """

    def __init__(self, data: Path) -> None:
        self.path = data / "repository"
        self._lock_file = data / "write.lock"

    def version(self) -> int:
        """Return the version of the pages; an odd number if a writer is at work or was killed.

        Opening the file gets its current content from an NFS server (close-to-open consistency).
        """
        try:
            return int(self._lock_file.read_bytes() or 0)
        except FileNotFoundError:
            return 0

    def wait_for_version(self, seconds: float) -> int:
        """Wait until no writer is at work, and return the version of the pages.

        Raises:
            RepositoryBusyError: a writer has been at work for the whole time.
        """
        version = self.version()
        if version % 2:
            with self.locked(seconds):
                version = self.version()
        return version

    @contextmanager
    def locked(self, seconds: float) -> Iterator[int]:
        """Hold the write lock without a change of the pages; gives the descriptor of the lock file.

        EFS implements `flock` as an NFSv4 advisory lock, which ends with its process
        (https://docs.aws.amazon.com/efs/latest/ug/features.html). The process that holds `next.lock` gets the write
        lock next, so that a busy process cannot take it again and again while others wait.

        Args:
            seconds: the longest time to wait for the lock.

        Raises:
            RepositoryBusyError: other processes have held the lock for this time.
        """
        deadline = time.monotonic() + seconds
        with ExitStack() as stack:
            with hold(self._lock_file.with_name("next.lock"), deadline):
                descriptor = stack.enter_context(hold(self._lock_file, deadline))
            if self.version() % 2 and self._restore_last_commit(os.fstat(descriptor).st_ctime_ns):
                _write_version(descriptor, self.version() + 1)
            yield descriptor

    @contextmanager
    def writing(self, seconds: float) -> Iterator[Callable[[], None]]:
        """Be the only writer; gives the function to call after the work has succeeded.

        If the block ends without this call, the next request restores the last commit.

        Args:
            seconds: the longest time to wait for the lock.

        Raises:
            RepositoryBusyError: another process has held the lock for this time.
        """
        with self.locked(seconds) as descriptor:
            self.remove_lock_files()
            started = self.version() // 2 * 2 + 1
            _write_version(descriptor, started)
            yield lambda: _write_version(descriptor, started + 1)

    def remove_lock_files(self) -> None:
        """Remove the lock files of a killed git. The caller holds the write lock.

        Without this, no page could be saved after one Lambda time-out during a commit. The directories of loose objects
        are left out, because they have no lock files and many entries.
        """
        git = self.path / ".git"
        for folder, folders, files in os.walk(git):
            if folder == str(git / "objects"):
                folders[:] = [name for name in folders if len(name) > 2]
            for name in files:
                if name.endswith(".lock") or name == "gc.pid":
                    Path(folder, name).unlink(missing_ok=True)

    def _restore_last_commit(self, started: int) -> bool:
        """Restore the files of the last commit, and delete the new files of an unfinished save.

        Args:
            started: the time in nanoseconds when the unfinished save started. Older files without a commit stay.
        """
        self.remove_lock_files()
        try:
            self._git("reset", "--hard", "--quiet")
            names = self._git("ls-files", "-z", "--others")
        except subprocess.CalledProcessError as error:
            print(f"wiki: {self.path}: {error}: {' '.join(error.stderr.split())}", file=sys.stderr)
            return False
        for file in (self.path / name for name in names.split("\0") if name and not name.endswith("/")):
            if file.lstat().st_ctime_ns >= started:
                file.unlink()
                _remove_empty_folders(file.parent, self.path)
        return True

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="surrogateescape", check=True
        ).stdout


@contextmanager
def hold(file: Path, deadline: float) -> Iterator[int]:
    """Hold an exclusive lock on a file; gives its descriptor.

    Args:
        file: the file; it is created if it is missing.
        deadline: the end of waiting on the monotonic clock.

    Raises:
        RepositoryBusyError: another process has held the lock until the deadline.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise RepositoryBusyError from None
                time.sleep(POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def _write_version(descriptor: int, version: int) -> None:
    os.pwrite(descriptor, f"{version:0{_VERSION_DIGITS}}".encode(), 0)
    os.fsync(descriptor)  # NFS: other clients must see the number before the changes that follow


def _remove_empty_folders(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
