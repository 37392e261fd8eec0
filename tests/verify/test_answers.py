"""Whatever is answered, there is a report, and the same one for the same answers."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routegen.report import Report, rules
from routegen.report.forms import write_report
from routegen.verify.answers import Answer, Failure
from routegen.verify.checks import key_set, manifest_routes
from routegen.verify.deployment import Deployment
from routegen.verify.oauth_discovery import discover, resource_metadata_urls, server_metadata_urls
from routegen.verify.verification import sign_in_findings, sorted_findings
from verify.broken_stack import MANIFEST

ORIGIN = "https://wiki.example"
MCP = f"{ORIGIN}/mcp"
SERVER = "https://server.example"
KEYS = f"{SERVER}/jwks"
URLS = [
    *resource_metadata_urls(MCP),
    *server_metadata_urls(SERVER),
    *server_metadata_urls(ORIGIN),
    KEYS,
    MCP,
    f"{ORIGIN}/Home",
]

TEXTS = st.sampled_from(
    [MCP, ORIGIN, SERVER, f"{SERVER}/", KEYS, "http://x", "https://[", "S256", "code", "", "\ud800"]
)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kty", "n", "kid"]), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = (
    "resource", "authorization_servers", "scopes_supported", "issuer", "authorization_endpoint", "token_endpoint",
    "registration_endpoint", "jwks_uri", "response_types_supported", "grant_types_supported",
    "code_challenge_methods_supported", "keys",
)  # fmt: skip
DOCUMENTS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8)
BODIES = st.one_of(DOCUMENTS.map(json.dumps).map(str.encode), st.binary(max_size=20), st.just(b"<!DOCTYPE html>"))
NAMED = (("www-authenticate", f'Bearer resource_metadata="{resource_metadata_urls(MCP)[0]}"'),)
HEADERS = st.sampled_from(
    [(), NAMED, (("location", "/x"),), (("location", "https://["),), (("content-type", "application/json"),)]
)
STATUSES = st.sampled_from([200, 200, 200, 401, 404, 302, 307, 500, 999])
ANSWERS = st.builds(lambda *said: said, STATUSES, HEADERS, BODIES) | st.sampled_from(["dns", "timeout", "not-asked"])


class Said:
    """What was made up, for every URL."""

    def __init__(self, said: Mapping[str, Any], other: Any) -> None:
        self._said = said
        self._other = other

    def get(self, method: str, url: str) -> Answer | Failure:
        said = self._said.get(url, self._other)
        if isinstance(said, str):
            return Failure(method, url, said, "it was made up")
        status, headers, body = said
        return Answer(method, url, status, headers, body)


def report(answers: Said) -> Report:
    discovery = discover(answers, MCP)
    deployment = Deployment(ORIGIN, MANIFEST, ("/Home",))
    findings = [
        *sign_in_findings(discovery, answers),
        *key_set.check_keys(discovery, answers),
        *manifest_routes.check_routes(deployment, answers),
        *manifest_routes.check_pages(deployment, answers),
    ]
    return Report("routegen verify", MCP, rules.VERIFY_RULES, sorted_findings(findings))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(URLS), ANSWERS), ANSWERS)
def test_every_answer_comes_to_a_report(said: dict[str, Any], other: Any) -> None:
    answers = Said(said, other)
    first, second = report(answers), report(Said(dict(reversed(said.items())), other))
    assert write_report(first, "json") == write_report(second, "json")
    assert write_report(first, "text").endswith("\n")
    assert {finding.rule for finding in first.findings} <= {*rules.VERIFY_RULES}


@pytest.mark.parametrize(
    ("url", "places"),
    [
        ("https://a.example", ("oauth-authorization-server", "openid-configuration")),
        ("https://a.example/", ("oauth-authorization-server", "openid-configuration")),
    ],
)
def test_where_a_server_s_metadata_is_looked_for(url: str, places: tuple[str, ...]) -> None:
    assert server_metadata_urls(url) == tuple(f"https://a.example/.well-known/{place}" for place in places)


def test_where_a_tenant_s_metadata_is_looked_for() -> None:
    assert server_metadata_urls("https://a.example/t/1") == (
        "https://a.example/.well-known/oauth-authorization-server/t/1",
        "https://a.example/.well-known/openid-configuration/t/1",
        "https://a.example/t/1/.well-known/openid-configuration",
    )
