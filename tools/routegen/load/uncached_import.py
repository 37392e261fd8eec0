"""Import a project's modules from their source, never from bytecode.

Python takes a `.pyc` file as current if the source has the same size and the same modification time in whole seconds.
An edit that swaps two letters right after an import changes neither, and `routegen check` must see it.
"""

import sys
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from pathlib import Path
from typing import Any


class UncachedSourceLoader(SourceFileLoader):
    """Compiles the source each time: without a modification time, Python neither reads nor writes bytecode."""

    def path_stats(self, path: Any) -> Any:
        """Refuse the modification time (`importlib.abc.SourceLoader.path_stats`: OSError means that there is none)."""
        raise OSError(path)


def import_uncached_below(root: Path) -> None:
    """From now on, import the modules below `root` from their source; an environment inside it keeps its bytecode."""
    prefix = f"{root}/"

    def find_below_root(directory: str) -> FileFinder:
        if not f"{directory}/".startswith(prefix) or "site-packages" in directory:
            raise ImportError(directory)
        loaders = ((ExtensionFileLoader, EXTENSION_SUFFIXES), (UncachedSourceLoader, SOURCE_SUFFIXES))
        return FileFinder(directory, *loaders)

    sys.path_hooks.insert(0, find_below_root)
    sys.path_importer_cache.clear()
