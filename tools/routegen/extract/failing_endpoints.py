"""Describe the MCP endpoints that fail on every request, with the code that works.

`routegen.discover.endpoint_faults` finds the faults in the app's objects. The HTTP+SSE transport is a fault of its own:
its response does not end, and an HTTP API does not stream and ends each response after 30 s (AWS, "Quotas for
configuring and running an HTTP API").
"""

from collections.abc import Iterator

from routegen.config import AppConfig
from routegen.discover.served_path import ServedPath
from routegen.discover.unwrap import LAMBDA_HANDLERS
from routegen.extract.unsupported import UnsupportedKind, UnsupportedPath
from routegen.roles import PathRole, classify_path

_HOST_FAULTS = ("loopback-only", "host-guard", "trusted-hosts")
_POST_MESSAGE = ".SseServerTransport.handle_post_message"
_ENDPOINT_CLASS = (
    "where Endpoint is a class with `async def __call__(self, scope, receive, send): "
    "await session_manager.handle_request(scope, receive, send)`"
)


def runs_on_lambda(app: AppConfig, served: ServedPath) -> bool:
    """Whether an app runs on Lambda: it has a handler, or is one."""
    return app.handler is not None or any(name in LAMBDA_HANDLERS for name in served.handlers)


def find_failing_endpoints(app: AppConfig, served: ServedPath) -> Iterator[UnsupportedPath]:
    """Yield each reason why an endpoint of an app fails.

    Args:
        app: the app.
        served: the path of an MCP endpoint.
    """
    for fault in served.faults:
        kind: UnsupportedKind = "loopback-only" if fault in _HOST_FAULTS else "endpoint-fails"
        if fault != "host-guard" or not runs_on_lambda(app, served):
            yield _problem(kind, app.name, served.path, _fault_text(fault, served))
    if is_event_stream(served):
        text = (
            "uses the HTTP+SSE transport, whose response does not end, and an HTTP API neither streams nor waits longer"
            ' than 30 s; serve Streamable HTTP: http_app() without transport="sse", or streamable_http_app()'
        )
        yield _problem("event-stream", app.name, served.path, text)


def is_event_stream(served: ServedPath) -> bool:
    """Whether a path is the stream of the HTTP+SSE transport."""
    path_role = classify_path(served.path, served.handlers)
    posts_messages = any(name.endswith(_POST_MESSAGE) for name in served.handlers)
    return path_role == PathRole("mcp-endpoint", "MCP HTTP+SSE") and not posts_messages


def _problem(kind: UnsupportedKind, app: str, path: str, text: str) -> UnsupportedPath:
    return UnsupportedPath(kind, app, path, f"{kind}: {app}: the MCP endpoint {path} {text}", refusable=False)


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
