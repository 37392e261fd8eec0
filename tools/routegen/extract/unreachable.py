"""Find MCP endpoints that clients cannot use behind the gateway, although the app serves them.

- `redirect`: the endpoint's path ends in `/`, and the app redirects the path without the slash to it. A route key
  cannot end in `/`, so the redirect leads away from the app.
- `sessions`: the endpoint keeps sessions in its process, and the app runs on Lambda, where each request can reach
  another process.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from routegen.config import AppConfig
from routegen.discover.handlers import WRITTEN_BY_HAND
from routegen.discover.served_path import ServedPath
from routegen.extract.failing_endpoints import find_failing_endpoints, runs_on_lambda
from routegen.extract.unsupported import UnsupportedPath
from routegen.gateway import RouteTable
from routegen.roles import PathRole, classify_path


def find_unreachable(
    app: AppConfig, served_paths: Sequence[ServedPath], table: RouteTable
) -> Iterator[UnsupportedPath]:
    """Yield each endpoint of an app that is behind a redirect, keeps sessions, or fails on every request.

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
        yield from find_failing_endpoints(app, served)


def mark_endpoints(app: AppConfig, served_paths: Sequence[ServedPath]) -> list[ServedPath]:
    """Return an app's served paths, with a mark for the MCP endpoints that the configuration names."""
    return [
        replace(served, handlers=(*served.handlers, WRITTEN_BY_HAND)) if served.path in app.endpoints else served
        for served in served_paths
    ]


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
    if path is None or "{" in path:
        return
    if table.select("POST", f"{path}/"):
        text = (
            f"the MCP endpoint is {path}/, and {path} only redirects to it, which not every client follows; give "
            f"clients the URL with the final slash, or {_remedy(served.handlers, path)}"
        )
        yield UnsupportedPath("trailing-slash", app, f"{path}/", f"trailing-slash: {app}: {text}", refusable=False)
        return
    text = (
        f"the MCP endpoint is {path}/, and {path} only redirects to it; a route key cannot end in '/', so the gateway "
        f"does not send {path}/ to {app}; {_remedy(served.handlers, path)}"
    )
    yield UnsupportedPath("redirect", app, f"{path}/", f"redirect: {app}: {text}")


def _sessions(app: AppConfig, served: ServedPath) -> Iterator[UnsupportedPath]:
    if not (served.keeps_sessions and runs_on_lambda(app, served)):
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
