"""References to apps, `path/to/file.py:attribute` or `package.module:attribute`, and the objects that they name."""

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from routegen.load.application import AppReferenceError, apps_hint, is_factory, name_of_only_app, reason_against
from routegen.load.uncached_import import UncachedSourceLoader


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
    """Return the app object that a reference names in its module; a factory without arguments is called.

    If the reference names no attribute, the module's outermost app is taken and announced on stderr.

    Raises:
        AppReferenceError: the attribute does not exist or is not an application, or no attribute is given and the
            module has no app or several.
        Exception: any error that a factory raises.
    """
    if reference.attribute is None:
        name = name_of_only_app(module)
        file = Path(reference.module).name
        print(f"routegen: {file} names no attribute; the app is `{name}`", file=sys.stderr)
        return getattr(module, name)
    value: Any = module
    for step in reference.attribute.split("."):
        if not hasattr(value, step):
            raise AppReferenceError(f"no attribute {reference.attribute!r}{apps_hint(module)}")
        value = getattr(value, step)
    if is_factory(value):
        value = value()
        reason = reason_against(value, f"{reference.attribute}()")
    else:
        reason = reason_against(value, reference.attribute)
    if reason:
        raise AppReferenceError(reason + ("" if callable(value) else apps_hint(module)))
    return value
