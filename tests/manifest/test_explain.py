"""`routegen explain`: the manifest and the gateway's model, asked about one request."""

import json
from pathlib import Path

import pytest
from helpers.support import Routegen


@pytest.mark.parametrize(
    ("request_", "app", "key", "why"),
    [
        ("POST /mcp", "mcp", "ANY /mcp", "to the letter"),
        ("GET /mcp", "mcp", "ANY /mcp", "mcp serves POST here and refuses GET itself"),
        ("get /mcp/a/b?c=d", "mcp", "ANY /mcp/{proxy+}", "greedy variable"),
        ("GET /items/7", "mcp", "ANY /items/{id}", "with a variable"),
        ("GET /Home", "wiki", None, "no route key takes it"),
        ("GET /mcp/", "wiki", None, "the trailing slash makes another path"),
    ],
)
def test_says_who_gets_a_request_and_why(
    committed: Path, routegen: Routegen, request_: str, app: str, key: str | None, why: str
) -> None:
    found = json.loads(routegen("explain", *request_.split(), "--json").stdout)
    assert (found["app"], found["route_key"]) == (app, key)
    assert why in found["why"]
    text = routegen("explain", *request_.split())
    assert text.code == 0
    assert f"goes to {app}" in text.stdout
    assert (key or "$default") in text.stdout


@pytest.mark.parametrize("arguments", [("G T", "/x"), ("GET", "x"), ("GET",)])
def test_what_is_no_request(committed: Path, routegen: Routegen, arguments: tuple[str, ...]) -> None:
    done = routegen("explain", *arguments)
    assert (done.code, done.stdout) == (2, "")
