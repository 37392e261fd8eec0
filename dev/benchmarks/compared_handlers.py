"""The MCP handlers that `bench_mcp_handler.py` compares, one in each process.

    python dev/benchmarks/compared_handlers.py NAME

- `project`: the project's server with sign-in, and with one more async tool and one more sync tool. The tools return
  immediately, so that the measured time is the time of the handler.
- `warm-N`: a server with N such tools and without sign-in, in the project's WarmHandler.
- `rebuilt-N`: the same server, created again for each invocation.
"""

import asyncio
import functools
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "app" / "poc" / "mcp_package")]

from fastmcp import FastMCP  # noqa: E402 - from the checkout
from joserfc import jwt  # noqa: E402
from joserfc.jwk import RSAKey  # noqa: E402
from mangum import Mangum  # noqa: E402
from mangum.handlers import HTTPGateway  # noqa: E402
from mangum.types import ASGI  # noqa: E402
from warm_handler import WarmHandler  # noqa: E402

from dev.benchmarks.measuring import answer_requests  # noqa: E402

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

URL = "https://wiki.example"
NO_CONTEXT: Any = None
CASES: dict[str, dict[str, Any]] = {
    "initialize": {
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "benchmark", "version": "1"},
        },
    },
    "tools/list": {"method": "tools/list", "params": {}},
    "tools/call": {"method": "tools/call", "params": {"name": "echo0", "arguments": {"text": "otter"}}},
    "tools/call, sync": {"method": "tools/call", "params": {"name": "echo_sync", "arguments": {"text": "otter"}}},
}


def add_tools(server: FastMCP[Any], count: int) -> None:
    """Add async tools to a server. Each tool is a new function, as in a module that defines tools with decorators."""
    for number in range(count):

        @server.tool(name=f"echo{number}")
        async def echo(text: str) -> str:
            """Return the text."""
            return text


def echo_sync(text: str) -> str:
    """Return the text."""
    return text


def create_application(count: int) -> ASGI:
    """Create a stateless server with the given number of tools, as in FastMCP's documentation."""
    server: FastMCP[Any] = FastMCP("benchmark")
    add_tools(server, count)
    return server.http_app(path="/mcp", stateless_http=True, json_response=True)


def rebuilding_handler(count: int) -> Handler:
    """Create a handler that creates the server again for each invocation.

    This is a common workaround, because a FastMCP server can run Mangum's lifespan only once.
    """

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return Mangum(create_application(count), lifespan="auto")(event, context)

    return handler


def start_issuer() -> tuple[str, RSAKey]:
    """Start a JWKS server on loopback; return its URL and the signing key."""
    key = RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig", "alg": "RS256"})
    body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    class JwksHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), JwksHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", key


def project_handler() -> tuple[Handler, ASGI, dict[str, str]]:
    """Return the project's handler, its application, and headers with a valid token."""
    url, key = start_issuer()
    os.environ.update(AUTHKIT_DOMAIN=url, WORKOS_CLIENT_ID="client_benchmark", MCP_BASE_URL=URL)
    import mcp_server  # noqa: PLC0415 - the import reads the environment

    add_tools(mcp_server.mcp, 1)
    mcp_server.mcp.tool(echo_sync)
    claims = {"iss": url, "aud": f"{URL}/mcp", "sub": "user_1", "exp": int(time.time()) + 86400}
    token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
    return mcp_server.handler, mcp_server.app, {"authorization": f"Bearer {token}"}


def select_handler(name: str) -> tuple[Handler, ASGI | None, dict[str, str]]:
    """Return a handler, its application (None if it is not permanent), and the headers of its requests."""
    if name == "project":
        return project_handler()
    kind, _, count = name.partition("-")
    if kind == "rebuilt":
        return rebuilding_handler(int(count)), None, {}
    app = create_application(int(count))
    return WarmHandler(app), app, {}


def build_event(case: str, headers: dict[str, str]) -> dict[str, Any]:
    """Build an event in payload format 2.0."""
    common_headers = {"host": "wiki.example", "x-forwarded-proto": "https", "x-forwarded-port": "443"}
    common_headers |= {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    http = {"method": "POST", "path": "/mcp", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "benchmark"}
    return {
        "version": "2.0",
        "routeKey": "ANY /mcp",
        "rawPath": "/mcp",
        "rawQueryString": "",
        "headers": common_headers | headers,
        "requestContext": {"http": http, "stage": "$default", "requestId": "id", "domainName": "wiki.example"},
        "body": json.dumps({"jsonrpc": "2.0", "id": 1, **CASES[case]}),
        "isBase64Encoded": False,
    }


def make_receive(body: bytes) -> Callable[[], Awaitable[Any]]:
    """Create ASGI's `receive`. Like Mangum's, it returns the body and then waits."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    return receive


async def call_application(app: ASGI, event: dict[str, Any], count: int) -> bytes:
    """Send requests to the application without the handler, one after the other in one task; return the last body."""
    gateway = HTTPGateway(
        event, NO_CONTEXT, {"api_gateway_base_path": "/", "text_mime_types": [], "exclude_headers": []}
    )
    scope, body = gateway.scope, gateway.body
    chunks: list[bytes] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    for _ in range(count):
        chunks.clear()
        await app({**scope}, make_receive(body), send)
    return b"".join(chunks)


def check_response(case: str, body: str | bytes) -> None:
    """Check that a response is a success, because the time of an error means nothing.

    Raises:
        RuntimeError: the response is an error.
    """
    expected = {"initialize": "serverInfo", "tools/list": "echo0"}.get(case, "otter")
    text = body if isinstance(body, str) else body.decode()
    if expected not in text or '"error"' in text or '"isError":true' in text:
        raise RuntimeError(f"{case}: {text[:500]}")


def resident_bytes() -> int:
    """Return the resident memory of this process after a garbage collection."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure for each line on stdin."""
    handler, app, headers = select_handler(sys.argv[1])
    events = {case: build_event(case, headers) for case in CASES}

    def measure(case: str, count: int, bare: bool = False, measure_memory: bool = False) -> dict[str, float]:
        """Send requests; return the seconds of one request, and the memory after the last request if requested."""
        event = events[case]
        if bare:
            assert app is not None
            # On the loop on which the handler has started the application's lifespan.
            calls = call_application(app, event, count)
            run = functools.partial(asyncio.get_event_loop().run_until_complete, calls)
            start = time.perf_counter()
            body: str | bytes = run()
        else:
            start = time.perf_counter()
            for _ in range(count):
                body = handler(event, NO_CONTEXT)["body"]
        seconds = (time.perf_counter() - start) / count
        check_response(case, body)
        return {"seconds": seconds, "bytes": resident_bytes() if measure_memory else 0}

    answer_requests(measure)


if __name__ == "__main__":
    main()
