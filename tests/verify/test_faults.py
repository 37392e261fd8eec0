"""Each fault leads to a finding of its rule, and to no other error or warning."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from routegen.manifest import Manifest, Route
from routegen.report import Report, rules
from routegen.verify.clients import CLIENTS
from routegen.verify.clients.claims import CLAIMS
from routegen.verify.fetcher import TimeLimits
from verify.broken_stack import MANIFEST, broken_stack
from verify.conftest import VerifyStack

HOOK = Route(path="/hook", methods=("POST",), app="mcp", role="other", route_keys=("POST /hook",))


@dataclass(frozen=True)
class FaultCase:
    """A rule, and the faults that lead to a finding of it.

    Attributes:
        rule: the id of the rule.
        faults: names of `FAULTS`.
        options: options of `verify_stack`.
        stack: options of `broken_stack`.
    """

    rule: str
    faults: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    stack: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join((self.rule, *self.faults, *self.stack.values(), *self.options))


ROUTES = {"routes": True}
SLOW = {"routes": True, "limits": TimeLimits(0.4, 10.0)}
WITH_HOOK = {"routes": True, "manifest": Manifest(version=1, default="otterwiki", routes=(HOOK, *MANIFEST.routes))}
NO_CHALLENGE = "challenge-missing"

CASES = (
    FaultCase("RG001", (), stack={"authkit": "down"}),
    FaultCase("RG002", (), stack={"authkit": "tls"}),
    FaultCase("RG003", ("page-cut",), ROUTES),
    FaultCase("RG004", ("page-slow",), SLOW),
    FaultCase("RG005", ("resource-redirects",)),
    FaultCase("RG005", ("mcp-redirects",)),
    FaultCase("RG006", ("resource-redirects-away",)),
    FaultCase("RG007", ("metadata-address",)),
    FaultCase("RG007", ("private-address",)),
    FaultCase("RG008", ("resource-type",)),
    FaultCase("RG009", ("resource-doubled",)),
    FaultCase("RG010", ("mcp-page",)),
    FaultCase("RG011", ("mcp-404",)),
    FaultCase("RG011", ("mcp-403",)),
    FaultCase("RG012", ("mcp-fails",)),
    FaultCase("RG013", ("mcp-open",)),
    FaultCase("RG014", ("token-refused",), {"token": "yes"}),
    FaultCase("RG015", ("token-answer",), {"token": "yes"}),
    FaultCase("RG011", ("mcp-421",)),
    FaultCase("RG011", ("mcp-no-message",)),
    FaultCase("RG011", ("mcp-no-such-path",)),
    FaultCase("RG011", ("mcp-error-200",)),
    FaultCase("RG017", ("session-lost",), {"token": "yes"}),
    FaultCase("RG018", ("get-mcp-fails",)),
    FaultCase("RG018", ("get-mcp-page",)),
    FaultCase("RG018", ("delete-mcp-fails",)),
    FaultCase("RG019", ("dual-era", "listen-silent"), {"token": "yes", "limits": TimeLimits(0.4, 10.0)}),
    FaultCase("RG020", ("get-mcp-shadowed",), ROUTES),
    FaultCase("RG020", ("route-shadowed",), ROUTES),
    FaultCase("RG020", ("reserved-shadowed",), ROUTES),
    FaultCase("RG021", ("route-missing",), ROUTES),
    FaultCase("RG021", ("reserved-missing",), ROUTES),
    FaultCase("RG022", ("route-fails",), ROUTES),
    FaultCase("RG023", ("page-shadowed",), ROUTES),
    FaultCase("RG024", ("page-404",), ROUTES),
    FaultCase("RG024", ("page-500",), ROUTES),
    FaultCase("RG025", ("head-missing",), ROUTES),
    FaultCase("RG026", (), WITH_HOOK),
    FaultCase("RG027", ("default-app-200",), ROUTES),
    FaultCase("RG028", ("token-scope",), {"token": "yes"}),
    FaultCase("RG030", (NO_CHALLENGE, "resource-404")),
    FaultCase("RG030", ("challenge-renamed", "resource-404")),
    FaultCase("RG031", ("challenge-renamed",)),
    FaultCase("RG032", (NO_CHALLENGE,)),
    FaultCase("RG032", ("challenge-plain",)),
    FaultCase("RG033", ("challenge-wrong",)),
    FaultCase("RG034", ("challenge-elsewhere", "metadata-elsewhere", "resource-404")),
    FaultCase("RG035", (NO_CHALLENGE, "resource-404", "origin-is-server")),
    FaultCase("RG040", ("resource-404",)),
    FaultCase("RG040", ("resource-500",)),
    FaultCase("RG040", ("resource-401",)),
    FaultCase("RG040", (NO_CHALLENGE, "resource-403")),
    FaultCase("RG041", ("resource-page",)),
    FaultCase("RG041", (NO_CHALLENGE, "resource-page")),
    FaultCase("RG042", ("resource-list",)),
    FaultCase("RG042", ("resource-nan",)),
    FaultCase("RG043", ("resource-other",)),
    FaultCase("RG043", ("resource-none",)),
    FaultCase("RG044", ("resource-parent",)),
    FaultCase("RG045", ("no-servers",)),
    FaultCase("RG045", ("servers-text",)),
    FaultCase("RG045", ("servers-missing",)),
    FaultCase("RG047", ("resource-null",)),
    FaultCase("RG048", ("resource-dpop",)),
    FaultCase("RG050", ("server-insecure",)),
    FaultCase("RG051", ("server-404",)),
    FaultCase("RG051", ("server-404-page",)),
    FaultCase("RG052", ("server-page",)),
    FaultCase("RG052", ("server-first-page",)),
    FaultCase("RG053", ("server-list",)),
    FaultCase("RG054", ("server-no-token-endpoint",)),
    FaultCase("RG054", ("server-no-authorization-endpoint",)),
    FaultCase("RG054", ("server-no-response-types",)),
    FaultCase("RG054", ("server-scopes-text",)),
    FaultCase("RG054", ("issuer-none",)),
    FaultCase("RG055", ("issuer-slash",)),
    FaultCase("RG055", ("named-slash",)),
    FaultCase("RG055", ("issuer-other",)),
    FaultCase("RG056", ("endpoint-insecure",)),
    FaultCase("RG057", ("no-s256",)),
    FaultCase("RG057", ("no-pkce",)),
    FaultCase("RG058", ("no-code",)),
    FaultCase("RG058", ("no-code-type",)),
    FaultCase("RG059", ("no-registration",)),
    FaultCase("RG054", ("server-null",)),
    FaultCase("RG060", ("token-endpoint-missing",), {"register": True}),
    FaultCase("RG066", ("token-endpoint-missing",)),
    FaultCase("RG066", ("post-only",)),
    FaultCase("RG060", ("registration-page",)),
    FaultCase("RG061", ("registration-refused",), {"register": True}),
    FaultCase("RG059", ("cimd-without-none", "no-registration")),
    FaultCase("RG062", ("scopes",)),
    FaultCase("RG062", ("challenge-scope-unknown",)),
    FaultCase("RG063", ("challenge-scope-empty",)),
    FaultCase("RG063", ("resource-scopes-empty",)),
    FaultCase("RG063", ("server-scopes-empty",)),
    FaultCase("RG064", ("cimd", "no-registration")),
    FaultCase("RG064", ("cimd-with-key", "no-registration")),
    FaultCase("RG065", ("cimd-without-none",)),
    FaultCase("RG067", ("authorization-query",)),
    FaultCase("RG068", ()),
    FaultCase("RG070", ("no-keys",)),
    FaultCase("RG071", ("keys-404",)),
    FaultCase("RG071", ("keys-page",)),
    FaultCase("RG071", ("keys-no-list",)),
    FaultCase("RG072", ("key-private",)),
    FaultCase("RG073", ("keys-none",)),
    FaultCase("RG073", ("keys-unusable",)),
    FaultCase("RG074", ("key-odd",)),
    FaultCase("RG074", ("key-doubled",)),
    FaultCase("RG080", ("no-cors",)),
    FaultCase("RG081", ("resource-no-cors",)),
    FaultCase("RG082", ("preflight",)),
    FaultCase("RG083", ("header-lost",), {"token": "yes"}),
    FaultCase("RG084", ("modern-blocked",)),
    FaultCase("RG085", (), {"token": "yes"}),
    FaultCase("RG085", ("token-modern-only",), {"token": "yes"}),
    FaultCase("RG086", ("server-card-page",)),
    FaultCase("RG087", ("answers-no-cors",)),
    FaultCase("RG087", ("headers-not-exposed",)),
    FaultCase("RG087", ("session-not-exposed", "session-kept"), {"token": "yes"}),
    FaultCase("RG090", ("server-first-500",)),
)


RECORDED = {client.id for client in CLIENTS if CLAIMS[client.id].kind == "recorded"}


def rule_ids(report: Report, *levels: str) -> set[str]:
    return {finding.rule.id for finding in report.findings if finding.rule.level in levels}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_leads_to_a_finding_of_its_rule_only(
    case: FaultCase, verify_stack: VerifyStack, certificate: Path
) -> None:
    options = dict(case.options)
    with broken_stack({*case.faults}, certificate=certificate, **case.stack) as stack:
        if "token" in options:
            options["token"] = stack.token()
        report = verify_stack(stack, **options)
    assert case.rule in rule_ids(report, "error", "warning", "note")
    assert rule_ids(report, "error", "warning") <= {case.rule}
    for finding in report.findings:
        assert finding.message.endswith((".", ".)")), finding
        assert finding.fix.endswith((".", "`.")), finding


@pytest.mark.parametrize("faults", [("session-not-exposed",), ("all-exposed", "session-kept")])
def test_a_header_that_is_exposed_or_missing_is_no_finding(faults: tuple[str, ...], verify_stack: VerifyStack) -> None:
    with broken_stack({*faults}) as stack:
        report = verify_stack(stack, token=stack.token())
    assert not rule_ids(report, "error", "warning")
    posts = [method for server, method, path, _ in stack.requests if (server, path) == ("deployment", "/mcp")]
    assert "DELETE" in posts


def test_a_client_that_fails_is_a_finding_if_no_other_rule_explains_it(verify_stack: VerifyStack) -> None:
    """The OpenID path has correct metadata, but these clients stop at the 500 of the path before it."""
    with broken_stack({"server-first-500"}) as stack:
        report = verify_stack(stack)
    failing = {client["client"] for client in report.details["clients"] if client["outcome"] == "fails"}
    assert failing == {*RECORDED, "claude-code", "goose"}, "a server error is fatal for these two, as documented"
    findings = [finding for finding in report.findings if finding.rule.id == "RG090"]
    named = [client for finding in findings for client in finding.message.partition(":")[0].split(", ")]
    assert len({finding.subject for finding in findings}) == len(findings) == 2, "the client of Python stops elsewhere"
    assert sorted(named) == sorted(failing & RECORDED)


ONLY_IN_A_MANIFEST = {rules.NO_ENDPOINT.id, rules.RESOURCE_MISPLACED.id}
"""The rules that only a prediction from a manifest can break: see test_manifest_prediction.py."""


@pytest.mark.parametrize(
    ("faults", "rule", "words"),
    [
        ("mcp-open", "RG013", "or ask for the token with a 401"),
        ("mcp-open resource-404 route-missing", "RG013", "Unless the server is meant to be open"),
        ("mcp-open resource-page", "RG013", "Answer 404 at "),
        ("mcp-421", "RG011", "`allowed_hosts`"),
        ("mcp-403", "RG011", "the identity source `$request.header.Authorization`"),
        ("mcp-error-200", "RG011", "without a 401, no client starts a sign-in"),
        ("mcp-no-such-path", "RG011", "API Gateway has no such path"),
        ("resource-401", "RG040", "Take the authorizer, the firewall rule or the middleware off this path"),
        ("resource-500", "RG040", "Read the function's log"),
        ("resource-null", "RG047", "Leave resource_signing_alg_values_supported out"),
        ("server-null", "RG054", "Leave introspection_endpoint out"),
        ("challenge-scope-unknown", "RG062", "Remove these scopes from the scope of the challenge"),
        ("cimd-without-none", "RG065", "Add `none` to token_endpoint_auth_methods_supported"),
    ],
)
def test_the_fix_names_the_cause(verify_stack: VerifyStack, faults: str, rule: str, words: str) -> None:
    with broken_stack({*faults.split()}) as stack:
        fixes = [finding.fix for finding in verify_stack(stack).findings if finding.rule.id == rule]
    assert len(fixes) == 1
    assert words in fixes[0]


def test_the_token_of_another_scope_is_not_told_to_have_the_wrong_audience(verify_stack: VerifyStack) -> None:
    with broken_stack({"token-scope"}) as stack:
        report = verify_stack(stack, token=stack.token())
    (finding,) = [finding for finding in report.findings if finding.rule.level == "error"]
    assert "the token lacks the scope 'wiki:write'" in finding.message
    assert "aud" not in finding.fix


@pytest.mark.parametrize(
    ("faults", "revisions"),
    [
        ({"dual-era"}, {"modern": ["2026-07-28"], "older": "2025-11-25", "needs_token": False}),
        ({"token-modern-only"}, {"modern": ["2026-07-28"], "older": None, "needs_token": False}),
        (set(), {"modern": [], "older": "2025-11-25", "needs_token": False}),
    ],
    ids=["dual-era", "modern only", "older only"],
)
def test_the_report_states_the_revisions_of_the_endpoint(
    verify_stack: VerifyStack, faults: set[str], revisions: dict[str, Any]
) -> None:
    with broken_stack(faults) as stack:
        report = verify_stack(stack, token=stack.token())
    assert rule_ids(report, "error", "warning") == set()
    assert report.details["revisions"] == [{"endpoint": stack.mcp_url, **revisions}]


def test_a_client_that_starts_with_initialize_fails_at_a_server_of_the_current_revision(
    verify_stack: VerifyStack,
) -> None:
    with broken_stack({"token-modern-only"}) as stack:
        clients = verify_stack(stack, token=stack.token()).details["clients"]
    outcomes = {client["client"]: client["outcome"] for client in clients}
    assert outcomes["python-sdk"] == "connects"
    assert {outcomes[client] for client in RECORDED - {"python-sdk"}} == {"fails"}


def test_every_rule_has_a_fault() -> None:
    assert {case.rule for case in CASES} | ONLY_IN_A_MANIFEST == {rule.id for rule in rules.VERIFY_RULES}


def test_a_session_that_the_endpoint_knows_is_no_finding(verify_stack: VerifyStack) -> None:
    with broken_stack({"session-kept"}) as stack:
        report = verify_stack(stack, token=stack.token())
        sessions = [path for _, method, path, token in stack.requests if method == "POST" and token]
        assert sessions == ["/mcp"] * 4, (
            "with initialize, also from a browser, server/discover, and a request in the session"
        )
    assert rule_ids(report, "error", "warning") == set()
    assert "RG017" not in rule_ids(report, "note")


@pytest.mark.parametrize("token", [False, True], ids=["without", "with a token"])
def test_a_correct_deployment_has_no_finding(verify_stack: VerifyStack, token: bool) -> None:
    with broken_stack({"recommended", "dual-era"}) as stack:
        report = verify_stack(stack, routes=True, register=True, token=stack.token() if token else None)
    assert report.findings == ()
