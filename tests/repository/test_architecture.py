"""The rooms of the house, and who may import whom."""

import subprocess
import sys

import pytest

FRAMEWORKS = ("fastmcp", "starlette", "pulumi", "click", "jinja2")


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("room", ["routegen.manifest", "routegen.gateway"])
def test_a_reader_of_manifests_imports_no_framework(room: str) -> None:
    assert not loaded_by(f"import {room}").intersection(FRAMEWORKS)


@pytest.mark.parametrize(
    ("room", "foreign"),
    [
        ("routegen.gateway", ("manifest", "load", "discover", "compare", "cli", "config", "assemble")),
        ("routegen.manifest", ("load", "discover", "compare", "cli", "config", "assemble")),
        ("routegen.discover", ("manifest", "load", "compare", "cli", "config", "assemble", "carry")),
        ("routegen.diff", ("load", "discover", "cli", "config", "assemble")),
        ("routegen.serve.local_gateway", ("cli", "load", "discover", "compare", "assemble")),
        ("routegen.extract", ("cli", "diff", "prove")),
    ],
)
def test_no_room_looks_back(room: str, foreign: tuple[str, ...]) -> None:
    assert not loaded_by(f"import {room}").intersection(f"routegen.{name}" for name in foreign)


def test_help_imports_no_framework() -> None:
    code = "import routegen.cli"
    assert not loaded_by(code).intersection({"fastmcp", "starlette", "pydantic", "pulumi", "jinja2"})
