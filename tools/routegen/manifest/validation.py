"""The manifest's rules that concern several entries, and so cannot be part of its JSON Schema."""

from collections.abc import Iterator

from routegen.errors import shorten
from routegen.gateway import ANY, ROUTE_QUOTA, RouteKey, RouteKeyError
from routegen.manifest.schema import Manifest, Route


def find_problems(manifest: Manifest) -> Iterator[str]:
    """Yield a sentence for each rule that a manifest of the right shape breaks, in the order of its entries."""
    owners: dict[tuple[str, ...], tuple[str, str]] = {}
    first_keys: dict[tuple[str, tuple[str, ...]], str] = {}
    total = 0
    for position, route in enumerate(manifest.routes):
        entry = f"routes[{position}] ({shorten(route.path)})"
        yield from (f"{entry}: {problem}" for problem in _entry_problems(route, manifest.default))
        for text in route.route_keys:
            subject = f"{entry}: route key {shorten(text)!r}"
            try:
                key = RouteKey.parse(text)
            except RouteKeyError as error:
                yield f"{subject}: {error}"
                continue
            yield from (f"{subject} {problem}" for problem in _key_problems(key, route, manifest.default))
            total += 1
            app, path = owners.setdefault(key.shape, (route.app, route.path))
            requests = (key.method, key.shape)
            if app != route.app:
                apps = f"{shorten(app)!r} and {shorten(route.app)!r}"
                yield f"{entry}: {apps} both claim {shorten(path)}; a path has one app, so remove it from the other"
            elif requests in first_keys:
                yield f"{subject} takes the same requests as {first_keys[requests]!r} before it"
            first_keys.setdefault(requests, shorten(text))
    if manifest.default is None and not manifest.routes:
        yield "routes: there is neither a route nor a default app, so the gateway would answer every request with 404"
    keys = f"{total} route keys" if manifest.default is None else f"{total} route keys and $default make {total + 1}"
    if total + (manifest.default is not None) > ROUTE_QUOTA:
        yield f"routes: {keys}; an HTTP API has at most {ROUTE_QUOTA} routes"


def _entry_problems(route: Route, default: str | None) -> Iterator[str]:
    if route.app == default:
        yield f"{shorten(route.app)!r} is the default app: it gets every request that no route takes, and owns no route"
    if bool(route.methods) == bool(route.reserved):
        yield "methods must be empty for a reserved path, and only there"
    if route.reserved and route.widened:
        yield "a reserved path cannot be widened: the app serves nothing there"
    if list(route.methods) != sorted(set(route.methods)) or (ANY in route.methods and len(route.methods) > 1):
        yield f"methods {shorten(str(list(route.methods)))} are not sorted, without doubles, or just [{ANY!r}]"


def _key_problems(key: RouteKey, route: Route, default: str | None) -> Iterator[str]:
    if key.takes_every_path and default is not None:
        yield f"takes every path, so {shorten(default)!r} would get no request through $default"
    if key.path != route.path:
        yield "has another path than the entry"
    if key.method != ANY and route.methods and ANY not in route.methods and key.method not in route.methods:
        yield "has a method that the entry does not list"
