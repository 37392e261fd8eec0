"""What a request of OAuth's discovery will do to MCP clients when a web page answers it.

Measured with fastmcp 4.1.2 on mcp 2.3.0, `@modelcontextprotocol/sdk` 1.32, `@modelcontextprotocol/client` 2.4,
mcp-remote 0.15 and MCP Inspector 2.12, for 200 and 404; for redirects and 5xx, read in the sources of both SDKs.
"""

from routegen.roles import classify_path
from routegen.serve.exchange import Exchange

_STOP = (
    "The TypeScript SDK, mcp-remote and MCP Inspector stop here with \"Unexpected token '<', "
    '"<!DOCTYPE "... is not valid JSON"; the Python SDK takes it for missing and goes on to this domain\'s /register.'
)
_NO_SERVER = (
    "Every client takes this for missing, and those that find no other metadata register at this domain's /register, "
    "where the registration fails."
)
_REDIRECTED = (
    "The Python SDK takes a redirect for missing; the TypeScript SDK follows it within this domain, and stops where a "
    "web page answers."
)
_SERVER_ERROR = (
    'The TypeScript SDK stops here with "HTTP {status} trying to load OAuth metadata" or the like; the Python SDK '
    "looks no further and goes on to this domain's /register."
)
_RESOURCE_ERROR = (
    'The Python SDK stops here with "Protected resource metadata request failed: HTTP {status}", and the TypeScript '
    "SDK looks for an authorization server on this domain."
)
_NO_RESOURCE = (
    "Every client takes this for missing and doesn't learn of the authorization server that the MCP server names; it "
    "looks for one on this domain."
)
_REGISTRATION = (
    'Every client that gets here fails: the Python SDK with "Registration failed" or an invalid response, the '
    'TypeScript SDK with "Dynamic Client Registration rejected" or "is not valid JSON".'
)
_TOKEN = "Every client fails to get or refresh its token here, and asks its user to sign in again."  # noqa: S105


_BY_CLASS = {2: _STOP, 3: _REDIRECTED, 4: _NO_SERVER, 5: _SERVER_ERROR}


def is_discovery(exchange: Exchange) -> bool:
    """Whether a client on its way to sign in asks for this."""
    return _role(exchange) != "other"


def verdict(exchange: Exchange) -> str | None:
    """Which client will break and how, in one sentence; None where the answer is no web page, or nobody minds."""
    if not _is_page(exchange):
        return None
    status = exchange.response.status
    match _role(exchange):
        case "protected-resource-metadata":
            return _RESOURCE_ERROR.format(status=status) if status >= 500 else _NO_RESOURCE
        case "authorization-server-metadata" | "openid-configuration":
            return _BY_CLASS[status // 100].format(status=status)
        case "registration-endpoint":
            return _REGISTRATION
        case "token-endpoint":
            return _TOKEN
    return None


def _role(exchange: Exchange) -> str:
    """By the path alone: whoever answered it, a client asked for this."""
    request = exchange.request
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    # A client falls back to these at the origin (MCP specification of 2025-03-26, section 2.3.3).
    if request.method == "POST" and request.path == "/register" and media_type == "application/json":
        return "registration-endpoint"
    if request.method == "POST" and request.path == "/token" and media_type == "application/x-www-form-urlencoded":
        return "token-endpoint"
    return classify_path(request.path, ()).role


def _is_page(exchange: Exchange) -> bool:
    type_ = next((value for name, value in exchange.response.headers if name == "content-type"), "")
    start = exchange.response.body[:512].lstrip().lower()
    return type_.lower().startswith("text/html") or start.startswith((b"<!doctype", b"<html"))
