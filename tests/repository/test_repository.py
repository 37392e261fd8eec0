"""This repository as its users drive it: the real MCP server, the committed manifest, and drift between them."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from helpers.support import PROJECT, Routegen

MANIFEST = "generated/routes.json"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What extraction reads of the repository, to change at will."""
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    shutil.copytree(PROJECT / "generated", tmp_path / "generated")
    shutil.copytree(PROJECT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize(
    ("directory", "env"),
    [
        (".", {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "Pacific/Auckland"}),
        ("app/poc/mcp_package", {"PYTHONHASHSEED": "2", "AUTHKIT_DOMAIN": "https://mine.example/elsewhere"}),
    ],
)
def test_the_committed_manifest_comes_out_byte_for_byte(
    routegen: Routegen, directory: str, env: Mapping[str, str]
) -> None:
    done = routegen("extract", cwd=PROJECT / directory, env=env)
    assert done.code == 0, done.stderr
    assert done.stdout.encode() == (PROJECT / MANIFEST).read_bytes()


def edited(file: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new))

    return edit


@pytest.mark.parametrize(
    ("edit", "removed", "added"),
    [
        (edited("app/poc/mcp_package/mcp_server.py", 'path="/mcp"', 'path="/tools"'), "/mcp", "/tools"),
        (edited("app/poc/mcp_package/mcp_server.py", 'path="/mcp"', 'path="/tools/mcp"'),
         "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource/tools/mcp"),
    ],
    ids=["a renamed route", "a document that follows its endpoint"],
)  # fmt: skip
def test_drift_is_named_and_gone_when_it_is_taken_back(
    copy: Path, routegen: Routegen, edit: Callable[[Path], None], removed: str, added: str
) -> None:
    before = {file: (copy / file).read_bytes() for file in ("pyproject.toml", "app/poc/mcp_package/mcp_server.py")}
    edit(copy)
    drifted = routegen("check")
    assert drifted.code == 1, drifted.stderr
    # /mcp itself stays, for the configuration says that the app owns it
    word = "Changed" if removed == "/mcp" else "Removed"
    assert f"  {removed}\n        {word}: " in drifted.stdout
    assert f"  {added}\n        Added: " in drifted.stdout
    for file, content in before.items():
        (copy / file).write_bytes(content)
    assert routegen("check").code == 0


def test_a_base_url_with_another_path_than_the_endpoint_is_refused(copy: Path, routegen: Routegen) -> None:
    edited("pyproject.toml", 'MCP_BASE_URL = "https://dev.wikibot.io"', 'MCP_BASE_URL = "https://dev.wikibot.io/x"')(
        copy
    )
    done = routegen("check")
    assert done.code == 5
    assert (
        "serves the protected resource metadata at /.well-known/oauth-protected-resource/x/mcp, and clients"
        in done.error
    )
    assert "look for it at /.well-known/oauth-protected-resource/mcp (RFC 9728, section 3.1)" in done.error


def test_a_setting_that_the_configuration_lacks_is_named(
    copy: Path, routegen: Routegen, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited("pyproject.toml", 'WORKOS_CLIENT_ID = "client_0123456789"\n', "")(copy)
    monkeypatch.setenv("WORKOS_CLIENT_ID", "client_of_the_caller")
    done = routegen("check")
    assert done.code == 3
    assert "WORKOS_CLIENT_ID" in done.stderr
    assert "Traceback" not in done.stderr
