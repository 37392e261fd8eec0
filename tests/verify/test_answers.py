"""All answers lead to a report, and the same answers lead to the same report."""

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
ANSWERS = st.builds(lambda *parts: parts, STATUSES, HEADERS, BODIES) | st.sampled_from(["dns", "timeout", "not-asked"])


class InventedAnswers:
    """An invented answer for each URL."""

    def __init__(self, answers: Mapping[str, Any], default_answer: Any) -> None:
        self._answers = answers
        self._default_answer = default_answer

    def get(self, method: str, url: str) -> Answer | Failure:
        answer = self._answers.get(url, self._default_answer)
        if isinstance(answer, str):
            return Failure(method, url, answer, "it is invented")
        status, headers, body = answer
        return Answer(method, url, status, headers, body)


def report_on(answers: InventedAnswers) -> Report:
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
def test_all_answers_lead_to_a_report(answers: dict[str, Any], default_answer: Any) -> None:
    first = report_on(InventedAnswers(answers, default_answer))
    second = report_on(InventedAnswers(dict(reversed(answers.items())), default_answer))
    assert write_report(first, "json") == write_report(second, "json")
    assert write_report(first, "text").endswith("\n")
    assert {finding.rule for finding in first.findings} <= {*rules.VERIFY_RULES}


@pytest.mark.parametrize(
    ("url", "documents"),
    [
        ("https://a.example", ("oauth-authorization-server", "openid-configuration")),
        ("https://a.example/", ("oauth-authorization-server", "openid-configuration")),
    ],
)
def test_the_metadata_urls_of_a_server(url: str, documents: tuple[str, ...]) -> None:
    assert server_metadata_urls(url) == tuple(f"https://a.example/.well-known/{document}" for document in documents)


def test_the_metadata_urls_of_a_server_with_a_path() -> None:
    assert server_metadata_urls("https://a.example/t/1") == (
        "https://a.example/.well-known/oauth-authorization-server/t/1",
        "https://a.example/.well-known/openid-configuration/t/1",
        "https://a.example/t/1/.well-known/openid-configuration",
    )


def test_an_optional_field_of_the_metadata_that_is_null_is_a_finding() -> None:
    resource = {"resource": MCP, "authorization_servers": [SERVER]}
    server = {
        "issuer": SERVER,
        "authorization_endpoint": f"{SERVER}/authorize",
        "token_endpoint": f"{SERVER}/token",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "registration_endpoint": None,
        "jwks_uri": None,
    }
    answers = {
        resource_metadata_urls(MCP)[0]: (200, (), json.dumps(resource).encode()),
        server_metadata_urls(SERVER)[0]: (200, (), json.dumps(server).encode()),
        MCP: (401, NAMED, b""),
    }
    report = report_on(InventedAnswers(answers, (404, (), b"")))
    errors = {finding.rule.id for finding in report.findings if finding.rule.level == "error"}
    assert errors & {rule.id for rule in rules.VERIFY_RULES if "RG050" <= rule.id < "RG060"} == {"RG054", "RG059"}
    nulls = [finding.message for finding in report.findings if finding.rule.id == "RG054"]
    assert nulls == ["jwks_uri is null.", "registration_endpoint is null."]


@pytest.mark.parametrize(
    ("base_url", "page", "command"),
    [
        (ORIGIN, "/", "routegen explain GET /"),
        (ORIGIN, "/Home", "routegen explain GET /Home"),
        (f"{ORIGIN}/stage", "/Home", "routegen explain GET /Home"),
        (ORIGIN, "/a&b", "routegen explain GET '/a&b'"),
    ],
)
def test_the_fix_for_a_shadowed_page_is_a_command_that_works(base_url: str, page: str, command: str) -> None:
    answers = InventedAnswers({}, (200, (("content-type", "application/json"),), b"{}"))
    (finding,) = manifest_routes.check_pages(Deployment(base_url, None, (page,)), answers)
    assert finding.rule == rules.PAGE_SHADOWED
    assert f"`{command}`" in finding.fix


def test_metadata_below_the_name_of_a_stage_needs_another_stage_and_no_route() -> None:
    mcp_url = f"{ORIGIN}/prod/mcp"
    document = json.dumps({"resource": mcp_url, "authorization_servers": [SERVER]}).encode()
    answers = InventedAnswers(
        {
            mcp_url: (401, (), b""),
            f"{ORIGIN}/prod/.well-known/oauth-protected-resource/mcp": (200, (), document),
        },
        (404, (), b'{"message": "Not Found"}'),
    )
    (finding,) = sign_in_findings(discover(answers, mcp_url), answers)
    assert finding.rule == rules.RESOURCE_MISSING
    assert "/prod/.well-known/oauth-protected-resource/mcp, where no client looks" in finding.message
    assert "Use the stage `$default`, or a custom domain" in finding.fix


def test_a_gateway_without_any_route_of_the_manifest_has_another_stage() -> None:
    missing = (404, (("apigw-requestid", "X="),), b'{"message": "Not Found"}')
    findings = [finding for finding in report_on(InventedAnswers({}, missing)).findings if finding.subject == ORIGIN]
    assert [finding.rule for finding in findings] == [rules.ROUTE_MISSING]
    assert "Add the name of the stage to URL" in findings[0].fix
