"""A 401 that is JSON, as its content type says.

FastMCP answers a request without a token with a bare challenge: no content type and no body. Mangum takes a
response without a content type for JSON, and an empty text is none, so a client that parses it would fail.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No error code: a request without a token has made no mistake yet (RFC 6750, section 3.1).
BODY = b'{"message": "Unauthorized"}'


class JsonUnauthorized:
    """ASGI middleware that gives an empty 401 a body; its challenge and every other response stay as they are."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the response back."""
        empty = False

        async def fill(message: Message) -> None:
            nonlocal empty
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                empty = message["status"] == 401 and headers.get("content-length") == "0"
                if empty:
                    headers["content-type"] = "application/json"
                    headers["content-length"] = str(len(BODY))
            elif empty:
                message = {**message, "body": BODY}
            await send(message)

        await self.app(scope, receive, fill)
