"""The two apps of this repository run as processes behind each server; real MCP clients sign in and read a page."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from differential.servers import SERVERS, environment, run_server
from end_to_end.client_sessions import run_session, skip_reason
from helpers.forked import MCP_IMPORTS, WIKI_IMPORTS, import_before_fork, start_program
from helpers.support import PROJECT
from render.manifests import COMMITTED

from dev.authkit.background import run_in_background
from dev.serve.local_apps import PAGES, app_environments, make_wiki

CLIENTS = ("python", "typescript-v1")
TOOLS = ["list_pages", "read_page", "search", "recent_changes"]
# Each program serves on the socket that it inherits; its argument is the socket's file descriptor.
MCP = "import sys, uvicorn; uvicorn.run('mcp_server:app', fd=int(sys.argv[1]))"
WIKI = (
    "import sys; from werkzeug.serving import make_server; from wiki import app;"
    "make_server('127.0.0.1', 0, app, threaded=True, fd=int(sys.argv[1])).serve_forever()"
)
PROGRAMS = {"mcp": ("app/poc/mcp_package", MCP), "otterwiki": ("app/otterwiki", WIKI)}

import_before_fork(*WIKI_IMPORTS, *MCP_IMPORTS)


@contextmanager
def run_site(server: str, folder: Path) -> Iterator[str]:
    """Run the apps, AuthKit and the server until the end of the block, and yield the server's URL."""
    make_wiki(folder / "wiki")
    with ExitStack() as stack:
        # The sockets listen before the apps run: the server needs their addresses, and the apps need its URL.
        sockets = {app: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for app in PROGRAMS}
        addresses = {app: f"127.0.0.1:{socket_.getsockname()[1]}" for app, socket_ in sockets.items()}
        url = f"http://127.0.0.1:{stack.enter_context(run_server(server, COMMITTED, addresses, folder))}"
        authkit = stack.enter_context(run_in_background(frozenset({f"{url}/mcp"}), auto_consent=True)).settings
        for app, env in app_environments(url, authkit.issuer, authkit.client_id, folder / "wiki").items():
            package, code = PROGRAMS[app]
            (folder / app).mkdir()
            paths = {"HOME": str(folder / app), "PYTHONPATH": str(PROJECT / package)}
            program = start_program(code, {**environment(folder), **env, **paths}, folder / f"{app}.log", sockets[app])
            stack.callback(program.terminate)
        yield url


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_site(request.param, tmp_path_factory.mktemp(request.param)) as site_url:
        yield site_url


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_signs_in_and_reads_a_page(url: str, client: str, tmp_path: Path) -> None:
    if reason := skip_reason(client):
        pytest.skip(reason)
    assert run_session(client, f"{url}/mcp", tmp_path / "state", "read_page", {"page": "Team/Onboarding"}) == {
        "tools": TOOLS,
        "text": (PAGES / "onboarding.md").read_text(),
        "signedIn": True,
        "refreshed": False,
    }
