"""Reserve the paths that MCP clients ask about an app's endpoints and that the app does not serve.

A client that asks about an MCP server and reaches a website reads the website's answer: an HTML page with status 200
makes most clients fail, also if the server needs no sign-in. The app's own 404 is the right answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from routegen.config import AppConfig
from routegen.discover.served_path import ServedPath
from routegen.gateway import ANY, RouteKey, RouteTable
from routegen.manifest import Route
from routegen.roles import (
    AUTHORIZATION_SERVER,
    DISCOVERY_DOCUMENTS,
    OPENID_CONFIGURATION,
    PathRole,
    classify_path,
    discovery_documents,
    issuer_documents,
    mcp_endpoint_paths,
)

ROOT_DOCUMENTS = {path for path, _ in DISCOVERY_DOCUMENTS}


@dataclass(frozen=True)
class NotReserved:
    """A path that clients ask about an endpoint, and that stays with the default app.

    Attributes:
        path: the path.
        app: the app with the endpoint.
        endpoint: the path of the endpoint.
        default: the default app.
        rule: the default app's rule that names the path; None if the default app is not configured.
    """

    path: str
    app: str
    endpoint: str
    default: str
    rule: str | None


def reserve_paths(
    apps: Sequence[AppConfig],
    routes: Sequence[Route],
    default: str | None,
    default_paths: Sequence[ServedPath] | None,
) -> tuple[list[Route], list[NotReserved]]:
    """Return a route for each path to reserve, and the paths that the policy leaves to the default app.

    Args:
        apps: the apps, in the order of the configuration: the first one with an endpoint gets the root documents.
        routes: the routes of all apps, without reserved paths.
        default: the name of the default app. Without one, the gateway itself answers 404 to a path that no app serves,
            so that only the catch-all route of another app is a reason to reserve a path.
        default_paths: the paths that the default app serves; None if it is not configured.
    """
    owners = {RouteKey.parse(key): route.app for route in routes for key in route.route_keys}
    table = RouteTable(owners)
    rules = [served for served in default_paths or () if served.names_a_path]
    reserved: dict[str, Route] = {}
    left_out: dict[str, NotReserved] = {}
    for app in apps:
        for path, endpoint, role in reservable_paths(app, routes):
            key = table.select("GET", path)
            # A path that the app gets already needs no second route, and another app keeps a path that its route names.
            is_taken = key and (owners[key] == app.name or not key.shape[0].startswith("{"))
            if path in reserved or is_taken:
                continue
            if app.reserve == "auto" and key is None:
                if default is None:
                    continue
                rule = next((rule.path for rule in rules if rule.matches(path)), None)
                if rule or (path in ROOT_DOCUMENTS and default_paths is None):
                    left_out.setdefault(path, NotReserved(path, app.name, endpoint, default, rule))
                    continue
            reserved[path] = Route(
                path=path,
                methods=(),
                app=app.name,
                role=role.role,
                spec=role.spec,
                route_keys=(f"{ANY} {path}",),
                reserved=f"MCP clients ask here about {endpoint}",
            )
    return list(reserved.values()), [item for path, item in left_out.items() if path not in reserved]


def reservable_paths(app: AppConfig, routes: Iterable[Route]) -> Iterator[tuple[str, str, PathRole]]:
    """Yield each path that an app can reserve, with the endpoint that it is about and its role.

    Args:
        app: the app.
        routes: the routes of all apps.
    """
    endpoints = mcp_endpoint_paths((route for route in routes if route.app == app.name), with_variables=True)
    if isinstance(app.reserve, tuple):
        yield from ((path, ", ".join(endpoints) or app.name, classify_path(path, ())) for path in app.reserve)
    elif app.reserve != "none":
        for endpoint in endpoints:
            yield from ((path, endpoint, role) for path, role in discovery_documents(endpoint))
        for issuer in _issuers(app.name, routes):
            yield from ((path, issuer, role) for path, role in issuer_documents(issuer))


def _issuers(app: str, routes: Iterable[Route]) -> Iterator[str]:
    """Yield the path of each issuer whose metadata an app serves, without the root of the domain."""
    for route in routes:
        for document in (AUTHORIZATION_SERVER, OPENID_CONFIGURATION):
            if route.app == app and route.path.startswith(f"{document}/") and "{" not in route.path:
                yield route.path.removeprefix(document)
