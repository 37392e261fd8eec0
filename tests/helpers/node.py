"""Run programs with Node.js and the packages of `tests/package.json`."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.support import PROJECT

FOLDER = PROJECT / "tests"
PACKAGES = FOLDER / "node_modules"


# A proxy would get the requests to loopback addresses too.
_ENV = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def reason_not_to_run(package: str = ".ready") -> str | None:
    """Return the reason why no Node.js program, or none with this package, can run on this machine, or None."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (PACKAGES / package).exists():
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
        # CDK_VALIDATION checks with the rules of cfn-lint. It takes 5 s, its errors are only warnings, and the
        # tests run cfn-lint themselves.
        env=_ENV | {"CDK_VALIDATION": "false"},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def link_packages(folder: Path) -> Path:
    """Link the packages into a folder, so that programs in it find them, and return the folder."""
    (folder / "node_modules").symlink_to(PACKAGES)
    return folder


@contextmanager
def run_oidc_provider(*resources: str) -> Iterator[str]:
    """Run node-oidc-provider, which issues tokens for these resources, and return its issuer."""
    pipe = subprocess.PIPE
    program = ["node", str(FOLDER / "helpers" / "oidc_provider.mjs")]
    # Its warnings are about its keys and its storage, which a test needs only once.
    with subprocess.Popen(
        program, env=_ENV, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=FOLDER
    ) as process:
        assert process.stdin
        assert process.stdout
        print(json.dumps(resources), file=process.stdin, flush=True)
        try:
            issuer = process.stdout.readline().strip()
            assert issuer, "node-oidc-provider did not start"
            yield issuer
        finally:
            process.kill()
