"""Send a stored request to the gateway again, as an ASGI call."""

import asyncio
from typing import Any
from urllib.parse import unquote

from routegen.serve.proxy_event import HttpRequest
from routegen.serve.runtime_api import Receive, Scope


def replay_scope(request: HttpRequest) -> tuple[Scope, Receive]:
    """The ASGI scope of a stored request, and the receive function of a client that never disconnects."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": request.http_version,
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.path),
        "raw_path": request.path.encode("ascii", "replace"),
        "query_string": request.query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
        "client": (request.source_ip, 0),
        "server": ("127.0.0.1", request.port),
    }
    messages = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        return await asyncio.Event().wait()

    return scope, receive


async def discard_message(_message: Any) -> None:
    """Discard the response: the page gets it as an exchange, like every other response."""
