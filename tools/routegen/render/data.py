"""What every template sees: the manifest, told in the terms that gateways share."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from routegen.gateway import RouteKey, in_order, path_regex
from routegen.manifest import Manifest, Route


@dataclass(frozen=True)
class App:
    """One app behind the gateway.

    Attributes:
        name: as the manifest has it: letters, digits, `-` and `_`.
        identifier: the same as most languages take it: letters, digits and `_`, no digit first, unique.
    """

    name: str
    identifier: str


@dataclass(frozen=True)
class Rule:
    """One route key and who gets what it takes.

    Attributes:
        key: the route key as the manifest has it, e.g. `ANY /mcp/{proxy+}`.
        method: `ANY` or a method in capitals.
        path: in API Gateway's notation.
        regex: of the percent-decoded paths that it takes, not anchored (`routegen.gateway.path_regex`).
        app: gets the request.
        route: the manifest's entry.
    """

    key: str
    method: str
    path: str
    regex: str
    app: App
    route: Route

    @property
    def logical_id(self) -> str:
        """An identifier of letters and digits that depends on the route key alone."""
        return "Route" + hashlib.sha256(self.key.encode()).hexdigest()[:12]


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
        """Give each app an identifier of its own."""
        apps: dict[str, App] = {}
        for name in sorted({manifest.default, *(route.app for route in manifest.routes)}):
            identifier = "".join(char if char.isalnum() else "_" for char in name)
            identifier = f"app_{identifier}" if identifier[0].isdigit() else identifier
            while identifier in apps:
                identifier += "_"
            apps[identifier] = App(name, identifier)
        return cls(manifest, tuple(apps.values()))

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
        return tuple(
            Rule(str(key), key.method, key.path, path_regex(key.path), self.app(routes[key].app), routes[key])
            for key in in_order(routes)
        )
