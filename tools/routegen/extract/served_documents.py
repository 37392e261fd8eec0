"""Compare the OAuth documents that the apps serve with the paths at which MCP clients look for them.

- `misplaced-metadata`: the documents are mounted below a path. Clients put the well-known path first and the endpoint's
  or issuer's path after it (RFC 9728, section 3.1; RFC 8414, section 3.1).
- `wrong-document`: the document names another resource, another issuer or other endpoints than those that the app
  serves (RFC 9728, section 3.3; RFC 8414, section 3.3).
- `no-metadata`: the endpoint requires a token, and no document says where clients get one.
- `catch-all`: a route of the app for any path answers where clients look for a document, and not with a 404.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from routegen.config import AppConfig
from routegen.discover.served_path import ServedPath
from routegen.extract.unreachable import is_endpoint
from routegen.extract.unsupported import UnsupportedPath, describe_problem
from routegen.gateway import RouteKey, RouteTable
from routegen.manifest import Manifest
from routegen.roles import (
    AUTHORIZATION_SERVER,
    PROTECTED_RESOURCE,
    classify_path,
    discovery_documents,
    issuer_documents,
)

_FASTMCP = (
    "with FastMCP, set base_url to the URL of the mount and add *auth.get_well_known_routes(mcp_path=...) to the "
    "routes of the outer application"
)
_FILES = "starlette.staticfiles.StaticFiles"
_URL_FIELDS = ("authorization_endpoint", "token_endpoint", "registration_endpoint")


def find_document_problems(
    app: AppConfig, served_paths: Sequence[ServedPath], manifest: Manifest, default_paths: Sequence[ServedPath]
) -> Iterator[UnsupportedPath]:
    """Yield each problem of an app with the documents of its endpoints and of its authorization server.

    Args:
        app: the app.
        served_paths: the paths that it serves.
        manifest: the manifest of all apps.
        default_paths: the paths that the default app serves.
    """
    answering = [served for served in served_paths if served.protocol == "http" and not served.hidden_by]
    endpoints = [served for served in answering if is_endpoint(served)]
    documents = {served.path: served.document or {} for served in answering if "/.well-known/o" in served.path}
    paths = {route.path for route in manifest.routes if not route.reserved} | {served.path for served in default_paths}
    for served in endpoints:
        endpoint = served.path.rstrip("/")
        yield from _misplaced_resource_metadata(app.name, endpoint, documents)
        yield from _wrong_resource(app.name, endpoint, documents)
        yield from _no_metadata(app.name, served, paths)
    misplaced = [
        problem
        for served in answering
        if classify_path(served.path, served.handlers).role == "authorization-endpoint"
        for problem in _misplaced_server_metadata(app.name, served.path, documents)
    ]
    yield from misplaced or _wrong_server(app.name, documents, paths)
    yield from _catch_alls(app.name, [served.path for served in endpoints], answering, manifest)


def _misplaced_resource_metadata(app: str, endpoint: str, documents: Collection[str]) -> Iterator[UnsupportedPath]:
    resource_documents = [path for path in documents if PROTECTED_RESOURCE in path]
    expected = f"{PROTECTED_RESOURCE}{endpoint}"
    if not resource_documents or expected in documents or PROTECTED_RESOURCE in documents:
        return
    text = (
        f"{app} serves the protected resource metadata at {min(resource_documents)}, and clients look for it at "
        f"{expected} (RFC 9728, section 3.1); serve it there: {_FASTMCP}"
    )
    yield UnsupportedPath("misplaced-metadata", app, endpoint or "/", f"misplaced-metadata: {text}")


def _wrong_resource(app: str, endpoint: str, documents: Mapping[str, Mapping[str, Any]]) -> Iterator[UnsupportedPath]:
    """Yield a problem if the document about an endpoint names another resource.

    The clients of the SDKs also accept a resource whose path contains the endpoint; others, such as VS Code, do not.
    """
    path = next((path for path in (f"{PROTECTED_RESOURCE}{endpoint}", PROTECTED_RESOURCE) if path in documents), "")
    resource = documents.get(path, {}).get("resource")
    if resource is None:
        return
    resource_path = urlsplit(resource).path
    contains_endpoint = f"{endpoint}/".startswith(f"{resource_path.rstrip('/')}/")
    is_same = (resource_path or "/") == (endpoint or "/")
    if is_same or (contains_endpoint and path == PROTECTED_RESOURCE):
        return
    clients = "strict clients such as VS Code refuse" if contains_endpoint else "clients refuse"
    text = (
        f"{path} names the resource {resource}, and {clients} it for the endpoint {endpoint or '/'} (RFC 9728, section "
        "3.3); name the URL of the endpoint as `resource`, exactly as clients use it"
    )
    yield describe_problem("wrong-document", app, path, text, refusable=not contains_endpoint)


def _no_metadata(app: str, served: ServedPath, paths: Collection[str]) -> Iterator[UnsupportedPath]:
    requires_token = any(name.endswith(".RequireAuthMiddleware") for name in served.handlers)
    expected = [path for path, _ in discovery_documents(served.path)]
    if not requires_token or not set(expected).isdisjoint(paths):
        return
    text = (
        f"the MCP endpoint {served.path} requires a token, and {app} serves no metadata that says where to get one, so "
        "Claude, ChatGPT, VS Code and all clients that sign in themselves fail; only clients with a token connect; "
        "give the server an auth provider with metadata, with FastMCP RemoteAuthProvider(token_verifier=..., "
        f'authorization_servers=[...], base_url=...), or claim a document of middleware: routes = ["{expected[0]}"]'
    )
    yield describe_problem("no-metadata", app, served.path, text, refusable=False)


def _misplaced_server_metadata(
    app: str, authorization_endpoint: str, served_documents: Mapping[str, Mapping[str, Any]]
) -> Iterator[UnsupportedPath]:
    """Yield a problem if no document of the authorization server is where clients look and names its endpoints."""
    documents = {path: document for path, document in served_documents.items() if AUTHORIZATION_SERVER in path}
    issuer = authorization_endpoint.rpartition("/")[0]
    if not documents or any(
        _names_endpoint(path, document, authorization_endpoint) for path, document in documents.items()
    ):
        return
    is_unknown = not all(documents.values())
    expected, *other_places = (path for path, _ in issuer_documents(issuer))
    if is_unknown and not {expected, *other_places}.isdisjoint(served_documents):
        return
    text = f"{app} serves the authorization server metadata at "
    if document := documents.get(expected):
        text += (
            f"{expected}, and it names the issuer {document.get('issuer')} and the authorization endpoint "
            f"{document.get('authorization_endpoint')}, but the app serves {authorization_endpoint}; set the URL of "
            "the issuer to the URL at which clients reach the app"
        )
    else:
        text += (
            f"{min(documents)}, and clients look for it at {expected} (RFC 8414, section 3.1), because the "
            f"authorization endpoint is below {issuer or '/'}; serve it there: {_FASTMCP}"
        )
    yield UnsupportedPath("misplaced-metadata", app, issuer or "/", f"misplaced-metadata: {text}")


def _names_endpoint(path: str, document: Mapping[str, Any], authorization_endpoint: str) -> bool:
    """Whether a document is at the place for its issuer, and names an authorization endpoint that the app serves."""
    issuer, endpoint = (_url_path(document.get(field, "")) for field in ("issuer", "authorization_endpoint"))
    return path == f"{AUTHORIZATION_SERVER}{issuer}" and endpoint == authorization_endpoint


def _wrong_server(
    app: str, documents: Mapping[str, Mapping[str, Any]], paths: Collection[str]
) -> Iterator[UnsupportedPath]:
    """Yield a problem for each authorization server of the app's own origin that clients cannot find or use."""
    origins = {_origin(document["resource"]) for document in documents.values() if "resource" in document}
    server_urls = {server for document in documents.values() for server in document.get("authorization_servers", ())}
    for server in sorted(server_urls):
        places = [path for path, _ in issuer_documents(_url_path(server))]
        if _origin(server) in origins and not any(path in paths for path in places):
            text = f"the authorization server is {server}, and no app serves its metadata; serve it at {places[0]}"
            yield describe_problem("wrong-document", app, places[0], text)
    for path, document in documents.items():
        issuer = document.get("issuer", "")
        places = [place for place, _ in issuer_documents(_url_path(issuer))]
        if path not in places or (origins and _origin(issuer) not in origins):
            continue
        if (
            server_urls
            and issuer not in server_urls
            and issuer.rstrip("/") in {server.rstrip("/") for server in server_urls}
        ):
            text = f"{path} names the issuer {issuer}, and the protected resource metadata the authorization server "
            text += f"{min(server_urls)}; write both with or both without the final slash (RFC 8414, section 3.3)"
            yield describe_problem("wrong-document", app, path, text, refusable=False)
        for field in _URL_FIELDS if origins else ():
            url = document.get(field, "")
            if _origin(url) in origins and _url_path(url) not in paths:
                text = f"{path} names the {field} {url}, which no app serves; name the URL at which clients reach it"
                yield describe_problem("wrong-document", app, path, text)


