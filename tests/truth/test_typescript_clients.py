"""The clients of the TypeScript SDK, which uses another discovery than FastMCP's client, behind the same website."""

from pathlib import Path

import pytest
from end_to_end.client_sessions import run_session, skip_reason
from truth.all_servers import SERVERS
from truth.mcp_server import write_project
from truth.truth_check import extract_server, serve_server

NAMES = (
    "a route key for each method",
    "sessions without Lambda",
    "an endpoint at the root",
    "FastAPI with a mount below a path",
    "MCPServer with sessions",
    "AuthKit at the root",
    "AuthKit in a mount",
    "an authorization server in a mount",
    "an authorization server in a mount, its issuer at the root",
    "metadata by middleware",
    "metadata by hand",
    "MCPServer with the URL of the domain",
    "FastAPI with a mount at the endpoint",
    "sessions on Lambda",
    "FastAPI without the lifespan",
    "AuthKit in a mount without its documents",
    "AuthKit in a mount, and base_url without the mount",
)


@pytest.mark.slow
@pytest.mark.parametrize("client", ["typescript-v1", "typescript-v2"])
@pytest.mark.parametrize("name", NAMES)
def test_a_client_lists_the_tools_if_extract_accepts_the_server(client: str, name: str, tmp_path: Path) -> None:
    if reason := skip_reason(client):
        pytest.skip(reason)
    mcp_server = SERVERS[name]
    config = write_project(mcp_server, tmp_path)
    assert extract_server(config).outcome == mcp_server.expected
    with serve_server(mcp_server, config) as gateway:
        for endpoint in mcp_server.endpoints:
            url = f"{gateway.url}{endpoint}"
            session = run_session(client, url, tmp_path / "state", "add", {"a": 1, "b": 2})
            assert (session.get("tools") == ["add"]) is mcp_server.lists_tools, session
