"""Each rule fires on a stack that is broken in that one way, and no other error or warning does."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from routegen.manifest import Manifest, Route
from routegen.report import Report, rules
from routegen.verify.fetcher import TimeLimits
from verify.broken_stack import MANIFEST, broken_stack
from verify.conftest import Run

HOOK = Route(path="/hook", methods=("POST",), app="mcp", role="other", route_keys=("POST /hook",))


@dataclass(frozen=True)
class Broken:
    """A rule, the faults that fire it, and how it is asked for."""

    rule: str
    faults: tuple[str, ...]
    asked: dict[str, Any] = field(default_factory=dict)
    stack: dict[str, Any] = field(default_factory=dict)


ROUTES = {"routes": True}
SLOW = {"routes": True, "limits": TimeLimits(0.4, 10.0)}
WITH_HOOK = {"routes": True, "manifest": Manifest(version=1, default="otterwiki", routes=(HOOK, *MANIFEST.routes))}
NO_CHALLENGE = "challenge-missing"

TABLE = (
    Broken("RG001", (), stack={"authkit": "down"}),
    Broken("RG002", (), stack={"authkit": "tls"}),
    Broken("RG003", ("wiki-cut",), ROUTES),
    Broken("RG004", ("wiki-slow",), SLOW),
    Broken("RG005", ("resource-redirects",)),
    Broken("RG005", ("mcp-redirects",)),
    Broken("RG006", ("resource-redirects-away",)),
    Broken("RG007", ("metadata-address",)),
    Broken("RG007", ("private-address",)),
    Broken("RG008", ("resource-type",)),
    Broken("RG009", ("resource-doubled",)),
    Broken("RG010", ("mcp-page",)),
    Broken("RG011", ("mcp-404",)),
    Broken("RG011", ("mcp-403",)),
    Broken("RG012", ("mcp-fails",)),
    Broken("RG013", ("mcp-open",)),
    Broken("RG014", ("token-refused",), {"token": "yes"}),
    Broken("RG015", ("token-answer",), {"token": "yes"}),
    Broken("RG020", ("get-mcp-taken",), ROUTES),
    Broken("RG020", ("route-taken",), ROUTES),
    Broken("RG021", ("route-missing",), ROUTES),
    Broken("RG022", ("route-fails",), ROUTES),
    Broken("RG023", ("wiki-taken",), ROUTES),
    Broken("RG024", ("wiki-404",), ROUTES),
    Broken("RG024", ("wiki-500",), ROUTES),
    Broken("RG025", ("head-missing",), ROUTES),
    Broken("RG026", (), WITH_HOOK),
    Broken("RG027", ("catch-all-200",), ROUTES),
    Broken("RG030", (NO_CHALLENGE, "resource-404")),
    Broken("RG030", ("challenge-renamed", "resource-404")),
    Broken("RG031", ("challenge-renamed",)),
    Broken("RG032", (NO_CHALLENGE,)),
    Broken("RG032", ("challenge-plain",)),
    Broken("RG033", ("challenge-wrong",)),
    Broken("RG034", ("challenge-elsewhere", "metadata-elsewhere", "resource-404")),
    Broken("RG035", (NO_CHALLENGE, "resource-404", "origin-is-server")),
    Broken("RG040", ("resource-404",)),
    Broken("RG040", ("resource-500",)),
    Broken("RG041", ("resource-page",)),
    Broken("RG041", (NO_CHALLENGE, "resource-page")),
    Broken("RG042", ("resource-list",)),
    Broken("RG042", ("resource-nan",)),
    Broken("RG043", ("resource-other",)),
    Broken("RG043", ("resource-none",)),
    Broken("RG044", ("resource-parent",)),
    Broken("RG045", ("no-servers",)),
    Broken("RG045", ("servers-text",)),
    Broken("RG045", ("servers-missing",)),
    Broken("RG050", ("server-insecure",)),
    Broken("RG051", ("server-404",)),
    Broken("RG051", ("server-404-page",)),
    Broken("RG052", ("server-page",)),
    Broken("RG052", ("server-first-page",)),
    Broken("RG053", ("server-list",)),
    Broken("RG054", ("server-no-token-endpoint",)),
    Broken("RG054", ("server-no-authorization-endpoint",)),
    Broken("RG054", ("server-no-response-types",)),
    Broken("RG054", ("server-scopes-text",)),
    Broken("RG054", ("issuer-none",)),
    Broken("RG055", ("issuer-slash",)),
    Broken("RG055", ("named-slash",)),
    Broken("RG055", ("issuer-other",)),
    Broken("RG056", ("endpoint-insecure",)),
    Broken("RG057", ("no-s256",)),
    Broken("RG057", ("no-pkce",)),
    Broken("RG058", ("no-code",)),
    Broken("RG058", ("no-code-type",)),
    Broken("RG059", ("no-registration",)),
    Broken("RG060", ("token-endpoint-missing",)),
    Broken("RG060", ("registration-page",)),
    Broken("RG061", ("registration-refused",), {"register": True}),
    Broken("RG062", ("scopes",)),
    Broken("RG070", ("no-keys",)),
    Broken("RG071", ("keys-404",)),
    Broken("RG071", ("keys-page",)),
    Broken("RG071", ("keys-no-list",)),
    Broken("RG072", ("key-private",)),
    Broken("RG073", ("keys-none",)),
    Broken("RG073", ("keys-unusable",)),
    Broken("RG074", ("key-odd",)),
    Broken("RG074", ("key-doubled",)),
    Broken("RG080", ("no-cors",)),
    Broken("RG081", ("resource-no-cors",)),
    Broken("RG082", ("preflight",)),
    Broken("RG090", ("server-first-500",)),
)


def ids(report: Report, *levels: str) -> set[str]:
    return {finding.rule.id for finding in report.findings if finding.rule.level in levels}


@pytest.mark.parametrize("broken", TABLE, ids=lambda one: "-".join((one.rule, *one.faults, *one.stack.values())))
def test_a_fault_fires_its_rule_and_no_other(broken: Broken, run: Run, certificate: Path) -> None:
    asked = dict(broken.asked)
    with broken_stack({*broken.faults}, certificate=certificate, **broken.stack) as stack:
        if "token" in asked:
            asked["token"] = stack.token()
        report = run(stack, **asked)
    assert broken.rule in ids(report, "error", "warning", "note")
    assert ids(report, "error", "warning") <= {broken.rule}
    for finding in report.findings:
        assert finding.message.endswith((".", ".)")), finding
        assert finding.fix.endswith((".", "`.")), finding


def test_each_client_that_fails_is_told_where_no_other_rule_says_why(run: Run) -> None:
    """The metadata at the OpenID place is right, and a 500 before it keeps these clients from looking there."""
    with broken_stack({"server-first-500"}) as stack:
        report = run(stack)
    failing = {one["client"] for one in report.details["clients"] if one["outcome"] == "fails"}
    assert failing == {"python-sdk", "typescript-v1", "typescript-v2", "mcp-remote", "inspector"}
    assert {finding.message.partition(":")[0] for finding in report.findings if finding.rule.id == "RG090"} == failing


def test_every_rule_has_a_fault() -> None:
    assert {broken.rule for broken in TABLE} == {rule.id for rule in rules.VERIFY_RULES}


@pytest.mark.parametrize("token", [False, True], ids=["without", "with a token"])
def test_nothing_is_found_where_nothing_is_broken(run: Run, token: bool) -> None:
    with broken_stack() as stack:
        report = run(stack, routes=True, register=True, token=stack.token() if token else None)
    assert report.findings == ()
