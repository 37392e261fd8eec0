"""Run programs with Node.js and the packages of `tests/package.json`."""

import os
import shutil
import subprocess
from pathlib import Path

from helpers.support import PROJECT

FOLDER = PROJECT / "tests"
PACKAGES = FOLDER / "node_modules"


def reason_not_to_run() -> str | None:
    """Return the reason why no Node.js program can run on this machine, or None."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (PACKAGES / ".ready").exists():
        return "the packages for node are not installed: make node"
    return None


def run_node(*arguments: str, text: str | None = None, folder: Path = FOLDER) -> str:
    """Run node and return its stdout.

    Args:
        arguments: the command line arguments.
        text: the text for stdin.
        folder: the working directory; it needs a `node_modules` (`link_packages`).
    """
    done = subprocess.run(
        ["node", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=120,
        # A proxy would get the requests to loopback addresses too. CDK_VALIDATION is a check of the CDK with cfn-lint's
        # rules: it takes 5 s, its errors are only warnings, and the tests run cfn-lint themselves.
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        | {"CDK_VALIDATION": "false"},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def link_packages(folder: Path) -> Path:
    """Link the packages into a folder, so that programs in it find them, and return the folder."""
    (folder / "node_modules").symlink_to(PACKAGES)
    return folder
