"""ASGI middleware that adds a JSON body to 401 responses without a body.

FastMCP's response to a request without a token has a challenge, but no content type and no body. Mangum sets the
content type JSON for it, and a client that parses the empty body as JSON would fail.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The body has no error code, because the client sent no authentication information (RFC 6750, section 3.1).
BODY = b'{"message": "Unauthorized"}'


class JsonUnauthorized:
    """ASGI middleware that adds a body to an empty 401 response, and changes no other response."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and add the body where it is missing."""
        is_empty_401 = False

        async def send_with_body(message: Message) -> None:
            nonlocal is_empty_401
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                is_empty_401 = message["status"] == 401 and headers.get("content-length") == "0"
                if is_empty_401:
                    headers["content-type"] = "application/json"
                    headers["content-length"] = str(len(BODY))
            elif is_empty_401:
                message = {**message, "body": BODY}
            await send(message)

        await self.app(scope, receive, send_with_body)
