"""`routegen explain`: which app gets a request, and why."""

import json
from pathlib import Path

import pytest
from helpers.support import Routegen


@pytest.mark.parametrize(
    ("request_", "app", "key", "reason"),
    [
        ("POST /mcp", "mcp", "ANY /mcp", "matches exactly"),
        ("GET /mcp", "mcp", "ANY /mcp", "mcp serves POST at this path and refuses GET itself"),
        ("get /mcp/a/b?c=d", "mcp", "ANY /mcp/{proxy+}", "greedy variable"),
        ("GET /items/7", "mcp", "ANY /items/{id}", "with a variable"),
        ("GET /Home", "wiki", None, "no route key takes it"),
        ("GET /mcp/", "wiki", None, "a path with a trailing slash is another path"),
    ],
)
def test_explain_names_the_app_the_route_key_and_the_reason(
    committed: Path, routegen: Routegen, request_: str, app: str, key: str | None, reason: str
) -> None:
    explanation = json.loads(routegen("explain", *request_.split(), "--format", "json").stdout)
    assert (explanation["app"], explanation["route_key"]) == (app, key)
    assert reason in explanation["reason"]
    text = routegen("explain", *request_.split())
    assert text.code == 0
    assert f"goes to {app}" in text.stdout
    assert (key or "$default") in text.stdout


@pytest.mark.parametrize("arguments", [("G T", "/x"), ("GET", "x"), ("GET",)])
def test_explain_refuses_a_malformed_request(committed: Path, routegen: Routegen, arguments: tuple[str, ...]) -> None:
    done = routegen("explain", *arguments)
    assert (done.code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("url", "path", "app"),
    [
        ("https://dev.wikibot.io/mcp", "/mcp", "mcp"),
        ("HTTPS://Dev.Wikibot.io.:8443/mcp/?a=/b#/c", "/mcp/", "wiki"),
        ("https://dev.wikibot.io./mcp#top", "/mcp", "mcp"),
        ("http://[::1]:8000/items/a%20b?x", "/items/a%20b", "mcp"),
        ("https://dev.wikibot.io/items/a b", "/items/a%20b", "mcp"),
        ("https://dev.wikibot.io/caf\u00e9", "/caf%C3%A9", "wiki"),
        ("https://dev.wikibot.io/mcp/x/..", "/mcp/", "wiki"),
        ("https://dev.wikibot.io/a/%2e%2E/mcp", "/mcp", "mcp"),
        ("https://dev.wikibot.io/mcp/.", "/mcp/", "wiki"),
        ("https://dev.wikibot.io/mcp...", "/mcp...", "wiki"),
        ("https://user:secret@dev.wikibot.io", "/", "wiki"),
        (" https://dev.wikibot.io?x ", "/", "wiki"),
    ],
)
def test_explain_takes_the_path_that_clients_request_for_a_url(
    committed: Path, routegen: Routegen, url: str, path: str, app: str
) -> None:
    done = routegen("explain", "get", url)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"GET {path} goes to {app}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("FETCH", "/mcp"), "METHOD: 'FETCH' is not a method of an HTTP API: DELETE, GET, HEAD, OPTIONS, PATCH, POST"),
        (("ANY", "/mcp"), "METHOD: 'ANY' is not a method"),
        (("GET", "dev.wikibot.io/mcp"), "PATH_OR_URL: 'dev.wikibot.io/mcp' is neither a path such as /mcp nor a URL"),
        (("GET", "ftp://dev.wikibot.io/mcp"), "is neither a path such as /mcp nor a URL such as https://host/mcp"),
        (("GET", "https://"), "is neither a path such as /mcp nor a URL"),
        (("GET", "https://host:99999/"), "is neither a path such as /mcp nor a URL"),
    ],
)
def test_explain_says_what_a_request_consists_of(
    committed: Path, routegen: Routegen, arguments: tuple[str, str], message: str
) -> None:
    done = routegen("explain", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("routegen: error: ")
    assert message in done.stderr
