"""The data that every template gets: the apps and the routes of a manifest, with names that other tools accept."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count

from routegen.errors import shorten
from routegen.gateway import RouteKey, path_regex, sort_route_keys
from routegen.manifest import Manifest, Route

_COMMENT_CHARACTERS = 200
"""How much of a reason a comment has: nginx cannot read a comment of more than 4,096 bytes."""


@dataclass(frozen=True)
class TemplateApp:
    """One app behind the gateway.

    Attributes:
        name: the name in the manifest: letters, digits, `-` and `_`.
        identifier: the name in a form that most languages accept: letters, digits and `_`, no digit first, unique.
        logical_id: the name in letters and digits only, unique also when case is ignored.
    """

    name: str
    identifier: str
    logical_id: str


@dataclass(frozen=True)
class TemplateRoute:
    """One route of the gateway: a route key, and the app that gets its requests.

    Attributes:
        route_key: the route key.
        app: the app that gets the requests.
        entry: the manifest's entry that the route key belongs to.
    """

    route_key: RouteKey
    app: TemplateApp
    entry: Route

    @property
    def key(self) -> str:
        """The route key as the manifest has it, e.g. `ANY /mcp/{proxy+}`."""
        return str(self.route_key)

    @property
    def stable_name(self) -> str:
        """The route key without the names of its variables, so that renaming a variable does not change it."""
        return self.route_key.without_variable_names

    @property
    def method(self) -> str:
        """`ANY` or a method in capitals."""
        return self.route_key.method

    @property
    def path(self) -> str:
        """The path in API Gateway's notation."""
        return self.route_key.path

    @property
    def regex(self) -> str:
        """A regular expression for the percent-decoded paths, not anchored (`routegen.gateway.path_regex`)."""
        return path_regex(self.path)

    @property
    def reserved_comment(self) -> str:
        """Why the path is reserved, in characters that are safe in every comment; empty for another route."""
        if self.entry.reserved is None:
            return ""
        reason = re.sub(r"[^A-Za-z0-9 /._,:;()-]", "_", shorten(self.entry.reserved, _COMMENT_CHARACTERS)).replace(
            "--", "__"
        )
        return f"reserved for the 404 of {shorten(self.app.name)}: {reason}"

    @property
    def logical_id(self) -> str:
        """An identifier of letters and digits, derived from `stable_name`."""
        return "Route" + hashlib.sha256(self.stable_name.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class TemplateGateway:
    """A manifest in the form that templates use.

    Attributes:
        manifest: the manifest as it was read.
        apps: every app, sorted by name, with the default app.
    """

    manifest: Manifest
    apps: tuple[TemplateApp, ...]

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> "TemplateGateway":
        """Give each app of a manifest its unique identifiers."""
        return cls(manifest, template_apps(manifest.app_names))

    @cached_property
    def default(self) -> TemplateApp | None:
        """The app behind `$default`; None if there is none, so that the gateway answers 404."""
        return self.app(self.manifest.default) if self.manifest.default is not None else None

    def app(self, name: str) -> TemplateApp:
        """Return the app with a name that the manifest has."""
        return next(app for app in self.apps if app.name == name)

    @cached_property
    def routes(self) -> tuple[TemplateRoute, ...]:
        """One route for each route key, in order: the first route that matches is the one that API Gateway selects."""
        entries = {RouteKey.parse(text): route for route in self.manifest.routes for text in route.route_keys}
        return tuple(TemplateRoute(key, self.app(entries[key].app), entries[key]) for key in sort_route_keys(entries))

    @cached_property
    def routes_by_path(self) -> tuple[TemplateRoute, ...]:
        """The same routes sorted by path and method, for people to read."""
        return tuple(sorted(self.routes, key=lambda route: (route.path, route.method)))


def template_apps(names: Iterable[str]) -> tuple[TemplateApp, ...]:
    """Give each app its unique identifiers."""
    apps: list[TemplateApp] = []
    for name in names:
        safe_name = "".join(char if char.isalnum() else "_" for char in name)
        safe_name = f"app_{safe_name}" if safe_name[0].isdigit() else safe_name
        identifier = _make_unique(safe_name, {app.identifier for app in apps})
        pascal = "".join(part[0].upper() + part[1:] for part in safe_name.split("_") if part)
        apps.append(TemplateApp(name, identifier, _make_unique(pascal, {app.logical_id for app in apps})))
    return tuple(apps)


def _make_unique(name: str, used_names: set[str]) -> str:
    """Append the lowest number, if any, that makes a name unique; case is ignored, as nginx and CloudFormation do."""
    used_lower = {used_name.lower() for used_name in used_names}
    candidates = chain([name], (f"{name}{number}" for number in count(2)))
    return next(candidate for candidate in candidates if candidate.lower() not in used_lower)
