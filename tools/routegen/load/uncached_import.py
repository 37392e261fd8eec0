"""Importing a project's own modules from their source, never from bytecode.

Python takes a `.pyc` for current when the source's size and its time in whole seconds are the same. An edit
that swaps two letters right after an import changes neither, and `routegen check` must see it.
"""

import sys
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from pathlib import Path
from typing import Any


class FreshLoader(SourceFileLoader):
    """Compiles the source each time; without a time stamp Python neither reads nor writes bytecode."""

    def path_stats(self, path: Any) -> Any:
        """Refuse the time stamp (`importlib.abc.SourceLoader.path_stats`: OSError means that there is none)."""
        raise OSError(path)


def import_fresh_below(root: Path) -> None:
    """From now on, import what lies below `root` from source; an environment inside it keeps its bytecode."""
    prefix = f"{root}/"

    def hook(directory: str) -> FileFinder:
        if not f"{directory}/".startswith(prefix) or "site-packages" in directory:
            raise ImportError(directory)
        return FileFinder(directory, (ExtensionFileLoader, EXTENSION_SUFFIXES), (FreshLoader, SOURCE_SUFFIXES))

    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
