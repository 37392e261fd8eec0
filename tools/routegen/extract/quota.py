"""More routes than an HTTP API may have: how many, where they are, and which `own` prefix would bring them under.

In: the routes, and what the app behind `$default` serves. Out: an error that says what to do, and takes nothing from
the other app by doing it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from routegen.discover.served_path import ServedPath
from routegen.errors import UnsupportedRouteError
from routegen.gateway import ROUTE_QUOTA, shape, subtree_path
from routegen.gateway.path_pattern import paths_overlap, split_path
from routegen.manifest import Route

_SHOWN = 3


class QuotaError(UnsupportedRouteError):
    """An API would have more routes than AWS allows."""

    def __init__(self, routes: Sequence[Route], default_serves: Iterable[ServedPath] | None = None) -> None:
        """Say what is wrong.

        Args:
            routes: all of them.
            default_serves: what the app behind `$default` serves; None where that isn't known.
        """
        self.routes = routes
        super().__init__(_text(routes, None if default_serves is None else list(default_serves)))


def _text(routes: Sequence[Route], default_serves: list[ServedPath] | None) -> str:
    total = _keys(routes) + 1
    trees = _subtrees(routes)
    most = ", ".join(f"{prefix} ({app}: {count})" for (app, prefix), count in trees.most_common(_SHOWN))
    head = f"{total} routes, $default included; an HTTP API has at most {ROUTE_QUOTA}. Most lie below {most}."
    return f"{head} {_advice(routes, trees, default_serves, total)}"


def _keys(routes: Iterable[Route]) -> int:
    return sum(len(route.route_keys) for route in routes)


def _subtrees(routes: Iterable[Route]) -> Counter[tuple[str, str]]:
    """How many keys each app has below each literal prefix that owning it would save."""
    counts: Counter[tuple[str, str]] = Counter()
    for route in routes:
        if route.role != "other":  # an owned path keeps what is something in OAuth or MCP terms
            continue
        prefix = ""
        for segment in route.path[1:].split("/"):
            if segment.startswith("{") or f"{prefix}/{segment}" == route.path:
                break
            prefix += f"/{segment}"
            counts[route.app, prefix] += len(route.route_keys)
    return counts


def _advice(
    routes: Sequence[Route], trees: Counter[tuple[str, str]], default_serves: list[ServedPath] | None, total: int
) -> str:
    if default_serves is None:
        return "Configure the app behind $default, and an `own` prefix that takes nothing from it can be named"
    candidates = sorted(trees, key=lambda tree: (tree[1].count("/"), -trees[tree], tree))
    free = [(app, prefix) for app, prefix in candidates if _takes_nothing(app, prefix, routes, default_serves)]
    chosen: list[tuple[str, str]] = []
    left = total
    for app, prefix in free:
        if left <= ROUTE_QUOTA:
            break
        inside = any(app == other and f"{prefix}/".startswith(f"{outer}/") for other, outer in chosen)
        if not inside and (fewer := _keys_with(routes, [*chosen, (app, prefix)]) + 1) < left:
            chosen.append((app, prefix))
            left = fewer
    if left > ROUTE_QUOTA:
        return "No `own` prefix would bring them under it without taking paths of another app's; AWS raises the quota"
    said = ", ".join(f'"{prefix}" for {app}' for app, prefix in chosen)
    return f"own = {said} would make it {left}, and takes no path that another app names"


def _keys_with(routes: Iterable[Route], owned: Sequence[tuple[str, str]]) -> int:
    """How many keys would be left if apps owned prefixes: `routegen.extract.build` keeps the same ones."""

    def replaced(route: Route, app: str, prefix: str) -> bool:
        return route.app == app and route.role == "other" and route.path.startswith(f"{prefix}/")

    kept = [route for route in routes if not any(replaced(route, app, prefix) for app, prefix in owned)]
    shapes = {(route.app, shape(route.path)) for route in kept}
    added = {(app, shape(path)) for app, prefix in owned for path in (prefix, subtree_path(prefix))}
    return _keys(kept) + len(added - shapes)


def _takes_nothing(app: str, prefix: str, routes: Iterable[Route], default_serves: Iterable[ServedPath]) -> bool:
    """Whether owning a prefix takes no path that another app has a rule of its own for."""
    if any(route.app != app and f"{route.path}/".startswith(f"{prefix}/") for route in routes):
        return False
    plain = unquote(prefix)
    owned = [split_path(plain, ()), split_path(f"{plain}/{{rest:path}}", (".+",))]
    rules = [split_path(served.path, served.regexes) for served in default_serves]
    named = [rule for rule in rules if rule and rule[0].is_literal]
    return not any(paths_overlap(one, rule) for one in owned for rule in named)
