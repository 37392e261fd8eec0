"""The real packages of both Lambdas: their contents, and their responses when nothing else is installed."""

import base64
import json
import marshal
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from helpers.pulumi_program import DEPLOYED_WIKI, REQUIRED
from helpers.wiki_browser import WikiBrowser, check_life_of_an_account

# One process, because two would wait for the same build. A build installs packages from the registry.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packages"), pytest.mark.timeout(900)]

NAMES = ("mcp", "otterwiki")
TAG = sys.implementation.cache_tag
LIMIT = 262_144_000
MCP_SETTINGS = {
    "AUTHKIT_DOMAIN": "https://example.authkit.app",
    "WORKOS_CLIENT_ID": "client_01EXAMPLE",
    "MCP_BASE_URL": "https://dev.wikibot.io",
    "WIKI_URL": "https://dev.wikibot.io",
    "WIKI_READER_TOKEN": REQUIRED["reader_token"],
}

Built = Callable[[str], Any]
Run = Callable[..., Any]


@pytest.mark.parametrize("name", NAMES)
def test_every_source_has_bytecode_of_one_python_version(built: Built, name: str) -> None:
    package = built(name).path
    sources = {path.relative_to(package) for path in package.rglob("*.py")}
    compiled = {path.relative_to(package) for path in package.rglob("*.pyc")}
    assert len(sources) > 500
    assert compiled == {path.parent / "__pycache__" / f"{path.stem}.{TAG}.pyc" for path in sources}
    flags = {(package / path).read_bytes()[4:8] for path in compiled}
    assert flags == {b"\x01\0\0\0"}, "hash-based and unchecked (PEP 552)"


@pytest.mark.parametrize(("name", "module"), [("mcp", "mcp_server"), ("otterwiki", "wiki")])
def test_bytecode_has_the_path_of_lambda(built: Built, name: str, module: str) -> None:
    code = marshal.loads((built(name).path / "__pycache__" / f"{module}.{TAG}.pyc").read_bytes()[16:])
    assert isinstance(code, CodeType)
    assert code.co_filename == f"/var/task/{module}.py"


@pytest.mark.parametrize(("name", "handler"), [("mcp", "mcp_server.handler"), ("otterwiki", "wiki.handler")])
def test_lambda_json_describes_the_package(built: Built, name: str, handler: str) -> None:
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert built(name).facts == {"runtime": runtime, "architecture": "x86_64", "handler": handler}


@pytest.mark.parametrize("name", NAMES)
def test_a_package_has_only_files_that_lambda_needs(built: Built, name: str) -> None:
    entries = {path.name for path in built(name).path.iterdir()}
    assert not {entry for entry in entries if entry.endswith((".sh", ".txt", ".in")) or entry.startswith(".")}
    assert not entries & {"bin", "Dockerfile", "tests", "pip", "setuptools", "Cython", "awslambdaric"}
    assert any(entry.endswith(".dist-info") for entry in entries), "importlib.metadata reads these"


@pytest.mark.parametrize("name", NAMES)
def test_another_user_can_read_all_files(built: Built, name: str) -> None:
    package = built(name).path
    unreadable = [path for path in (package, *package.rglob("*")) if path.stat().st_mode & 0o004 == 0]
    assert unreadable == []


@pytest.mark.parametrize("name", NAMES)
def test_a_build_prints_the_size(built: Built, name: str) -> None:
    package = built(name)
    match = re.search(
        r": (\d+) bytes in (\d+) files, python3\.\d+ on x86_64 \(Lambda allows 262144000\)\n$", package.summary
    )
    assert match, package.summary
    sizes = [size for size, _ in package.tree().values()]
    assert (int(match[1]), int(match[2])) == (sum(sizes), len(sizes))
    assert sum(sizes) < LIMIT


def test_the_wiki_needs_only_its_package(built: Built, run: Run, tmp_path: Path) -> None:
    package = built("otterwiki")
    before = package.tree()
    wiki = run(package, WIKI_DATA_DIR=str(tmp_path / "data"))
    home = wiki.invoke("GET", "/Home")
    assert home["statusCode"] == 200
    assert home["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "Welcome to your wiki!" in home["body"]
    icon = wiki.invoke("GET", "/favicon.ico")
    assert icon["isBase64Encoded"]
    file = package.path / "otterwiki" / "static" / "img" / "otter-favicon.ico"
    assert base64.b64decode(icon["body"]) == file.read_bytes()
    feed = wiki.invoke("GET", "/-/changelog/feed.rss")  # feedgen and lxml
    assert feed["statusCode"] == 200
    assert package.tree() == before, "Lambda's file system is read-only"


@dataclass
class DeployedWiki(WikiBrowser):
    """A browser of the wiki's package in AWS's runtime client."""

    function: Any

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        response: dict[str, Any] = self.function.send(event)
        return response


def test_accounts_work_in_the_package_with_the_deployed_environment(built: Built, run: Run, tmp_path: Path) -> None:
    package = built("otterwiki")
    before = package.tree()
    wiki = DeployedWiki(run(package, **DEPLOYED_WIKI, WIKI_DATA_DIR=str(tmp_path / "data")))
    check_life_of_an_account(wiki)
    wiki.cookies.clear()
    token = f"Bearer {REQUIRED['reader_token']}"
    assert wiki.request("GET", "/Page/source", "raw", authorization=token).text.startswith("by ann")
    assert wiki.request("GET", "/-/settings", authorization=token).status == 403
    assert package.tree() == before, "Lambda's file system is read-only"


def test_the_mcp_server_needs_only_its_package(built: Built, run: Run) -> None:
    package = built("mcp")
    before = package.tree()
    server = run(package, **MCP_SETTINGS)
    assert server.invoke("GET", "/mcp")["statusCode"] == 405
    call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
    unauthorized = server.invoke("POST", "/mcp", call)
    assert unauthorized["statusCode"] == 401
    assert unauthorized["headers"]["content-type"].startswith("application/json")
    assert json.loads(unauthorized["body"]) == {"message": "Unauthorized"}
    assert "resource_metadata=" in unauthorized["headers"]["www-authenticate"]
    metadata = server.invoke("GET", "/.well-known/oauth-protected-resource/mcp")
    assert metadata["statusCode"] == 200
    document = json.loads(metadata["body"])
    assert document["resource"] == "https://dev.wikibot.io/mcp"
    assert [url.rstrip("/") for url in document["authorization_servers"]] == ["https://example.authkit.app"]
    # beartype compiles the modules of py-key-value again, with another tag in the file name.
    after = {path: facts for path, facts in package.tree().items() if ".opt-beartype" not in path}
    assert after == before, "Lambda's file system is read-only"
