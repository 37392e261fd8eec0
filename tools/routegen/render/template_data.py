"""What every template sees: the manifest, told in the terms that gateways share."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count

from routegen.gateway import RouteKey, path_regex, sort_route_keys
from routegen.manifest import Manifest, Route


@dataclass(frozen=True)
class App:
    """One app behind the gateway.

    Attributes:
        name: as the manifest has it: letters, digits, `-` and `_`.
        identifier: the same as most languages take it: letters, digits and `_`, no digit first, unique.
        logical_id: the same in letters and digits alone, unique whatever their case.
    """

    name: str
    identifier: str
    logical_id: str


@dataclass(frozen=True)
class Rule:
    """One route key and who gets what it takes.

    Attributes:
        parsed: the route key.
        app: gets the request.
        route: the manifest's entry.
    """

    parsed: RouteKey
    app: App
    route: Route

    @property
    def key(self) -> str:
        """The route key as the manifest has it, e.g. `ANY /mcp/{proxy+}`."""
        return str(self.parsed)

    @property
    def name(self) -> str:
        """The key without the variables' names, which a renamed variable leaves as it is."""
        return self.parsed.without_variable_names

    @property
    def method(self) -> str:
        """`ANY` or a method in capitals."""
        return self.parsed.method

    @property
    def path(self) -> str:
        """In API Gateway's notation."""
        return self.parsed.path

    @property
    def regex(self) -> str:
        """Of the percent-decoded paths that it takes, not anchored (`routegen.gateway.path_regex`)."""
        return path_regex(self.path)

    @property
    def logical_id(self) -> str:
        """An identifier of letters and digits that depends on the name alone."""
        return "Route" + hashlib.sha256(self.name.encode()).hexdigest()[:12]


def _unique(name: str, taken: set[str]) -> str:
    lower = {one.lower() for one in taken}
    names = chain([name], (f"{name}{number}" for number in count(2)))
    return next(one for one in names if one.lower() not in lower)


@dataclass(frozen=True)
class Gateway:
    """A manifest for templates.

    Attributes:
        manifest: as it was read.
        apps: every app by name, the default one included.
    """

    manifest: Manifest
    apps: tuple[App, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> "Gateway":
        """Give each app identifiers of its own."""
        apps: list[App] = []
        for name in sorted({manifest.default, *(route.app for route in manifest.routes)}):
            safe = "".join(char if char.isalnum() else "_" for char in name)
            safe = f"app_{safe}" if safe[0].isdigit() else safe
            identifier = _unique(safe, {app.identifier for app in apps})
            pascal = "".join(part[0].upper() + part[1:] for part in safe.split("_") if part)
            apps.append(App(name, identifier, _unique(pascal, {app.logical_id for app in apps})))
        return cls(manifest, tuple(apps))

    @cached_property
    def default(self) -> App:
        """The app behind `$default`."""
        return self.app(self.manifest.default)

    def app(self, name: str) -> App:
        """The app of a name that the manifest has."""
        return next(app for app in self.apps if app.name == name)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """A rule for each route key, in the order in which the first match is the one that API Gateway selects."""
        routes = {RouteKey.parse(text): route for route in self.manifest.routes for text in route.route_keys}
        return tuple(Rule(key, self.app(routes[key].app), routes[key]) for key in sort_route_keys(routes))
