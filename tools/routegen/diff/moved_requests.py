"""The requests that two manifests send to different apps, found for all methods and all paths."""

from dataclasses import dataclass

from routegen.gateway import DEFAULT_ROUTE, RouteKey, encode_path
from routegen.gateway.automaton import PathAutomaton, PathKind
from routegen.gateway.regex_tree import Regex
from routegen.gateway.selection_model import SelectionModel, distinct_methods
from routegen.manifest import Manifest
from routegen.manifest.explain import NO_APP


@dataclass(frozen=True)
class MovedRequest:
    """A request that goes to another app.

    Attributes:
        method: the request's method.
        path: the request's path, percent-encoded.
        before: the app that got it; None if no app did.
        after: the app that gets it; None if no app does.
    """

    method: str
    path: str
    before: str | None
    after: str | None

    @property
    def text(self) -> str:
        """One sentence."""
        return f"{self.method} {self.path} went to {self.before or NO_APP}, and now goes to {self.after or NO_APP}."


class _Apps:
    """The app that a manifest selects for each request."""

    def __init__(self, manifest: Manifest, automaton: PathAutomaton, name: str) -> None:
        self._apps: dict[str, str | None] = {DEFAULT_ROUTE: None, **manifest.apps_by_route_key}
        keys = (RouteKey.parse(key) for key in self._apps if key != DEFAULT_ROUTE)
        self.selection = SelectionModel(keys, automaton, name)

    def select(self, kind: PathKind, method: str) -> tuple[str | None, str]:
        """Return the app, and the path of its route or `$default`."""
        key = self.selection.select(kind, method)
        return self._apps[str(key or DEFAULT_ROUTE)], key.path if key else DEFAULT_ROUTE


def find_moved_requests(old: Manifest, new: Manifest) -> dict[str, MovedRequest]:
    """Return the first request that goes to another app, for each path of a route that takes it in a manifest.

    The paths of the requests are shortest ones. The key is the path as the manifest writes it, or `$default`. A path
    that is not a key has the same requests before and after.
    """
    automaton = PathAutomaton()
    tables = [_Apps(manifest, automaton, name) for manifest, name in ((old, "old"), (new, "new"))]
    automaton.add(["/", Regex(".*")], "every path")
    moved: dict[str, MovedRequest] = {}
    for kind, examples in automaton.walk().items():
        methods = {method for table in tables for method in table.selection.methods(kind)}
        for method in distinct_methods(methods):
            (old_app, old_path), (new_app, new_path) = (table.select(kind, method) for table in tables)
            if old_app != new_app:
                request = MovedRequest(method, encode_path(examples[0]), old_app, new_app)
                moved.setdefault(old_path, request)
                moved.setdefault(new_path, request)
    return moved
