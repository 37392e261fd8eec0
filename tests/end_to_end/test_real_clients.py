"""Real clients sign in through the real gateway and read a page of the real wiki."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from end_to_end.client_sessions import CLIENTS, run_session, skip_reason
from end_to_end.full_stack import FullStack, full_stack

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


@pytest.fixture(scope="module", params=["rename", "keep"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    with full_stack(tmp_path_factory.mktemp("wiki"), renames_challenge=request.param == "rename") as one:
        yield one


def test_a_client_signs_in_reads_a_page_and_comes_back_with_its_token(
    site: FullStack, client: str, tmp_path: Path
) -> None:
    assert run_session(client, site.mcp_url, tmp_path / "state", "read_page", PAGE) == {
        "tools": TOOLS,
        "text": TEXT,
        "signedIn": True,
        "refreshed": False,
    }
    since = len(site.gateway.exchanges)
    again = run_session(client, site.mcp_url, tmp_path / "state", "search", {"query": "raft"})
    assert (again["tools"], again["signedIn"]) == (TOOLS, False)
    assert "Otters" in again["text"]
    asked = site.exchange_lines(since)
    assert "GET /-/search/raft otterwiki 200" in asked
    assert not [one for one in asked if one.endswith(" 401")]


def test_the_challenge_has_the_name_that_the_gateway_gives_it(site: FullStack) -> None:
    answer = site.gateway.ask("POST", "/mcp", b"{}", {"content-type": "application/json"})
    renamed = "x-amzn-remapped-www-authenticate" in answer.headers
    assert answer.status == 401
    assert renamed != ("www-authenticate" in answer.headers)


def test_each_client_refreshes_its_token_when_it_expires(tmp_path: Path) -> None:
    able = [client for client in CLIENTS if not skip_reason(client)]
    with full_stack(tmp_path / "wiki", access_token_seconds=6) as site, ThreadPoolExecutor(len(able)) as pool:

        def long_session(client: str) -> Any:
            return run_session(client, site.mcp_url, tmp_path / client, "read_page", PAGE, wait=7)

        said = dict(zip(able, pool.map(long_session, able), strict=True))
    expected = {"tools": TOOLS, "text": TEXT, "signedIn": True, "refreshed": True}
    assert said == dict.fromkeys(able, expected)


WIKI_OF_200 = """
def handler(event, context):
    html = "<!DOCTYPE html><html><head><title>A wiki</title></head><body>No such page yet</body></html>"
    if event["rawPath"] == "/Team/Onboarding/source":
        return {"statusCode": 200, "headers": {"content-type": "text/plain; charset=utf-8"},
                "body": "# Onboarding\\n[]: # (/Team/Onboarding)"}
    return {"statusCode": 200, "headers": {"content-type": "text/html; charset=utf-8"}, "body": html}
"""
BEFORE = {
    "version": 1,
    "default": "otterwiki",
    "routes": [
        {"path": path, "methods": ["ANY"], "app": "mcp", "role": role, "route_keys": [f"ANY {path}"]}
        for path, role in [("/mcp", "mcp-endpoint"), ("/mcp/{proxy+}", "owned")]
    ],
}
"""The gateway before: whoever wrote its routes knew of /mcp alone."""


def wiki_of_200(root: Path) -> dict[str, str]:
    """A wiki that has an answer to everything."""
    (root / "wiki_of_200.py").write_text(WIKI_OF_200)
    return {"handler": "wiki_of_200.handler", "path": str(root)}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    root = tmp_path_factory.mktemp("before")
    (root / "routes.json").write_text(json.dumps(BEFORE))
    with full_stack(root / "wiki", manifest=root / "routes.json") as one:
        yield one


@pytest.fixture(scope="module")
def before_with_200(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    root = tmp_path_factory.mktemp("before")
    (root / "routes.json").write_text(json.dumps(BEFORE))
    with full_stack(root / "wiki", manifest=root / "routes.json", default_app=wiki_of_200(root)) as one:
        yield one


def discovery(site: FullStack, since: int) -> list[str]:
    """What a client has asked for after its first 401; each went to the wiki."""
    first, *asked = site.exchange_lines(since)
    assert first == "POST /mcp mcp 401"
    assert all(" otterwiki " in one for one in asked)
    return [one.replace(" otterwiki", "") for one in asked]


def test_the_bug_discovery_ends_in_the_wiki(before: FullStack, client: str, tmp_path: Path) -> None:
    since = len(before.gateway.exchanges)
    error = run_session(client, before.mcp_url, tmp_path / "state", "read_page", PAGE)["error"]
    openid = [] if client == "python" else ["GET /.well-known/openid-configuration 404"]
    assert discovery(before, since) == [
        "GET /.well-known/oauth-protected-resource/mcp 404",
        "GET /.well-known/oauth-protected-resource 404",
        "GET /.well-known/oauth-authorization-server 404",
        *openid,
        "POST /register 400",
    ]
    assert "CSRF token is missing" in error


def test_the_bug_with_a_wiki_that_answers_everything(before_with_200: FullStack, client: str, tmp_path: Path) -> None:
    since = len(before_with_200.gateway.exchanges)
    error = run_session(client, before_with_200.mcp_url, tmp_path / "state", "read_page", PAGE)["error"]
    asked = discovery(before_with_200, since)
    if client == "python":
        assert asked[-1] == "POST /register 200"
        assert "Invalid registration response" in error
    else:
        assert asked == [
            "GET /.well-known/oauth-protected-resource/mcp 200",
            "GET /.well-known/oauth-authorization-server 200",
        ]
        assert error == """SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON"""


@pytest.fixture(scope="module")
def with_200(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    root = tmp_path_factory.mktemp("with-200")
    with full_stack(root / "wiki", default_app=wiki_of_200(root)) as one:
        yield one


def test_with_the_manifest_a_wiki_that_answers_everything_does_no_harm(
    with_200: FullStack, client: str, tmp_path: Path
) -> None:
    said = run_session(client, with_200.mcp_url, tmp_path / "state", "read_page", PAGE)
    assert said == {"tools": TOOLS, "text": "# Onboarding", "signedIn": True, "refreshed": False}
