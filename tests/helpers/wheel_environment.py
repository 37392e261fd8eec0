"""A virtual environment that holds the wheel, its dependencies and chosen frameworks, and nothing else."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from helpers.support import PROJECT
from packaging.requirements import Requirement


def make_environment(folder: Path, *frameworks: str) -> Path:
    """Build the wheel, and make an environment without a network; return its Python.

    The packages are links to those of the environment of the tests.
    """
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    for name in sorted(_closure(["routegen", *frameworks])):
        for entry in _entries(name):
            if not (packages / entry.name).exists():
                (packages / entry.name).symlink_to(entry)
    return folder / "venv" / "bin" / "python"


def _closure(requirements: list[str]) -> set[str]:
    """The names of the installed packages that the requirements need, without routegen itself."""
    waiting, seen = [Requirement(text) for text in requirements], set()
    names = set()
    while waiting:
        requirement = waiting.pop()
        key = (requirement.name.lower(), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needs = distribution(requirement.name).requires or []
        except PackageNotFoundError:
            continue
        names.add(requirement.name)
        for need in map(Requirement, needs):
            environments = [{"extra": extra} for extra in requirement.extras or {""}]
            if need.marker is None or any(need.marker.evaluate(environment) for environment in environments):
                waiting.append(need)
    return names - {"routegen"}


def _entries(name: str) -> Iterator[Path]:
    """The files and folders of a package at the top of site-packages."""
    package = distribution(name)
    tops = {file.parts[0] for file in package.files or () if file.parts[0] != ".."}
    for top in tops - {"__pycache__"}:
        yield Path(str(package.locate_file(top)))
