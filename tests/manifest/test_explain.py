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
