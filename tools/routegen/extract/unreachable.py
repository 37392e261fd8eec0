"""Find MCP endpoints and metadata that clients cannot use behind the gateway, although the app serves them.

- `redirect`: the endpoint's path ends in `/`, and the app redirects the path without the slash to it. A route key
  cannot end in `/`, so the redirect leads away from the app.
- `misplaced-metadata`: the documents of the sign-in are mounted below a path. Clients put the well-known path first and
  the endpoint's or issuer's path after it (RFC 9728, section 3.1; RFC 8414, section 3.1).
- `sessions`: the endpoint keeps sessions in its process, and the app runs on Lambda, where each request can reach
  another process.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from routegen.config import AppConfig
from routegen.discover.served_path import ServedPath
from routegen.discover.unwrap import LAMBDA_HANDLERS
from routegen.extract.failing_endpoints import find_failing_endpoints
from routegen.extract.unsupported import UnsupportedPath
from routegen.gateway import RouteTable
from routegen.roles import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, PROTECTED_RESOURCE, PathRole, classify_path


def find_unreachable(
    app: AppConfig, served_paths: Sequence[ServedPath], table: RouteTable
) -> Iterator[UnsupportedPath]:
    """Yield each endpoint behind a redirect, each endpoint with sessions, and each misplaced document of an app.

    Args:
        app: the app.
        served_paths: the paths that the app serves.
        table: the app's route keys.
    """
    answering = [served for served in served_paths if served.protocol == "http" and not served.hidden_by]
    endpoints = [served for served in answering if is_endpoint(served)]
    for served in endpoints:
        yield from _redirect(app.name, served, table)
        yield from _sessions(app, served)
    for served in answering:
        yield from find_failing_endpoints(app.name, served)
    paths = {served.path for served in answering}
    for served in endpoints:
        yield from _misplaced_resource_metadata(app.name, served.path.rstrip("/"), paths)
    for served in answering:
        if classify_path(served.path, served.handlers).role == "authorization-endpoint":
            yield from _misplaced_server_metadata(app.name, served.path, answering)


def is_endpoint(served: ServedPath) -> bool:
    """Whether a served path is an endpoint of the Streamable HTTP transport, and not only a redirect to one."""
    path_role = classify_path(served.path, served.handlers)
    return not served.only_redirects and path_role == PathRole("mcp-endpoint", "MCP Streamable HTTP")


def redirected_path(served: ServedPath) -> str | None:
    """Return the path without the final slash of an endpoint that clients reach only through a redirect.

    The endpoint's own path ends in a slash, or is everything below a mount.
    """
    path = served.path.removesuffix("{proxy:path}") if served.path.endswith("/{proxy:path}") else served.path
    return path.rstrip("/") if path.endswith("/") and path != "/" else None


def _redirect(app: str, served: ServedPath, table: RouteTable) -> Iterator[UnsupportedPath]:
    path = redirected_path(served)
    if path is None or "{" in path or table.select("POST", f"{path}/"):
        return
    text = (
        f"the MCP endpoint is {path}/, and {path} only redirects to it; a route key cannot end in '/', so the gateway "
        f"does not send {path}/ to {app}; {_remedy(served.handlers, path)}"
    )
    yield UnsupportedPath("redirect", app, f"{path}/", f"redirect: {app}: {text}")


def _sessions(app: AppConfig, served: ServedPath) -> Iterator[UnsupportedPath]:
    is_on_lambda = app.handler is not None or any(name in LAMBDA_HANDLERS for name in served.handlers)
    if not (served.keeps_sessions and is_on_lambda):
        return
    setting = "stateless=True" if served.handlers[-1].endswith(".handle_request") else "stateless_http=True"
    text = (
        f"the MCP endpoint {served.path} keeps sessions, and on Lambda another instance can get the next request and "
        f"answer it with 404 `Session not found`; add {setting}"
    )
    yield UnsupportedPath("sessions", app.name, served.path, f"sessions: {app.name}: {text}", refusable=False)


def _remedy(handlers: Sequence[str], path: str) -> str:
    """Return the code that serves the endpoint at the path itself, for the framework that serves it now."""
    if any(name.startswith("fastmcp.") for name in handlers):
        return f'write app.mount("/", mcp.http_app(path="{path}"))'
    if any(name.endswith("StreamableHTTPASGIApp") for name in handlers):
        return f'write app.mount("/", mcp.streamable_http_app(streamable_http_path="{path}"))'
    return (
        f'write Route("{path}", endpoint=Endpoint()) in place of the mount, where Endpoint is a class with '
        "`async def __call__(self, scope, receive, send): await session_manager.handle_request(scope, receive, send)`"
    )


def _misplaced_resource_metadata(app: str, endpoint: str, paths: set[str]) -> Iterator[UnsupportedPath]:
    documents = [path for path in paths if PROTECTED_RESOURCE in path]
    expected = f"{PROTECTED_RESOURCE}{endpoint}"
    if not documents or not paths.isdisjoint({expected, PROTECTED_RESOURCE}):
        return
    text = (
        f"{app} serves the protected resource metadata at {min(documents)}, and clients look for it at {expected} "
        "(RFC 9728, section 3.1); serve it there: with FastMCP, set base_url to the URL of the mount and add "
        "*auth.get_well_known_routes(mcp_path=...) to the routes of the outer application"
    )
    yield UnsupportedPath("misplaced-metadata", app, endpoint or "/", f"misplaced-metadata: {text}")


def _misplaced_server_metadata(
    app: str, authorization_endpoint: str, served_paths: Sequence[ServedPath]
) -> Iterator[UnsupportedPath]:
    """Yield a problem if no document of the authorization server is where clients look and names its endpoints."""
    documents = {served.path: served.document for served in served_paths if AUTHORIZATION_SERVER in served.path}
    issuer = authorization_endpoint.rpartition("/")[0]
    if not documents or any(
        _names_endpoint(path, document, authorization_endpoint) for path, document in documents.items() if document
    ):
        return
    expected = f"{AUTHORIZATION_SERVER}{issuer}"
    is_unknown = None in documents.values()
    places = {expected, f"{OPENID_CONFIGURATION}{issuer}", f"{issuer}{OPENID_CONFIGURATION}"}
    if is_unknown and not places.isdisjoint(served.path for served in served_paths):
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
            f"authorization endpoint is below {issuer or '/'}; serve it there: with FastMCP, set base_url to the URL "
            "of the mount and add *auth.get_well_known_routes(mcp_path=...) to the routes of the outer application"
        )
    yield UnsupportedPath("misplaced-metadata", app, issuer or "/", f"misplaced-metadata: {text}")


def _names_endpoint(path: str, document: Mapping[str, str], authorization_endpoint: str) -> bool:
    """Whether a document is at the place for its issuer, and names an authorization endpoint that the app serves."""
    issuer, endpoint = (_url_path(document.get(field, "")) for field in ("issuer", "authorization_endpoint"))
    return path == f"{AUTHORIZATION_SERVER}{issuer}" and endpoint == authorization_endpoint


def _url_path(url: str) -> str:
    return urlsplit(url).path.rstrip("/")
