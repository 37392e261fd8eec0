"""The truth check: clients list the tools of a server exactly if `extract` accepts it without a warning.

Each server is served behind a website that answers every path with a page.
"""

from pathlib import Path

import pytest
from routegen.roles import discovery_documents
from serve.running_gateway import RunningGateway
from truth.all_servers import GROUPS, SERVERS
from truth.mcp_server import McpServer, write_project
from truth.truth_check import client_error, extract_server, serve_server


def test_there_are_many_different_servers() -> None:
    assert len(SERVERS) == sum(len(group.SERVERS) for group in GROUPS), "two servers have the same name"
    assert len(SERVERS) >= 140


def test_each_expectation_is_complete() -> None:
    for mcp_server in SERVERS.values():
        assert bool(mcp_server.message) is (mcp_server.expected != "accepted"), mcp_server.name
        assert mcp_server.lists_tools or mcp_server.expected != "accepted", mcp_server.name


@pytest.mark.filterwarnings("ignore:Using in-memory token storage:UserWarning")
@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
@pytest.mark.parametrize("name", SERVERS)
def test_clients_list_the_tools_if_extract_accepts_the_server(name: str, tmp_path: Path) -> None:
    mcp_server = SERVERS[name]
    config = write_project(mcp_server, tmp_path)
    extracted = extract_server(config)
    assert (extracted.outcome, mcp_server.message in extracted.text) == (mcp_server.expected, True), extracted.text
    if not extracted.is_written:
        return
    with serve_server(mcp_server, config) as gateway:
        error = client_error(mcp_server, gateway)
        assert (error is None) is mcp_server.lists_tools, error
        if mcp_server.expected == "accepted":
            assert_no_page_on_discovery_paths(mcp_server, gateway)


def assert_no_page_on_discovery_paths(mcp_server: McpServer, gateway: RunningGateway) -> None:
    for endpoint in mcp_server.endpoints:
        for path, _ in discovery_documents(endpoint):
            answer = gateway.get(path)
            content_type = answer.headers["content-type"]
            is_json = answer.status in {200, 401} and content_type.startswith("application/json")
            assert is_json or (answer.status == 404 and "html" not in content_type), (path, answer)
