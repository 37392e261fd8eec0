"""The MCP handlers that `bench_mcp_handler.py` compares, one in each process.

`project` is the project's own server, signed in, with an async and a sync tool more that wait for nothing: what is
left is the handler's time. `warm-N` is a server with N such tools and without sign-in, behind the project's
WarmHandler; `rebuilt-N` is the same server made anew for each invocation.
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

from dev.benchmarks.measuring import work  # noqa: E402

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
    """So many async tools, functions of their own, as decorators in whatever makes a server find them."""
    for number in range(count):

        @server.tool(name=f"echo{number}")
        async def echo(text: str) -> str:
            """Say a text again."""
            return text


def echo_sync(text: str) -> str:
    """Say a text again."""
    return text


def application(count: int) -> ASGI:
    """A server with so many tools, as FastMCP's documentation makes one for a place without sessions."""
    server: FastMCP[Any] = FastMCP("benchmark")
    add_tools(server, count)
    return server.http_app(path="/mcp", stateless_http=True, json_response=True)


def rebuilding(count: int) -> Handler:
    """A handler as many write it, since Mangum's lifespan can be entered only once for a FastMCP server."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return Mangum(application(count), lifespan="auto")(event, context)

    return handler


def issuer() -> tuple[str, RSAKey]:
    """Something on loopback that has a key, as AuthKit's JWKS; its URL, and the key."""
    key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", key


def project() -> tuple[Handler, ASGI, dict[str, str]]:
    """The project's handler, its application, and the headers that sign a client in."""
    url, key = issuer()
    os.environ.update(AUTHKIT_DOMAIN=url, WORKOS_CLIENT_ID="client_benchmark", MCP_BASE_URL=URL)
    import mcp_server  # noqa: PLC0415 - it reads its environment

    add_tools(mcp_server.mcp, 1)
    mcp_server.mcp.tool(echo_sync)
    claims = {"iss": url, "aud": f"{URL}/mcp", "sub": "user_1", "exp": int(time.time()) + 86400}
    token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
    return mcp_server.handler, mcp_server.app, {"authorization": f"Bearer {token}"}


def variant(name: str) -> tuple[Handler, ASGI | None, dict[str, str]]:
    """A handler, the bare application where there is one that stays, and what its requests need."""
    if name == "project":
        return project()
    kind, _, count = name.partition("-")
    if kind == "rebuilt":
        return rebuilding(int(count)), None, {}
    app = application(int(count))
    return WarmHandler(app), app, {}


def event(case: str, headers: dict[str, str]) -> dict[str, Any]:
    """A request in payload format 2.0."""
    said = {"host": "wiki.example", "x-forwarded-proto": "https", "x-forwarded-port": "443"}
    said |= {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    http = {"method": "POST", "path": "/mcp", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "benchmark"}
    return {
        "version": "2.0",
        "routeKey": "ANY /mcp",
        "rawPath": "/mcp",
        "rawQueryString": "",
        "headers": said | headers,
        "requestContext": {"http": http, "stage": "$default", "requestId": "id", "domainName": "wiki.example"},
        "body": json.dumps({"jsonrpc": "2.0", "id": 1, **CASES[case]}),
        "isBase64Encoded": False,
    }


def receiving(body: bytes) -> Callable[[], Awaitable[Any]]:
    """ASGI's `receive`: the body, and then a client that waits, as Mangum has it."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    return receive


async def ask_bare(app: ASGI, request: dict[str, Any], count: int) -> bytes:
    """Ask the application itself so often, one request after the other in one task; its last answer."""
    read = HTTPGateway(
        request, NO_CONTEXT, {"api_gateway_base_path": "/", "text_mime_types": [], "exclude_headers": []}
    )
    scope, body = read.scope, read.body
    said: list[bytes] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            said.append(message.get("body", b""))

    for _ in range(count):
        said.clear()
        await app({**scope}, receiving(body), send)
    return b"".join(said)


def check(case: str, answer: str | bytes) -> None:
    """Stop where it is not an answer: its time would mean nothing.

    Raises:
        RuntimeError: it isn't one.
    """
    wanted = {"initialize": "serverInfo", "tools/list": "echo0"}.get(case, "otter")
    text = answer if isinstance(answer, str) else answer.decode()
    if wanted not in text or '"error"' in text or '"isError":true' in text:
        raise RuntimeError(f"{case}: {text[:500]}")


def resident() -> int:
    """Bytes of memory that this process has, garbage collected."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Work until there is no more to do."""
    handler, app, headers = variant(sys.argv[1])
    events = {case: event(case, headers) for case in CASES}

    def do(case: str, count: int, bare: bool = False, weigh: bool = False) -> dict[str, float]:
        """Seconds for one of so many requests, and the memory after them where it is asked for."""
        request = events[case]
        if bare:
            assert app is not None
            # Where the handler has entered the application's lifespan.
            asking = functools.partial(asyncio.get_event_loop().run_until_complete, ask_bare(app, request, count))
            began = time.perf_counter()
            answer: str | bytes = asking()
        else:
            began = time.perf_counter()
            for _ in range(count):
                answer = handler(request, NO_CONTEXT)["body"]
        took = (time.perf_counter() - began) / count
        check(case, answer)
        return {"seconds": took, "bytes": resident() if weigh else 0}

    work(do)


if __name__ == "__main__":
    main()
