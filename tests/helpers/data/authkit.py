"""The smallest server behind AuthKit that every FastMCP release since 2.11 can run."""

from fastmcp import FastMCP
from fastmcp.server.auth.providers.workos import AuthKitProvider

mcp = FastMCP(
    "authkit",
    auth=AuthKitProvider(authkit_domain="https://example.authkit.app", base_url="https://dev.wikibot.io"),
)
app = mcp.http_app(path="/mcp", stateless_http=True)
