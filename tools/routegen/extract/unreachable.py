"""Find MCP endpoints that clients cannot use behind the gateway, although the app serves them.

- `redirect`: the endpoint's path ends in `/`, and the app redirects the path without the slash to it. A route key
  cannot end in `/`, so the redirect leads away from the app.
- `sessions`: the endpoint keeps sessions in its process, and the app runs on Lambda, where each request can reach
  another process.
- `endpoint-fails` and `loopback-only`: `routegen.discover.endpoint_faults` has found a fault in the app's objects.
- `event-stream`: the response of the HTTP+SSE transport does not end, and an HTTP API does not stream and ends each
  response after 30 s (AWS, "Quotas for configuring and running an HTTP API").
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from routegen.config import AppConfig
from routegen.discover.handlers import WRITTEN_BY_HAND
from routegen.discover.served_path import ServedPath
from routegen.discover.unwrap import LAMBDA_HANDLERS
from routegen.extract.unsupported import UnsupportedKind, UnsupportedPath, describe_problem
from routegen.gateway import RouteTable
from routegen.roles import PathRole, classify_path

_HOST_FAULTS = ("loopback-only", "host-guard", "trusted-hosts")
_POST_MESSAGE = ".SseServerTransport.handle_post_message"
_ENDPOINT_CLASS = (
    "where Endpoint is a class with `async def __call__(self, scope, receive, send): "
    "await session_manager.handle_request(scope, receive, send)`"
)


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
        yield from _faults(app, served)


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
        yield describe_problem("trailing-slash", app, f"{path}/", text, refusable=False)
        return
    text = (
        f"the MCP endpoint is {path}/, and {path} only redirects to it; a route key cannot end in '/', so the gateway "
        f"does not send {path}/ to {app}; {_remedy(served.handlers, path)}"
    )
    yield describe_problem("redirect", app, f"{path}/", text)


def _sessions(app: AppConfig, served: ServedPath) -> Iterator[UnsupportedPath]:
    if not (served.keeps_sessions and _runs_on_lambda(app, served)):
        return
    setting = "stateless=True" if served.handlers[-1].endswith(".handle_request") else "stateless_http=True"
    text = (
        f"the MCP endpoint {served.path} keeps sessions, and on Lambda another instance can get the next request and "
        f"answer it with 404 `Session not found`; add {setting}"
    )
    yield describe_problem("sessions", app.name, served.path, text, refusable=False)


def _remedy(handlers: Sequence[str], path: str) -> str:
    """Return the code that serves the endpoint at the path itself, for the framework that serves it now."""
    if any(name.startswith("fastmcp.") for name in handlers):
        return f'write app.mount("/", mcp.http_app(path="{path}"))'
    if any(name.endswith("StreamableHTTPASGIApp") for name in handlers):
        return f'write app.mount("/", mcp.streamable_http_app(streamable_http_path="{path}"))'
    return f'write Route("{path}", endpoint=Endpoint()) in place of the mount, {_ENDPOINT_CLASS}'


def _runs_on_lambda(app: AppConfig, served: ServedPath) -> bool:
    """Whether an app runs on Lambda: it has a handler, or is one."""
    return app.handler is not None or any(name in LAMBDA_HANDLERS for name in served.handlers)


def _faults(app: AppConfig, served: ServedPath) -> Iterator[UnsupportedPath]:
    """Yield each reason why an endpoint of an app fails on every request."""
    for fault in served.faults:
        kind: UnsupportedKind = "loopback-only" if fault in _HOST_FAULTS else "endpoint-fails"
        if fault != "host-guard" or not _runs_on_lambda(app, served):
            yield _fault(kind, app, served, _fault_text(fault, served))
    if _is_event_stream(served):
        text = (
            "uses the HTTP+SSE transport, whose response does not end, and an HTTP API neither streams nor waits longer"
            ' than 30 s; serve Streamable HTTP: http_app() without transport="sse", or streamable_http_app()'
        )
        yield _fault("event-stream", app, served, text)


def _is_event_stream(served: ServedPath) -> bool:
    """Whether a path is the stream of the HTTP+SSE transport."""
    path_role = classify_path(served.path, served.handlers)
    posts_messages = any(name.endswith(_POST_MESSAGE) for name in served.handlers)
    return path_role == PathRole("mcp-endpoint", "MCP HTTP+SSE") and not posts_messages


def _fault(kind: UnsupportedKind, app: AppConfig, served: ServedPath, text: str) -> UnsupportedPath:
    return describe_problem(kind, app.name, served.path, f"the MCP endpoint {served.path} {text}", refusable=False)


def _fault_text(fault: str, served: ServedPath) -> str:
    is_fastmcp = any(name.startswith("fastmcp.") for name in served.handlers)
    lifespan = (
        "write lifespan=mcp_app.lifespan there, where mcp_app is the mounted application"
        if is_fastmcp
        else "run `async with session_manager.run():` in that lifespan"
    )
    return {
        "not-started": "answers every request with 500, because nothing starts its session manager: only the lifespan "
        f"of the outermost application runs; {lifespan}",
        "lifespan-off": "answers every request with 500, because nothing starts its session manager: the handler is "
        'Mangum(..., lifespan="off"); remove this argument',
        "starts-once": "answers only the first request, because its session manager can start once and Mangum starts "
        "the lifespan for each event; make the application for each event: "
        "`def handler(event, context): return Mangum(create_app())(event, context)`",
        "asgi-function": "answers every request with 500, because Starlette calls the function of a Route with one "
        f'request; write Route("{served.path}", endpoint=Endpoint()), {_ENDPOINT_CLASS}',
        "no-authentication": "answers every request with 401, because its routes were copied without the middleware "
        "that reads the token; mount the application that has the routes",
        "loopback-only": "answers 421 to every host name except those of its own machine; pass "
        'transport_security=TransportSecuritySettings(allowed_hosts=["HOST"]) with the host of the deployment',
        "host-guard": "answers 421 to every host name except those of its own machine; pass "
        'http_app(host_origin_protection=True, allowed_hosts=["HOST"]) with the host of the deployment',
        "trusted-hosts": "answers 400 to every host name except those of its own machine; pass "
        'TrustedHostMiddleware(allowed_hosts=["HOST"]) with the host of the deployment',
    }[fault]
