"""The truth check with the real commands and processes, for every fourth server."""

from pathlib import Path

import pytest
from helpers.forked import run_routegen
from truth.all_servers import SERVERS
from truth.mcp_server import write_project
from truth.truth_check import client_error, serve_server

pytestmark = pytest.mark.slow

EXIT_CODES = {"accepted": {0}, "warned": {0}, "refused": {3, 5}}


@pytest.mark.filterwarnings("ignore:Using in-memory token storage:UserWarning")
@pytest.mark.parametrize("name", list(SERVERS)[::4])
def test_clients_list_the_tools_if_extract_accepts_the_server(name: str, tmp_path: Path) -> None:
    mcp_server = SERVERS[name]
    config = write_project(mcp_server, tmp_path)
    extracted = run_routegen(tmp_path, "extract", "-o", "routes.json")
    assert extracted.code in EXIT_CODES[mcp_server.expected], extracted.stderr
    assert mcp_server.message in extracted.stderr
    assert ("routegen: warning:" in extracted.stderr) is (mcp_server.expected == "warned"), extracted.stderr
    if extracted.code:
        return
    with serve_server(mcp_server, config, in_processes=True) as gateway:
        error = client_error(mcp_server, gateway)
        assert (error is None) is mcp_server.lists_tools, error
