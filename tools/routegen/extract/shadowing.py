"""What the manifest's routes take from the app behind `$default`, so that nobody is surprised.

In: a manifest and what the default app serves. Out: for each rule of that app which routes take requests from it. A
rule that names the path is one thing; a rule for any page, such as a wiki's `/{path}`, loses one page to each
route, which is what routes are for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from routegen.discover.served_path import ServedPath
from routegen.gateway import shape
from routegen.gateway.path_pattern import ANY_REST, ANY_SEGMENT, PathSegment, paths_overlap, split_path
from routegen.manifest import Manifest


@dataclass(frozen=True)
class Taken:
    """Rules of the default app that lose requests to routes.

    Attributes:
        app: the default app.
        rules: as that app writes them, the shortest first; several only where they are for any page.
        named: the rule names its path; it isn't for any page.
        paths: of the manifest's routes that take requests from it.
    """

    app: str
    rules: tuple[str, ...]
    named: bool
    paths: tuple[str, ...]

    @property
    def text(self) -> str:
        """One sentence."""
        routes = ", ".join(self.paths)
        if self.named:
            return f"{self.app} has a rule {self.rules[0]}; requests to it go to the route for {routes}"
        more = f" and {len(self.rules) - 1} more rules" if len(self.rules) > 1 else ""
        return f"Pages of {self.app} at {routes} are not reachable ({self.rules[0]}{more} would answer them)"


def taken_from_default(manifest: Manifest, served: Iterable[ServedPath]) -> list[Taken]:
    """The default app's rules that lose requests to the manifest's routes: each named one, then all others as one."""
    patterns = {route.path: _pattern(route.path) for route in manifest.routes}
    named: dict[str, Taken] = {}
    pages: dict[str, set[str]] = {}
    for entry in served:
        rule = split_path(entry.path, entry.regexes)
        paths = [path for path, pattern in patterns.items() if paths_overlap(pattern, rule)]
        if paths and rule[0].is_literal:
            named[entry.path] = Taken(manifest.default, (entry.path,), True, tuple(paths))
        elif paths:
            pages.setdefault(entry.path, set()).update(paths)
    found = [named[rule] for rule in sorted(named)]
    if pages:
        rules = sorted(pages, key=lambda rule: (len(rule), rule))
        found.append(Taken(manifest.default, tuple(rules), False, tuple(sorted(set().union(*pages.values())))))
    return found


def _pattern(path: str) -> tuple[PathSegment, ...]:
    """A gateway path as segments: the variables' names don't matter."""
    words = {"{}": "{x}", "{+}": "{x}"}
    parts = shape(path)
    regexes = [ANY_REST if part == "{+}" else ANY_SEGMENT for part in parts if part in words]
    return split_path("/" + "/".join(words.get(part, part) for part in parts), regexes)
