"""List the tools of a server with FastMCP's client: with each of MCP's handshakes, and with a real sign-in."""

import asyncio
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StreamableHttpTransport
from helpers.clients.session import follow
from helpers.ports import free_port

HOST = "tools.example.org"
"""The name of a deployment; the gateway gets the request on loopback."""

_SECONDS = 60


def list_tools(url: str, *, token: str | None = None) -> list[str]:
    """List the tools with the handshake of 2025-11-25 under a host name, and without a handshake as in 2026-07-28.

    Raises:
        Exception: any error that the client shows.
    """
    for_host = asyncio.run(_list_tools(url, "legacy", token, {"Host": HOST}))
    assert asyncio.run(_list_tools(url, "auto", token, {})) == for_host
    return for_host


def list_tools_after_sign_in(url: str) -> list[str]:
    """Register, sign in without a consent page, and list the tools."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webbrowser.open", follow)
        return asyncio.run(_list_tools(url, "auto", OAuth(callback_port=free_port()), {}))


class _StopsBeforeBrowser(OAuth):
    """A client that ends when it would open the browser."""

    authorization_url = ""

    async def redirect_handler(self, authorization_url: str) -> None:
        self.authorization_url = authorization_url
        raise ConnectionAbortedError


def open_consent_page(url: str) -> str:
    """Register and open the page that asks the user for consent; return its text."""
    oauth = _StopsBeforeBrowser(callback_port=free_port())
    with suppress(Exception):
        asyncio.run(_list_tools(url, "auto", oauth, {}))
    return httpx2.get(oauth.authorization_url, follow_redirects=True, trust_env=False).text


async def _list_tools(url: str, mode: Any, auth: Any, headers: dict[str, str]) -> list[str]:
    transport = StreamableHttpTransport(url, auth=auth, headers=headers)
    async with asyncio.timeout(_SECONDS), Client(transport, timeout=_SECONDS, mode=mode) as client:
        return [tool.name for tool in await client.list_tools()]
