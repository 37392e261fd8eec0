"""`path/to/file.py:attribute` and `package.module:attribute`: bringing in the object that an APP names."""

import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from routegen.discover.unwrap import is_a
from routegen.load.uncached_import import FreshLoader


class TargetError(Exception):
    """An APP doesn't name an app; the text says what was found instead."""


@dataclass(frozen=True)
class Target:
    """An APP, taken apart.

    Attributes:
        module: a file's path or a module's dotted name, as written.
        attribute: a dotted attribute, or None where the file's only candidate is meant.
    """

    module: str
    attribute: str | None

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `MODULE[:ATTRIBUTE]`; a call's parentheses after the attribute are allowed and mean nothing."""
        module, colon, attribute = text.rpartition(":")
        if not colon or "/" in attribute or attribute.endswith(".py"):
            return cls(text, None)
        return cls(module, attribute.removesuffix("()") or None)

    @property
    def is_file(self) -> bool:
        """Whether the module is named by a file's path."""
        return self.module.endswith(".py") or "/" in self.module


def import_target(target: Target) -> ModuleType:
    """Import the module that a target names; a file becomes a module of its own name, as on Lambda.

    A file inside a package (an `__init__.py` beside it) is imported as that package's module, so that its
    relative imports work.

    Raises:
        TargetError: there is no such file.
        Exception: whatever the module raises.
    """
    if not target.is_file:
        return importlib.import_module(target.module)
    file = Path(target.module).resolve()
    if not file.is_file():
        raise TargetError("there is no such file")
    root, name = file.parent, file.stem
    while (root / "__init__.py").is_file():
        root, name = root.parent, f"{root.name}.{name}"
    sys.path.insert(0, str(root))
    if "." in name:
        return importlib.import_module(name)
    # Not import_module: a file called `queue.py` must not become the standard library's.
    spec = importlib.util.spec_from_file_location(name, file, loader=FreshLoader(name, str(file)))
    if spec is None or spec.loader is None:
        raise TargetError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def find_app(module: ModuleType, target: Target) -> Any:
    """The app object that a target names in its module; a factory is called.

    Raises:
        TargetError: no such attribute, no candidate, or several.
        Exception: whatever a factory raises.
    """
    if target.attribute is None:
        return _only_candidate(module)
    value: Any = module
    for step in target.attribute.split("."):
        if not hasattr(value, step):
            candidates = _candidates(module)
            found = f"; its apps are {', '.join(candidates)}" if candidates else ""
            raise TargetError(f"no attribute {target.attribute!r}{found}")
        value = getattr(value, step)
    return value() if _is_factory(value) else value


def _only_candidate(module: ModuleType) -> Any:
    candidates = _candidates(module)
    if len(candidates) == 1:
        return getattr(module, candidates[0])
    if not candidates:
        raise TargetError("holds no app that can be told by its class; name one with :ATTRIBUTE")
    raise TargetError(f"holds several apps; name one: {' or '.join(f':{name}' for name in candidates)}")


def _candidates(module: ModuleType) -> list[str]:
    """Names of the module's own apps: ASGI applications before the servers that they were made from."""
    named = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    asgi = [name for name, value in named.items() if is_a(value, "starlette.applications.Starlette")]
    return asgi or [name for name, value in named.items() if is_a(value, "fastmcp.server.server.FastMCP")]


def _is_factory(value: Any) -> bool:
    """Whether a call without arguments gives the app: a plain function that doesn't take ASGI's three."""
    if not inspect.isfunction(value) and not inspect.ismethod(value):
        return False
    required = [
        parameter
        for parameter in inspect.signature(value).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    return not required and not inspect.iscoroutinefunction(value)
