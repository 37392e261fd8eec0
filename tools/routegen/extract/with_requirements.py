"""Extracting with other releases of what the app uses: in a throw-away directory, the environment left as it is.

In: requirements such as `fastmcp==2.14.5`. Out: an extraction by an interpreter that finds what they ask for, with all
its dependencies, before what the environment has. Costs an installation, which needs a package index.
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


def extract_with(config: Config, requirements: Sequence[str]) -> Extraction:
    """What the apps would serve if these requirements were installed.

    Raises:
        LoadError: they can't be installed, or an app can't be imported with them.
        UnsupportedRouteError: as `routegen.extract.extract`.
    """
    with tempfile.TemporaryDirectory(prefix="routegen-with-") as directory:
        _install(requirements, directory)
        try:
            return extract(config.with_changes(packages=Path(directory)))
        except LoadError as error:
            raise LoadError(f"with {', '.join(requirements)}: {error}", error.details) from None


def _install(requirements: Sequence[str], directory: str) -> None:
    done = subprocess.run(
        [*_installer(), "--quiet", "--target", directory, "--", *requirements],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        reason = " ".join(said.split())[:300] or f"exit code {done.returncode}"
        raise LoadError(f"{', '.join(requirements)} can't be installed: {reason}", said)


def _installer() -> list[str]:
    """The command that installs: uv where there is one, because it is much faster, else pip."""
    if importlib.util.find_spec("uv"):
        uv = [sys.executable, "-m", "uv"]
    elif found := shutil.which("uv"):
        uv = [found]
    elif importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    else:
        raise LoadError("installing needs uv or pip, and this environment has neither")
    return [*uv, "pip", "install", "--python", sys.executable]
