"""Find the rules of the default app that the manifest's routes shadow.

A shadowed rule loses requests to a route. It matters if the rule names a path. A rule for pages with any name, such as
a wiki's `/{path}`, loses one page to each route; this is the purpose of routes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from routegen.discover.served_path import ServedPath
from routegen.gateway import takes_every_path
from routegen.gateway.automaton import PathAutomaton, TooManyStatesError
from routegen.gateway.match_order import path_parts
from routegen.gateway.path_pattern import pattern_parts
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
    rules = list(default_paths)
    paths_by_rule = _shadowing_paths(manifest, rules)
    naming_rules = sorted({rule.path for rule in rules if rule.names_a_path and rule.path in paths_by_rule})
    shadowed = [
        ShadowedRules(manifest.default, (rule,), True, tuple(sorted(paths_by_rule[rule]))) for rule in naming_rules
    ]
    if pages := sorted(paths_by_rule.keys() - naming_rules, key=lambda rule: (len(rule), rule)):
        paths = sorted(set().union(*map(paths_by_rule.__getitem__, pages)))
        shadowed.append(ShadowedRules(manifest.default, tuple(pages), False, tuple(paths)))
    return shadowed


def _shadowing_paths(manifest: Manifest, rules: Sequence[ServedPath]) -> dict[str, set[str]]:
    """Return the paths of the routes that take requests of a rule, by the path of the rule."""
    automaton = PathAutomaton()
    for route in manifest.routes:
        automaton.add(path_parts(route.path), route.path)
    for position, rule in enumerate(rules):
        automaton.add_or_widen(pattern_parts(rule.path, rule.regexes), position, position)
    try:
        labels_of_kinds = [kind.labels for kind in automaton.walk()]
    except TooManyStatesError:  # a needless warning is better than none
        labels_of_kinds = [frozenset([*range(len(rules)), *(route.path for route in manifest.routes)])]
    paths_by_rule: dict[str, set[str]] = {}
    for labels in labels_of_kinds:
        if paths := {label for label in labels if isinstance(label, str)}:
            for position in (label for label in labels if isinstance(label, int)):
                paths_by_rule.setdefault(rules[position].path, set()).update(paths)
    return paths_by_rule


def _shadowed_catch_all(manifest: Manifest) -> Iterator[ShadowedRules]:
    for route in manifest.routes:
        paths = tuple(shadowing.path for shadowing in manifest.routes if shadowing.app != route.app)
        if takes_every_path(route.path) and paths:
            yield ShadowedRules(route.app, (route.path,), False, paths)
