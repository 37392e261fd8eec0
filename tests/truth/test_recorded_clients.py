"""No recorded client gets a page where it looks for a document, although the website answers every path with one."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
from helpers.support import PROJECT
from truth.all_servers import SERVERS
from truth.mcp_server import write_project
from truth.truth_check import extract_server, serve_server

RECORDED = json.loads((PROJECT / "tests" / "verify" / "data" / "recorded.json").read_text())

NAMES = (
    "http_app on Lambda",
    "sessions without Lambda",
    "an endpoint at the root",
    "an endpoint below a path",
    "MCPServer for every host",
    "static tokens",
    "AuthKit",
    "AuthKit in a mount",
    "an authorization server of its own",
    "an authorization server in a mount",
    "GitHub",
    "MCPServer with a verifier",
)


def recorded_paths(endpoint: str) -> dict[str, set[str]]:
    """Each client's paths of discovery, for an endpoint in place of the recorded endpoint /mcp."""
    paths = defaultdict(set)
    for run in RECORDED["runs"]:
        for request in run["requests"]:
            method, origin, path, _ = request.split()
            if (method, origin) == ("GET", "origin") and "/.well-known/" in path:
                paths[run["client"]].add(path.replace("/mcp", endpoint.rstrip("/")))
    return paths


@pytest.mark.parametrize("name", NAMES)
def test_every_client_gets_json_or_404(name: str, tmp_path: Path) -> None:
    mcp_server = SERVERS[name]
    config = write_project(mcp_server, tmp_path)
    assert extract_server(config).outcome == mcp_server.expected
    (endpoint,) = mcp_server.endpoints
    clients = recorded_paths(endpoint)
    assert len(clients) == 5
    with serve_server(mcp_server, config) as gateway:
        assert b"<title>Site</title>" in gateway.get("/any/other/path").body
        for client, paths in clients.items():
            for path in paths:
                answer = gateway.get(path)
                content_type = answer.headers["content-type"]
                is_json = answer.status == 200 and content_type.startswith("application/json") and answer.json
                assert is_json or (answer.status == 404 and "html" not in content_type), (client, path, answer)
