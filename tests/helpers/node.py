"""Programs for Node.js, with the packages of `tests/package.json`."""

import os
import shutil
import subprocess
from pathlib import Path

from helpers.support import PROJECT

FOLDER = PROJECT / "tests"
PACKAGES = FOLDER / "node_modules"


def why_not() -> str | None:
    """Why nothing that needs Node.js can run here, if it can't."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (PACKAGES / ".ready").exists():
        return "its packages are not installed: make node"
    return None


def node(*arguments: str, text: str | None = None, here: Path = FOLDER) -> str:
    """Run node and return what it has printed.

    Args:
        arguments: of the command line.
        text: what it may read.
        here: its directory; `node_modules` is found from the project's tests.
    """
    done = subprocess.run(
        ["node", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd=here,
        timeout=120,
        # A proxy would be asked for loopback too.
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def linked(folder: Path) -> Path:
    """A folder whose programs find the packages."""
    (folder / "node_modules").symlink_to(PACKAGES)
    return folder
