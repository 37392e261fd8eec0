"""Find the rules of the default app that the manifest's routes shadow.

A shadowed rule loses requests to a route. It matters if the rule names a path. A rule for pages with any name, such as
a wiki's `/{path}`, loses one page to each route; this is the purpose of routes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from routegen.discover.served_path import ServedPath
from routegen.gateway import takes_every_path
from routegen.gateway.path_pattern import paths_overlap, split_key_path, split_path
from routegen.manifest import Manifest


@dataclass(frozen=True)
class ShadowedRules:
    """Rules of the default app, or of an app whose route takes every path, that lose requests to routes.

    Attributes:
        app: the app that has the rules.
        rules: as the app writes them, the shortest first; several only if they are rules for pages with any name.
        names_a_path: the rule begins with a literal segment; it is not for pages with any name.
        paths: the paths of the routes that take the requests.
    """

    app: str
    rules: tuple[str, ...]
    names_a_path: bool
    paths: tuple[str, ...]

    @property
    def text(self) -> str:
        """One sentence."""
        routes = ", ".join(self.paths)
        if self.names_a_path:
            return f"{self.app} has a rule {self.rules[0]}; requests to it go to the route for {routes}"
        rules = f"{self.rules[0]} and {len(self.rules) - 1} more rules" if len(self.rules) > 1 else self.rules[0]
        return f"Pages of {self.app} at {routes} are not reachable ({rules} would answer them)"


def find_shadowed_rules(manifest: Manifest, default_paths: Iterable[ServedPath]) -> list[ShadowedRules]:
    """Return the default app's shadowed rules: each rule that names a path, then all others as one entry.

    Without a default app, the app whose route takes every path loses requests to the routes of the other apps.
    """
    if manifest.default is None:
        return list(_shadowed_catch_all(manifest))
    patterns = {route.path: split_key_path(route.path) for route in manifest.routes}
    by_rule: dict[str, ShadowedRules] = {}
    pages: dict[str, set[str]] = {}
    for served in default_paths:
        rule = split_path(served.path, served.regexes)
        paths = [path for path, pattern in patterns.items() if paths_overlap(pattern, rule)]
        if paths and rule[0].is_literal:
            by_rule[served.path] = ShadowedRules(manifest.default, (served.path,), True, tuple(paths))
        elif paths:
            pages.setdefault(served.path, set()).update(paths)
    shadowed = [by_rule[rule] for rule in sorted(by_rule)]
    if pages:
        rules = sorted(pages, key=lambda rule: (len(rule), rule))
        paths = sorted(set().union(*pages.values()))
        shadowed.append(ShadowedRules(manifest.default, tuple(rules), False, tuple(paths)))
    return shadowed


def _shadowed_catch_all(manifest: Manifest) -> Iterator[ShadowedRules]:
    for route in manifest.routes:
        paths = tuple(shadowing.path for shadowing in manifest.routes if shadowing.app != route.app)
        if takes_every_path(route.path) and paths:
            yield ShadowedRules(route.app, (route.path,), False, paths)
