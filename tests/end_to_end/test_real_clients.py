"""Real clients sign in through the real gateway and read a page of the real wiki."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from end_to_end.client_sessions import CLIENTS, run_session, skip_reason
from end_to_end.conftest import SHARED_STACKS
from end_to_end.full_stack import FullStack, full_stack
from helpers.node import reason_not_to_run

from dev.serve.local_apps import PAGES

TOOLS = ["list_pages", "read_page", "search", "recent_changes"]
PAGE = {"page": "Team/Onboarding"}
TEXT = (PAGES / "onboarding.md").read_text()


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if reason := skip_reason(name):
        pytest.skip(reason)
    return name


@pytest.fixture(params=SHARED_STACKS)
def stack_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def stack(request: pytest.FixtureRequest, stack_name: str) -> FullStack:
    shared: FullStack = request.getfixturevalue(stack_name)
    return shared


def test_client_signs_in_reads_a_page_and_reuses_its_token(stack: FullStack, client: str, tmp_path: Path) -> None:
    assert run_session(client, stack.mcp_url, tmp_path / "state", "read_page", PAGE) == {
        "tools": TOOLS,
        "text": TEXT,
        "signedIn": True,
        "refreshed": False,
    }
    since = len(stack.gateway.exchanges)
    second_session = run_session(client, stack.mcp_url, tmp_path / "state", "search", {"query": "raft"})
    assert (second_session["tools"], second_session["signedIn"]) == (TOOLS, False)
    assert "Otters" in second_session["text"]
    exchanges = stack.exchange_lines(since)
    assert "GET /-/search/raft otterwiki 200" in exchanges
    assert not [exchange for exchange in exchanges if exchange.endswith(" 401")]


@pytest.mark.parametrize(
    "program",
    [pytest.param("mcp-remote", marks=pytest.mark.slow), pytest.param("inspector", marks=pytest.mark.long)],
)
def test_mcp_remote_and_the_inspector_sign_in_and_reuse_their_token(
    stack: FullStack, program: str, tmp_path: Path
) -> None:
    if reason := reason_not_to_run("mcp-remote"):
        pytest.skip(reason)
    for signed_in in (True, False):
        session = run_session(program, stack.mcp_url, tmp_path / "state", "read_page", PAGE)
        assert session == {"tools": TOOLS, "text": TEXT, "signedIn": signed_in}


def test_gateway_renames_or_keeps_the_challenge(stack: FullStack, stack_name: str) -> None:
    answer = stack.gateway.ask("POST", "/mcp", b"{}", {"content-type": "application/json"})
    renamed = "x-amzn-remapped-www-authenticate" in answer.headers
    assert answer.status == 401
    assert renamed != ("www-authenticate" in answer.headers)
    assert renamed == (stack_name == "renaming_stack")


def test_each_client_refreshes_an_expired_token(tmp_path: Path) -> None:
    clients = [client for client in CLIENTS if not skip_reason(client)]
    with full_stack(tmp_path / "wiki", access_token_seconds=8) as stack, ThreadPoolExecutor(len(clients)) as pool:

        def long_session(client: str) -> Any:
            return run_session(client, stack.mcp_url, tmp_path / client, "read_page", PAGE, wait=9)

        results = dict(zip(clients, pool.map(long_session, clients), strict=True))
    expected = {"tools": TOOLS, "text": TEXT, "signedIn": True, "refreshed": True}
    assert results == dict.fromkeys(clients, expected)


CATCH_ALL_WIKI = """
def handler(event, context):
    html = "<!DOCTYPE html><html><head><title>A wiki</title></head><body>No such page yet</body></html>"
    if event["rawPath"] == "/Team/Onboarding/source":
        return {"statusCode": 200, "headers": {"content-type": "text/plain; charset=utf-8"},
                "body": "# Onboarding\\n[]: # (/Team/Onboarding)"}
    return {"statusCode": 200, "headers": {"content-type": "text/html; charset=utf-8"}, "body": html}
