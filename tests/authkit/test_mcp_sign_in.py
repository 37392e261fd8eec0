"""FastMCP's client signs in at the stand-in and uses the real MCP server."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from helpers.forked import MCP_IMPORTS, import_before_fork, start_program
from helpers.redirects import follow_redirects

PROJECT = Path(__file__).parents[2]
SERVE = """
import socket, sys, uvicorn
import mcp_server
listening = socket.socket(fileno=int(sys.argv[1]))
uvicorn.Server(uvicorn.Config(mcp_server.app, log_level="warning")).run(sockets=[listening])
"""

import_before_fork(*MCP_IMPORTS)


@dataclass(frozen=True)
class SignInSite:
    """The stand-in and the MCP server, each in its own process."""

    authkit_url: str
    mcp_url: str
    log: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInSite]:
    log = tmp_path_factory.mktemp("mcp") / "log"
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        options = ["--json", "--auto-consent", "--resource", f"{base_url}/mcp", "--client-id", "client_01TEST"]
        authkit = subprocess.Popen(
            [sys.executable, "-m", "dev.authkit", *options],
            cwd=PROJECT,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert authkit.stdout
        authkit_url: str = json.loads(authkit.stdout.readline())["url"]
        mcp_variables = {
            "PYTHONPATH": str(PROJECT / "app" / "poc" / "mcp_package"),
            "AUTHKIT_DOMAIN": authkit_url,
            "WORKOS_CLIENT_ID": "client_01TEST",
            "MCP_BASE_URL": base_url,
        }
        server = start_program(SERVE, env | mcp_variables, log, listening)
        yield SignInSite(authkit_url, f"{base_url}/mcp", log)
        server.terminate()
        authkit.terminate()
        authkit.communicate(timeout=30)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A fake browser that follows redirects to the client's callback, and a list of the URLs that it opened."""
    opened: list[str] = []
    tabs: list[threading.Thread] = []

    def follow(url: str) -> bool:
        opened.append(url)
        tabs.append(threading.Thread(target=follow_redirects, args=[url]))
        tabs[-1].start()
        return True

    monkeypatch.setattr(webbrowser, "open", follow)
    yield opened
    for tab in tabs:
        tab.join(timeout=30)


def list_tools(url: str) -> list[str]:
    from fastmcp import Client  # the import takes a second, and only this test needs it

    async def connect() -> list[str]:
        async with Client(url, auth="oauth") as client:
            return [tool.name for tool in await client.list_tools()]

    return asyncio.run(connect())


@pytest.mark.filterwarnings("ignore:Using in-memory token storage:UserWarning")
def test_a_client_signs_in_and_lists_tools_before_and_after_a_key_rotation(
    site: SignInSite, browser: list[str]
) -> None:
    tools = ["list_pages", "read_page", "search", "recent_changes"]
    assert list_tools(site.mcp_url) == tools
    assert httpx2.post(f"{site.authkit_url}/stand-in/rotate-keys", trust_env=False).status_code == 200
    assert list_tools(site.mcp_url) == tools
    assert [url.split("?")[0] for url in browser] == [f"{site.authkit_url}/oauth2/authorize"] * 2


def send_tools_list(site: SignInSite, token: str) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
    return httpx2.post(site.mcp_url, json=body, headers=headers, trust_env=False, timeout=30)


@pytest.fixture
def signed_in(site: SignInSite) -> Any:
    """Sign in at the stand-in with separate requests; return the access token."""

    def sign_in(resource: str | None) -> str:
        callback = "http://127.0.0.1:1/"
        pkce = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
        with httpx2.Client(base_url=site.authkit_url, trust_env=False) as http:
            metadata = {"redirect_uris": [callback], "token_endpoint_auth_method": "none"}
            client = {"client_id": http.post("/oauth2/register", json=metadata).json()["client_id"]}
            parameters = client | pkce | {"response_type": "code"} | ({"resource": resource} if resource else {})
            location = http.get("/oauth2/authorize", params=parameters).headers["location"]
            (code,) = parse_qs(urlsplit(location).query)["code"]
            form = client | {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
            token: str = http.post("/oauth2/token", data=form).json()["access_token"]
            return token

    return sign_in


def test_a_token_for_the_environment_is_refused_with_a_reason_in_the_log(site: SignInSite, signed_in: Any) -> None:
    assert send_tools_list(site, signed_in(site.mcp_url)).status_code == 200
    assert send_tools_list(site, signed_in(None)).status_code == 401
    assert "its aud is WORKOS_CLIENT_ID" in " ".join(site.log.read_text().split())


def test_the_issuer_is_exactly_the_url_that_the_mcp_server_names(site: SignInSite) -> None:
    origin = site.mcp_url.removesuffix("/mcp")
    resource_metadata = httpx2.get(
        f"{origin}/.well-known/oauth-protected-resource/mcp", trust_env=False, timeout=30
    ).json()
    server_metadata = httpx2.get(f"{origin}/.well-known/oauth-authorization-server", trust_env=False, timeout=30).json()
    assert resource_metadata["authorization_servers"] == [server_metadata["issuer"]] == [site.authkit_url]
    assert resource_metadata["resource"] == site.mcp_url
