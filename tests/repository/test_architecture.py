"""The rooms of the package, and the whole table of who imports whom."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from helpers.support import PROJECT

PACKAGE = PROJECT / "tools" / "routegen"
FRAMEWORKS = ("fastmcp", "starlette", "pulumi", "click", "jinja2")
LOOSE_MODULES = {"errors", "config", "roles"}
MAXIMUM_ROOMS = 20

# Each room with the rooms that it imports. The rooms are in order: a room imports only rooms above it in this table.
IMPORTS: dict[str, set[str]] = {
    "errors": set(),
    "config": {"errors"},
    "gateway": {"errors"},
    "manifest": {"errors", "gateway"},
    "roles": {"gateway", "manifest"},
    "report": {"errors"},
    "discover": {"errors", "gateway"},
    "load": {"config", "discover", "errors"},
    "extract": {"config", "discover", "errors", "gateway", "load", "manifest", "report", "roles"},
    "diff": {"gateway", "manifest", "report"},
    "prove": {"config", "discover", "extract", "gateway", "load", "manifest", "report", "roles"},
    "verify": {"errors", "gateway", "manifest", "report", "roles"},
    "serve": {"config", "errors", "gateway", "manifest", "roles", "verify"},
    "audit": {"errors", "gateway", "manifest", "report"},
    "adopt": {"audit", "errors", "gateway", "manifest"},
    "render": {"errors", "gateway", "manifest"},
    "pulumi": {"config", "errors", "gateway", "manifest"},
    "init": {"config", "errors", "load", "manifest", "render"},
    "cli": {
        "adopt", "audit", "config", "diff", "errors", "extract", "gateway", "init", "manifest", "prove", "render",
        "report", "roles", "serve", "verify",
    },
}  # fmt: skip


def room_of(module: str) -> str:
    """The room of a dotted name: `routegen.verify.clients` is in `verify`."""
    return module.split(".")[1]


def imported_modules(file: Path) -> set[str]:
    """Every module of routegen that a file imports, at its top or inside a function."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
            modules.add(node.module)
    return {module for module in modules if module.startswith("routegen.") and not module.startswith("routegen.__")}


def actual_imports() -> dict[str, set[str]]:
    """Each room with the rooms that its files import."""
    imports: dict[str, set[str]] = defaultdict(set)
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if not room.startswith("__"):
            imports[room] |= {room_of(module) for module in imported_modules(file)} - {room}
    return imports


def test_the_table_lists_exactly_the_imports_of_each_room() -> None:
    assert actual_imports() == IMPORTS


def test_a_room_imports_only_rooms_above_it() -> None:
    order = list(IMPORTS)
    for room, imported in IMPORTS.items():
        assert all(order.index(other) < order.index(room) for other in imported), room


def test_few_rooms_and_no_loose_module_beside_them() -> None:
    packages = {file.parent for file in PACKAGE.rglob("__init__.py")} - {PACKAGE}
    assert {file.stem for file in PACKAGE.glob("*.py") if not file.stem.startswith("__")} == LOOSE_MODULES
    assert len(packages) <= MAXIMUM_ROOMS


def loaded_modules(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("room", ["routegen.manifest", "routegen.gateway"])
def test_a_reader_of_manifests_imports_no_framework(room: str) -> None:
    assert not loaded_modules(f"import {room}").intersection(FRAMEWORKS)


def test_help_imports_no_framework() -> None:
    modules = loaded_modules("import routegen.cli")
    assert not modules.intersection({"fastmcp", "starlette", "pydantic", "pulumi", "jinja2"})


LAZY_IMPORTS_ALLOWED = {"cli/__init__.py"}


def test_only_the_command_table_imports_lazily() -> None:
    lazy = set()
    for file in PACKAGE.rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                bodies = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
                lazy |= {file.relative_to(PACKAGE).as_posix() for _ in bodies}
    assert lazy <= LAZY_IMPORTS_ALLOWED


def names_that_mean_two_things() -> dict[str, list[str]]:
    """File names and class names that exist more than once in the code that is not tests."""
    places: dict[str, list[str]] = defaultdict(list)
    for folder in ("tools", "infra", "app", "dev"):
        for file in (PROJECT / folder).rglob("*.py"):
            relative = file.relative_to(PROJECT)
            if "build" in relative.parts or ".venv" in relative.parts:
                continue
            if not file.name.startswith("__") and "cli" not in relative.parts:
                places[file.name].append(str(relative))
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ClassDef):
                    places[f"class {node.name}"].append(str(relative))
    return {name: where for name, where in places.items() if len(where) > 1}


def test_no_two_files_or_classes_have_the_same_name() -> None:
    assert names_that_mean_two_things() == {}
