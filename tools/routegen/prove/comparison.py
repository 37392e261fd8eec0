"""Who answered, compared with whom the gateway would have asked.

In: a manifest, and what came of an app's requests. Out: a `AppProof`. The gateway's model is the one that everything
asks; where AWS leaves its behaviour unclear, the verdict follows the model's decisions.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from routegen.config import AppConfig
from routegen.discover.served_path import ServedPath
from routegen.extract.unsupported import translate_served_path
from routegen.gateway import ANY, RouteKey, RouteTable, shape
from routegen.gateway.path_pattern import PathSegment, path_matches, split_path
from routegen.manifest import Manifest, Route
from routegen.prove.driver import Seen


@dataclass(frozen=True)
class Disagreement:
    """A request on which manifest and app disagree.

    Attributes:
        kind: `under-routed`: the app serves the request, and another app gets it; `over-routed`: the app gets the
            request, and does not serve it.
        route_key: the key that takes it; None for `$default`.
        goes_to: the app that gets it.
        text: one sentence.
    """

    kind: Literal["under-routed", "over-routed"]
    method: str
    path: str
    route_key: str | None
    goes_to: str
    text: str


@dataclass(frozen=True)
class AppProof:
    """The result of driving one app.

    Attributes:
        app: its name.
        routes: how many paths of it were driven.
        requests: how many requests were tried.
        disagreements: the smallest first: by the length of the path, then by path and method.
        excused: how many requests fell under each kind of notice that extraction gives.
        answered_by_middleware: how many requests middleware answered, so that the router was asked without it.
    """

    app: str
    routes: int
    requests: int
    disagreements: tuple[Disagreement, ...]
    excused: dict[str, int]
    answered_by_middleware: int


def judge(manifest: Manifest, app: AppConfig, served: Sequence[ServedPath], seen: Iterable[Seen]) -> AppProof:
    """Compare what came of an app's requests with the manifest."""
    court = _Court(manifest, app, served)
    total, beneath = 0, 0
    for one in seen:
        total += 1
        beneath += one.beneath
        court.hear(one)
    found = sorted(court.found, key=lambda one: (len(one.path), one.path, one.method))
    return AppProof(app.name, len(served), total, tuple(found), dict(court.excused), beneath)


class _Court:
    """One app's case."""

    def __init__(self, manifest: Manifest, app: AppConfig, served: Sequence[ServedPath]) -> None:
        self.found: list[Disagreement] = []
        self.excused: Counter[str] = Counter()
        self._app = app
        self._default = manifest.default
        self._routes = {key: route for route in manifest.routes for key in route.route_keys}
        self._table = RouteTable(map(RouteKey.parse, self._routes))
        self._served = served
        carried = [translate_served_path(app.name, entry) for entry in served]
        self._notices = [one.unsupported for one in carried]
        self._behind: dict[tuple[str, ...], list[tuple[PathSegment, ...]]] = {}
        for entry, one in zip(served, carried, strict=True):
            if one.translation:
                self._behind.setdefault(shape(one.translation.path), []).append(split_path(entry.path, entry.regexes))
        self._noticed = [
            (position, split_path(entry.path, entry.regexes))
            for position, entry in enumerate(served)
            if self._notices[position]
        ]

    def hear(self, seen: Seen) -> None:
        key = self._table.select(seen.method, seen.path)
        route = None if key is None else self._routes[str(key)]
        gets = self._default if route is None else route.app
        if gets != self._app.name:
            if self._is_served(seen) and not self._is_known(seen):
                self.found.append(self._lost(seen, route, gets))
        elif route is not None and not self._may_take(seen, route):
            text = f"{seen.method} {seen.path} goes to {gets} through {key}, and {gets} serves nothing there"
            self.found.append(Disagreement("over-routed", seen.method, seen.path, str(key), gets, text))

    def _is_served(self, seen: Seen) -> bool:
        """A 405 is an app's answer too, unless the configuration shares its path method by method."""
        return seen.outcome == "reached" or (seen.outcome == "method" and self._app.methods != "exact")

    def _may_take(self, seen: Seen, route: Route) -> bool:
        """A redirect to the same path with a slash more or less is an answer of the app's own.

        Where the key is for any method, the path is the app's whatever the method: refusing one is its answer, even
        where a mount after the route does it, with a 404.
        """
        if seen.outcome in {"reached", "redirect"} or route.widened or route.role == "owned":
            return True
        if f"{ANY} {route.path}" not in route.route_keys:
            return False
        path = unquote(seen.path)
        return seen.outcome == "method" or any(
            path_matches(one, path) for one in self._behind.get(shape(route.path), ())
        )

    def _is_known(self, seen: Seen) -> bool:
        """Whether extraction has given notice that this can't be carried."""
        path = unquote(seen.path)
        # Which route it was that refused a method, a 405 doesn't say.
        positions = (
            [seen.served]
            if seen.served >= 0
            else [one for one, pattern in self._noticed if path_matches(pattern, path)]
        )
        kinds = {notice.kind for position in positions for notice in self._notices[position]}
        if not path.endswith("/"):
            kinds -= {"trailing-slash", "empty-rest"}
        self.excused.update(kinds)
        return bool(kinds)

    def _lost(self, seen: Seen, route: Route | None, gets: str) -> Disagreement:
        key = f"{route.route_keys[0]}" if route else None
        through = f" through {key}" if key else ""
        methods = ""
        if seen.served >= 0:
            entry = self._served[seen.served]
            methods = f" at {entry.path} ({' '.join(entry.methods) if entry.methods else ANY})"
        text = f"{seen.method} {seen.path} is served by {self._app.name}{methods}, and goes to {gets}{through}"
        return Disagreement("under-routed", seen.method, seen.path, key, gets, text)
