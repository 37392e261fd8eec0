"""A kept request as ASGI, for the gateway to answer once more."""

import asyncio
from typing import Any
from urllib.parse import unquote

from routegen.serve.proxy_event import Request
from routegen.serve.runtime_api import Receive, Scope


def replayed_scope(request: Request) -> tuple[Scope, Receive]:
    """The scope of a request as it arrived, and what gives its body; the client never goes away."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": request.version,
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.path),
        "raw_path": request.path.encode("ascii", "replace"),
        "query_string": request.query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
        "client": (request.client, 0),
        "server": ("127.0.0.1", request.port),
    }
    messages = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        return await asyncio.Event().wait()

    return scope, receive


async def swallow(_message: Any) -> None:
    """Nobody waits for the answer: the page sees it as it sees every other."""
