"""Extract with other releases of the apps' dependencies, installed in a temporary directory.

The environment stays unchanged. The apps' processes find the installed packages before those of the environment. The
installation needs a package index.
"""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from routegen.config import Config
from routegen.errors import LoadError
from routegen.extract.build import Extraction
from routegen.extract.pipeline import extract


def extract_with_requirements(config: Config, requirements: Sequence[str]) -> Extraction:
    """Install requirements in a temporary directory, and extract the apps with them.

    Args:
        config: the configuration.
        requirements: for example `fastmcp==2.14.5`.

    Raises:
        LoadError: the requirements cannot be installed, or an app cannot be loaded with them.
        UnsupportedRouteError: as `routegen.extract.extract`.
    """
    with tempfile.TemporaryDirectory(prefix="routegen-with-") as directory:
        _install(requirements, directory)
        try:
            return extract(config.with_changes(packages=Path(directory)))
        except LoadError as error:
            raise LoadError(f"with {', '.join(requirements)}: {error}", error.details) from None


def _install(requirements: Sequence[str], directory: str) -> None:
    completed = subprocess.run(
        [*_installer(), "--quiet", "--target", directory, "--", *requirements],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        output = (completed.stderr or completed.stdout).strip()
        reason = " ".join(output.split())[:300] or f"exit code {completed.returncode}"
        raise LoadError(f"{', '.join(requirements)}: cannot be installed: {reason}", output)


def _installer() -> list[str]:
    """Return the command that installs packages: uv if it is available, because it is much faster, else pip."""
    if importlib.util.find_spec("uv"):
        uv = [sys.executable, "-m", "uv"]
    elif executable := shutil.which("uv"):
        uv = [executable]
    elif importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    else:
        raise LoadError("--with: it needs uv or pip, and this environment has neither; install one of them")
    return [*uv, "pip", "install", "--python", sys.executable]
