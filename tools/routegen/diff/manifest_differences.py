"""The differences between two manifests, and the lines of their entries."""

import json
from dataclasses import dataclass, replace

from routegen.diff.moved_requests import MovedRequest, find_moved_requests
from routegen.gateway import DEFAULT_ROUTE
from routegen.manifest import Manifest, Route


@dataclass(frozen=True)
class Difference:
    """A path whose entry differs between two manifests.

    Attributes:
        path: the path; `$default` for the app behind it.
        old: the entry of the old manifest, or the name of the app behind `$default`; None if there is none.
        new: the same of the new manifest.
        moved: a shortest request to the path that goes to another app; None if there is none.
    """

    path: str
    old: Route | str | None
    new: Route | str | None
    moved: MovedRequest | None = None

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`; the app behind `$default` is always `changed`."""
        if self.path == DEFAULT_ROUTE or (self.old and self.new):
            return "changed"
        return "removed" if self.old else "added"


def compare(old: Manifest, new: Manifest) -> list[Difference]:
    """List the changes that turn `old` into `new`: the default app first, then by path.

    An entry is identified by its path: the same path under another app is a change, and another path is a removal
    and an addition.
    """
    old_routes = {route.path: route for route in old.routes}
    new_routes = {route.path: route for route in new.routes}
    paths = sorted(old_routes.keys() | new_routes.keys())
    differences = [Difference(DEFAULT_ROUTE, old.default, new.default)]
    differences += [Difference(path, old_routes.get(path), new_routes.get(path)) for path in paths]
    differences = [difference for difference in differences if difference.old != difference.new]
    moved = find_moved_requests(old, new) if differences else {}
    return [replace(difference, moved=moved.get(difference.path)) for difference in differences]


def line_of_entry(text: str, path: str) -> int:
    """Find the line, counted from 1, that names an entry; 1 where no line does.

    Args:
        text: the manifest's text.
        path: the entry's path, or `$default` for the line that names the default app.
    """
    key = '"default":' if path == DEFAULT_ROUTE else f'"path": {json.dumps(path, ensure_ascii=False)}'
    return next((number for number, line in enumerate(text.splitlines(), 1) if key in line), 1)
