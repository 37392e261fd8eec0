"""Typed differences between two manifests."""

from dataclasses import dataclass

from routegen.manifest import Manifest, Route


@dataclass(frozen=True)
class Added:
    """A path that only the new manifest has."""

    route: Route


@dataclass(frozen=True)
class Removed:
    """A path that only the old manifest has."""

    route: Route


@dataclass(frozen=True)
class Changed:
    """A path of both manifests whose entry differs.

    Attributes:
        fields: the names of the fields that differ, in the manifest's order.
    """

    old: Route
    new: Route
    fields: tuple[str, ...]


@dataclass(frozen=True)
class DefaultChanged:
    """Another app is behind `$default`; None for no app."""

    old: str | None
    new: str | None


Difference = DefaultChanged | Added | Removed | Changed


def compare(old: Manifest, new: Manifest) -> list[Difference]:
    """List the changes that turn `old` into `new`: the default app first, then by path.

    An entry is identified by its path: the same path under another app is a change, and another path is a removal
    and an addition.
    """
    differences: list[Difference] = []
    if old.default != new.default:
        differences.append(DefaultChanged(old.default, new.default))
    old_routes = {route.path: route for route in old.routes}
    new_routes = {route.path: route for route in new.routes}
    for path in sorted(old_routes.keys() | new_routes.keys()):
        if path not in new_routes:
            differences.append(Removed(old_routes[path]))
        elif path not in old_routes:
            differences.append(Added(new_routes[path]))
        elif fields := _different_fields(old_routes[path], new_routes[path]):
            differences.append(Changed(old_routes[path], new_routes[path], fields))
    return differences


def _different_fields(old: Route, new: Route) -> tuple[str, ...]:
    return tuple(name for name in Route.model_fields if getattr(old, name) != getattr(new, name))
