"""Three MCP servers with three authorization servers on one domain: each client gets its own server's documents."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from end_to_end.client_sessions import CLIENTS, run_session, skip_reason
from serve.running_gateway import RunningGateway
from truth.mcp_server import McpServer, write_project
from truth.servers.several_apps import NAMES, THREE_AUTHORIZATION_SERVERS, THREE_OWN_SERVERS
from truth.truth_check import extract_server, serve_server

STACKS = {"AuthKit": THREE_AUTHORIZATION_SERVERS, "own": THREE_OWN_SERVERS}


@pytest.fixture(
    scope="module",
    params=[
        "AuthKit in threads",
        pytest.param("own in processes", marks=pytest.mark.slow),
    ],
)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    name, _, place = request.param.partition(" in ")
    mcp_server: McpServer = STACKS[name]
    config = write_project(mcp_server, tmp_path_factory.mktemp("project"))
    assert extract_server(config).outcome == "accepted"
    with serve_server(mcp_server, config, in_processes=place == "processes") as running:
        yield running


def test_each_client_signs_in_at_its_own_authorization_server(gateway: RunningGateway, tmp_path: Path) -> None:
    issuers = set()
    for name in NAMES:
        document = gateway.get(f"/.well-known/oauth-protected-resource/{name}/mcp").json
        assert document["resource"] == f"{gateway.url}/{name}/mcp"
        issuers.update(document["authorization_servers"])
    assert len(issuers) == 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_gets_the_documents_of_its_own_server(
    gateway: RunningGateway, client: str, name: str, tmp_path: Path
) -> None:
    if reason := skip_reason(client):
        pytest.skip(reason)
    since = len(gateway.exchanges)
    session = run_session(client, f"{gateway.url}/{name}/mcp", tmp_path / "state", "add", {"a": 1, "b": 2})
    assert session == {"tools": ["add"], "text": "3", "signedIn": True, "refreshed": False}
    exchanges = gateway.exchanges[since:]
    assert f"/.well-known/oauth-protected-resource/{name}/mcp" in {exchange.request.path for exchange in exchanges}
    assert {exchange.app for exchange in exchanges} == {name}
