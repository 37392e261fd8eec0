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

    before: Route
    after: Route
    fields: tuple[str, ...]


@dataclass(frozen=True)
class DefaultChanged:
    """Another app is behind `$default`."""

    before: str
    after: str


Difference = DefaultChanged | Added | Removed | Changed


def compare(old: Manifest, new: Manifest) -> list[Difference]:
    """List the changes that turn `old` into `new`: the default app first, then by path.

    An entry is identified by its path: the same path under another app is a change, and another path is a removal
    and an addition.
    """
    differences: list[Difference] = []
    if old.default != new.default:
        differences.append(DefaultChanged(old.default, new.default))
    before = {route.path: route for route in old.routes}
    after = {route.path: route for route in new.routes}
    for path in sorted(before.keys() | after.keys()):
        if path not in after:
            differences.append(Removed(before[path]))
        elif path not in before:
            differences.append(Added(after[path]))
        elif fields := _different_fields(before[path], after[path]):
            differences.append(Changed(before[path], after[path], fields))
    return differences


def _different_fields(before: Route, after: Route) -> tuple[str, ...]:
    return tuple(name for name in Route.model_fields if getattr(before, name) != getattr(after, name))