"""
OLD_MANIFEST = {
    "version": 1,
    "default": "otterwiki",
    "routes": [
        {"path": path, "methods": ["ANY"], "app": "mcp", "role": role, "route_keys": [f"ANY {path}"]}
        for path, role in [("/mcp", "mcp-endpoint"), ("/mcp/{proxy+}", "owned")]
    ],
}
"""The routes before this project: only those of /mcp, written by hand."""


def catch_all_wiki(root: Path) -> dict[str, str]:
    """A wiki that answers every path with status 200."""
    (root / "catch_all_wiki.py").write_text(CATCH_ALL_WIKI)
    return {"handler": "catch_all_wiki.handler", "path": str(root)}


@pytest.fixture(scope="module")
def old_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    root = tmp_path_factory.mktemp("old-stack")
    (root / "routes.json").write_text(json.dumps(OLD_MANIFEST))
    with full_stack(root / "wiki", manifest=root / "routes.json") as stack:
        yield stack


@pytest.fixture(scope="module")
def old_stack_with_catch_all_wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    root = tmp_path_factory.mktemp("old-stack")
    (root / "routes.json").write_text(json.dumps(OLD_MANIFEST))
    with full_stack(root / "wiki", manifest=root / "routes.json", default_app=catch_all_wiki(root)) as stack:
        yield stack


def discovery_lines(stack: FullStack, since: int) -> list[str]:
    """The requests of a client after its first 401, which all go to the wiki."""
    first_exchange, *exchanges = stack.exchange_lines(since)
    assert first_exchange == "POST /mcp mcp 401"
    assert all(" otterwiki " in exchange for exchange in exchanges)
    return [exchange.replace(" otterwiki", "") for exchange in exchanges]


def test_with_the_old_routes_discovery_ends_in_the_wiki(old_stack: FullStack, client: str, tmp_path: Path) -> None:
    since = len(old_stack.gateway.exchanges)
    error = run_session(client, old_stack.mcp_url, tmp_path / "state", "read_page", PAGE)["error"]
    openid = [] if client == "python" else ["GET /.well-known/openid-configuration 404"]
    assert discovery_lines(old_stack, since) == [
        "GET /.well-known/oauth-protected-resource/mcp 404",
        "GET /.well-known/oauth-protected-resource 404",
        "GET /.well-known/oauth-authorization-server 404",
        *openid,
        "POST /register 400",
    ]
    assert "CSRF token is missing" in error


def test_with_the_old_routes_a_catch_all_wiki_breaks_each_client(
    old_stack_with_catch_all_wiki: FullStack, client: str, tmp_path: Path
) -> None:
    since = len(old_stack_with_catch_all_wiki.gateway.exchanges)
    error = run_session(client, old_stack_with_catch_all_wiki.mcp_url, tmp_path / "state", "read_page", PAGE)["error"]
    lines = discovery_lines(old_stack_with_catch_all_wiki, since)
    if client == "python":
        assert lines[-1] == "POST /register 200"
        assert "Invalid registration response" in error
    else:
        assert lines == [
            "GET /.well-known/oauth-protected-resource/mcp 200",
            "GET /.well-known/oauth-authorization-server 200",
        ]
        assert error == """SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON"""


@pytest.fixture(scope="module")
def stack_with_catch_all_wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    root = tmp_path_factory.mktemp("catch-all")
    with full_stack(root / "wiki", default_app=catch_all_wiki(root)) as stack:
        yield stack


def test_with_the_manifest_a_catch_all_wiki_breaks_no_client(
    stack_with_catch_all_wiki: FullStack, client: str, tmp_path: Path
) -> None:
    result = run_session(client, stack_with_catch_all_wiki.mcp_url, tmp_path / "state", "read_page", PAGE)
    assert result == {"tools": TOOLS, "text": "# Onboarding", "signedIn": True, "refreshed": False}
