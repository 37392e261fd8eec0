"""The rules across a manifest's entries: what its shape alone can't say."""

from collections.abc import Iterator

from routegen.gateway import ANY, ROUTE_QUOTA, RouteKey, RouteKeyError
from routegen.manifest.schema import Manifest, Route


def problems(manifest: Manifest) -> Iterator[str]:
    """Everything that is wrong with a manifest of the right shape, one sentence each, in the file's order."""
    owners: dict[tuple[str, ...], tuple[str, str]] = {}
    seen: dict[tuple[str, tuple[str, ...]], str] = {}
    total = 0
    for position, route in enumerate(manifest.routes):
        where = f"routes[{position}] ({route.path})"
        yield from (f"{where}: {problem}" for problem in _own_problems(route, manifest.default))
        for text in route.route_keys:
            try:
                key = RouteKey.parse(text)
            except RouteKeyError as error:
                yield f"{where}: route key {text!r}: {error}"
                continue
            total += 1
            app, path = owners.setdefault(key.shape, (route.app, route.path))
            takes = (key.method, key.shape)
            if app != route.app:
                yield f"{where}: {app!r} and {route.app!r} both claim {path}"
            elif takes in seen:
                yield f"{where}: route key {text!r} takes the same requests as {seen[takes]!r} before it"
            seen.setdefault(takes, text)
    if total + 1 > ROUTE_QUOTA:
        yield (
            f"routes: {total} route keys and $default make {total + 1}; an HTTP API has at most {ROUTE_QUOTA} routes"
        )


def _own_problems(route: Route, default: str) -> Iterator[str]:
    """What is wrong with one entry by itself."""
    if route.app == default:
        yield f"{route.app!r} is the default app: it gets every request that no route takes, and owns no route"
    if list(route.methods) != sorted(set(route.methods)) or (ANY in route.methods and len(route.methods) > 1):
        yield f"methods {list(route.methods)} are not sorted, without doubles, or just [{ANY!r}]"
    for text in route.route_keys:
        try:
            key = RouteKey.parse(text)
        except RouteKeyError:
            continue
        if key.takes_every_path:
            yield f"route key {text!r} takes every path and would leave {default!r} nothing behind $default"
        if key.path != route.path:
            yield f"route key {text!r} is for another path than the entry's"
        if key.method != ANY and ANY not in route.methods and key.method not in route.methods:
            yield f"route key {text!r} is for a method that the entry doesn't list"
