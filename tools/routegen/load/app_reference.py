"""References to apps, `path/to/file.py:attribute` or `package.module:attribute`, and the objects that they name."""

import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from routegen.discover.unwrap import has_class
from routegen.load.uncached_import import UncachedSourceLoader


class AppReferenceError(Exception):
    """A reference does not name an app; the text gives the reason and the apps that the module has."""


@dataclass(frozen=True)
class AppReference:
    """A parsed reference to an app.

    Attributes:
        module: a file's path or a module's dotted name, as written.
        attribute: a dotted attribute; None for the module's only app.
    """

    module: str
    attribute: str | None

    @classmethod
    def parse(cls, text: str) -> "AppReference":
        """Parse `MODULE[:ATTRIBUTE]`; parentheses after the attribute are allowed and mean nothing."""
        module, colon, attribute = text.rpartition(":")
        if not colon or "/" in attribute or attribute.endswith(".py"):
            return cls(text, None)
        return cls(module, attribute.removesuffix("()") or None)

    @property
    def is_file(self) -> bool:
        """Whether the module is given as a file's path."""
        return self.module.endswith(".py") or "/" in self.module


def import_referenced_module(reference: AppReference) -> ModuleType:
    """Import the module of a reference; a file becomes a top-level module, as on Lambda.

    A file inside a package (an `__init__.py` beside it) is imported as that package's module, so that its relative
    imports work.

    Raises:
        AppReferenceError: the file does not exist.
        Exception: any error that the module raises.
    """
    if not reference.is_file:
        return importlib.import_module(reference.module)
    file = Path(reference.module).resolve()
    if not file.is_file():
        raise AppReferenceError("there is no such file")
    root, name = file.parent, file.stem
    while (root / "__init__.py").is_file():
        root, name = root.parent, f"{root.name}.{name}"
    sys.path.insert(0, str(root))
    if "." in name:
        return importlib.import_module(name)
    # import_module would return the standard library's module for a file that is called `queue.py`.
    spec = importlib.util.spec_from_file_location(name, file, loader=UncachedSourceLoader(name, str(file)))
    if spec is None or spec.loader is None:
        raise AppReferenceError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def resolve_app(module: ModuleType, reference: AppReference) -> Any:
    """Return the app object that a reference names in its module; a factory is called.

    Raises:
        AppReferenceError: the attribute does not exist, or none is given and the module has no app or several.
        Exception: any error that a factory raises.
    """
    if reference.attribute is None:
        return _only_app(module)
    value: Any = module
    for step in reference.attribute.split("."):
        if not hasattr(value, step):
            names = _app_names(module)
            hint = f"; its apps are {', '.join(names)}" if names else ""
            raise AppReferenceError(f"no attribute {reference.attribute!r}{hint}")
        value = getattr(value, step)
    return value() if _is_factory(value) else value


def _only_app(module: ModuleType) -> Any:
    names = _app_names(module)
    if len(names) == 1:
        return getattr(module, names[0])
    if not names:
        raise AppReferenceError("holds no app that is a Starlette or FastMCP object; name the app with :ATTRIBUTE")
    raise AppReferenceError(f"holds several apps; name one: {' or '.join(f':{name}' for name in names)}")


def _app_names(module: ModuleType) -> list[str]:
    """Return the names of the module's ASGI applications; if it has none, those of its FastMCP servers."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    applications = [name for name, value in public.items() if has_class(value, "starlette.applications.Starlette")]
    return applications or [name for name, value in public.items() if has_class(value, "fastmcp.server.server.FastMCP")]


def _is_factory(value: Any) -> bool:
    """Whether a call without arguments returns the app: a plain function that does not take ASGI's three."""
    if not inspect.isfunction(value) and not inspect.ismethod(value):
        return False
    required = [
        parameter
        for parameter in inspect.signature(value).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    return not required and not inspect.iscoroutinefunction(value)