def _catch_alls(
    app: str, endpoints: Sequence[str], served_paths: Sequence[ServedPath], manifest: Manifest
) -> Iterator[UnsupportedPath]:
    """Yield each route of the app for any path that answers where clients look for a document about an endpoint."""
    owners = {RouteKey.parse(key): route.app for route in manifest.routes for key in route.route_keys}
    table = RouteTable(owners)
    rules = [served for served in served_paths if not served.only_redirects]
    paths_by_rule: dict[str, list[tuple[str, str]]] = {}
    for endpoint in endpoints:
        for path, _ in discovery_documents(endpoint) if "{" not in endpoint else ():
            key = table.select("GET", path)
            served = next((served for served in rules if served.matches(path)), None)
            if served is not None and key is not None and owners[key] == app and _is_for_any_path(served):
                paths_by_rule.setdefault(served.path, []).append((path, endpoint))
    for rule, paths in paths_by_rule.items():
        (path, endpoint), *_ = paths
        remedies = sorted({f"{path.partition('/.well-known/')[0]}/.well-known/{{path:path}}" for path, _ in paths})
        text = (
            f"{rule} also answers {path}, where clients ask about the MCP endpoint {endpoint}, and a page with status "
            f"200 makes most clients fail; answer 404 there, with routes before it for {' and '.join(remedies)}"
        )
        yield describe_problem("catch-all", app, rule, text, refusable=False)


def _is_for_any_path(served: ServedPath) -> bool:
    role = classify_path(served.path, served.handlers).role
    names_the_path = "{" not in served.path or "/.well-known" in served.path
    return role == "other" and not names_the_path and _FILES not in served.handlers


def _url_path(url: str) -> str:
    return urlsplit(url).path.rstrip("/")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
