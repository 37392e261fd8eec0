"""Three MCP servers with three authorization servers share one domain without a default app; real clients sign in."""

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from end_to_end.client_sessions import CLIENTS, run_session, skip_reason
from helpers.forked import run_routegen
from helpers.forked_functions import with_forked_functions
from helpers.support import PROJECT
from routegen.config import read_config, with_env
from routegen.serve.local_gateway import open_socket
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, running_gateway

from dev.authkit.background import run_in_background

NAMES = ("mail", "files", "calendar")
SERVER = """\
import os

from fastmcp import FastMCP
from fastmcp.server.auth.providers.workos import AuthKitProvider
from warm_handler import WarmHandler

name = os.environ["SERVER_NAME"]
auth = AuthKitProvider(
    authkit_domain=os.environ["AUTHKIT_DOMAIN"],
    base_url=os.environ["BASE_URL"],
    scopes_supported=["openid", "offline_access"],  # without scopes, FastMCP's client registers " offline_access"
)
server = FastMCP(name, auth=auth)


@server.tool
def name_of_server() -> str:
    return name


app = server.http_app(path=f"/{name}/mcp", stateless_http=True, json_response=True)
handler = WarmHandler(app)
"""
APP_TABLE = """
[tool.routegen.apps.{name}]
app = "servers/server.py:app"
handler = "server.handler"
path = "servers"
env = {{ SERVER_NAME = "{name}", AUTHKIT_DOMAIN = "https://{name}.authkit.app", BASE_URL = "https://tools.example" }}
"""
ROOT_DOCUMENT = "/.well-known/oauth-authorization-server"


def write_project(root: Path) -> None:
    """Write a project whose manifest cannot be extracted yet: the root document has no owner."""
    (root / "servers").mkdir()
    (root / "servers" / "server.py").write_text(SERVER)
    shutil.copy(PROJECT / "app" / "poc" / "mcp_package" / "warm_handler.py", root / "servers")
    (root / "pyproject.toml").write_text("[tool.routegen]\n" + "".join(APP_TABLE.format(name=name) for name in NAMES))
    (root / "generated").mkdir()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("several-servers")
    write_project(root)
    refused = run_routegen(root, "extract", "-o", "generated/routes.json")
    assert refused.code == 5
    remedy = f'write routes = ["{ROOT_DOCUMENT}"] in [tool.routegen.apps.mail], or in that of another app'
    assert refused.error.endswith(f"a document of the whole domain, which needs one owner: {remedy}")
    config = root / "pyproject.toml"
    table = "[tool.routegen.apps.mail]\n"
    config.write_text(config.read_text().replace(table, f'{table}routes = ["{ROOT_DOCUMENT}"]\n'))
    extracted = run_routegen(root, "extract", "-o", "generated/routes.json")
    assert extracted.code == 0, extracted.stderr
    return root


@pytest.fixture(scope="module")
def gateway(project: Path) -> Iterator[RunningGateway]:
    listening = open_socket("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = read_config(project / "pyproject.toml")
    with ExitStack() as stack:
        for name in NAMES:
            authkit = stack.enter_context(run_in_background(frozenset({f"{url}/{name}/mcp"}), auto_consent=True))
            config = with_env(config, name, {"AUTHKIT_DOMAIN": authkit.settings.issuer, "BASE_URL": url})
        yield stack.enter_context(
            running_gateway(with_forked_functions(config), ServeSettings(max_instances=1), listening)
        )


def test_check_names_the_owner_of_the_root_document(project: Path) -> None:
    checked = run_routegen(project, "check")
    assert checked.code == 0, checked.stdout
    assert f"note    RG217  {ROOT_DOCUMENT}\n        mail answers for files, calendar too." in checked.stdout


def test_each_server_gets_what_it_serves_except_the_document_of_the_owner(project: Path) -> None:
    proven = run_routegen(project, "prove")
    assert proven.code == 0, proven.stdout
    assert proven.stdout.count("excused: another app claims the path in its `routes`") == len(NAMES) - 1


def test_each_server_answers_its_own_documents(gateway: RunningGateway) -> None:
    documents: Mapping[str, Any] = {
        name: gateway.get(f"/.well-known/oauth-protected-resource/{name}/mcp").json for name in NAMES
    }
    assert [document["resource"] for document in documents.values()] == [f"{gateway.url}/{name}/mcp" for name in NAMES]
    assert len({document["authorization_servers"][0] for document in documents.values()}) == len(NAMES)


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_signs_in_at_the_authorization_server_of_each_server(
    client: str, gateway: RunningGateway, tmp_path: Path
) -> None:
    """A server accepts only tokens that its own authorization server has signed for its own URL."""
    if reason := skip_reason(client):
        pytest.skip(reason)

    def sign_in(name: str) -> Any:
        return run_session(client, f"{gateway.url}/{name}/mcp", tmp_path / name, "name_of_server", {})

    with ThreadPoolExecutor(len(NAMES)) as pool:
        sessions = dict(zip(NAMES, pool.map(sign_in, NAMES), strict=True))
    assert {name: (session.get("text"), session.get("signedIn"), session.get("error")) for name, session in
            sessions.items()} == {name: (name, True, None) for name in NAMES}  # fmt: skip


def test_the_gateway_answers_other_paths_with_404(gateway: RunningGateway) -> None:
    answer = gateway.get("/.well-known/openid-configuration/mail/mcp")
    assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')
