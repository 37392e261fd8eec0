"""The command `routegen verify`, in a process, as users run it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from helpers.forked import run_routegen
from helpers.schemas import SARIF, read_schema
from helpers.support import PROJECT, Run
from routegen.cli.verify import _locate, _today
from routegen.manifest import Manifest, Route
from routegen.report import page_of, rule_with_id
from routegen.report.forms import FORMATS
from routegen.verify.clients.claims import CLAIMS
from verify.broken_stack import MANIFEST as MANIFEST_READ
from verify.broken_stack import Stack, broken_stack

Verify = Callable[..., Run]


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """`verify(*arguments)` runs the command outside of a project."""

    def run(*arguments: str, cwd: Path = tmp_path, **env: str) -> Run:
        if not env:
            return run_routegen(cwd, "verify", *arguments)
        command = [sys.executable, "-m", "routegen", "verify", *arguments]
        done = subprocess.run(
            command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False
        )
        return Run(done.returncode, done.stdout, done.stderr)

    return run


MANIFEST = ("--manifest", str(PROJECT / "generated" / "routes.json"))


def all_checks(stack: Stack, *options: str) -> tuple[str, ...]:
    return (stack.deployment, *MANIFEST, "--page", "/Home", *options)


def test_a_correct_deployment_has_exit_code_0(verify: Verify) -> None:
    with broken_stack({"recommended"}) as stack:
        done = verify(*all_checks(stack))
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout.endswith(f"\n{stack.mcp_url}: nothing found\n")
        assert "\x1b" not in done.stdout


def test_fail_on_sets_the_level_of_exit_code_1(verify: Verify) -> None:
    with broken_stack({"default-app-200"}) as stack:
        codes = [verify(*all_checks(stack, "--fail-on", level)).code for level in ("error", "warning", "never")]
    assert codes == [0, 1, 0]


def test_a_finding_has_its_message_and_its_fix(verify: Verify) -> None:
    with broken_stack({"issuer-slash", "recommended"}) as stack:
        done = verify(stack.mcp_url, *MANIFEST)
    assert done.code == 1
    url = f"{stack.authkit}/.well-known/oauth-authorization-server"
    assert f"error   RG055  {url}\n        issuer is '{stack.authkit}/'" in done.stdout
    assert "The only difference is the slash at the end.\n        Write" in done.stdout
    assert done.stdout.endswith(": 1 error\n")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The report on one deployment in every format."""
    faults = {"challenge-renamed", "issuer-slash", "page-404", "default-app-200", "recommended"}
    outputs: dict[str, str] = {}
    with broken_stack(faults) as stack:
        for format_ in FORMATS:
            done = run_routegen(PROJECT, "verify", *all_checks(stack, "--format", format_))
            assert (done.code, done.stderr) == (1, ""), format_
            outputs[format_] = done.stdout
    return outputs


RULES = {"RG024", "RG027", "RG031", "RG055"}


def test_json_has_findings_and_routes(reports: dict[str, str]) -> None:
    report = json.loads(reports["json"])
    assert report["failed"] is True
    assert {finding["rule"] for finding in report["findings"]} == RULES
    assert all(finding.keys() == {"rule", "level", "subject", "message", "fix"} for finding in report["findings"])
    assert {route["status"] for route in report["routes"]} == {200, 404, 405}


def test_sarif_is_valid(reports: dict[str, str]) -> None:
    log: dict[str, Any] = json.loads(reports["sarif"])
    jsonschema.validate(log, read_schema(SARIF))
    (run,) = log["runs"]
    assert {result["ruleId"] for result in run["results"]} == RULES
    pages = {rule["id"]: rule["help"]["markdown"] for rule in run["tool"]["driver"]["rules"]}
    assert pages["RG055"] == page_of(rule_with_id("RG055"))


def test_github_annotates_the_run(reports: dict[str, str]) -> None:
    lines = reports["github"].splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::notice", "::error"]
    assert all(line.count("::") == 2 for line in lines), "a quoted text must not contain a workflow command"


# Required attributes, optional attributes and children that readers of JUnit files accept (Jenkins, junit-10.xsd).
JUNIT = {
    "testsuites": (set(), set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"skipped", "time", "timestamp", "hostname"},
        {"testcase", "properties", "system-out"},
    ),
    "testcase": ({"name"}, {"classname", "time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}  # fmt: skip


def test_junit_has_only_what_its_readers_accept(reports: dict[str, str]) -> None:
    root = ET.fromstring(reports["junit"])
    for element in root.iter():
        required, optional, children = JUNIT[element.tag]
        assert required <= element.attrib.keys() <= required | optional
        assert {child.tag for child in element} <= children
    (suite,) = root
    assert int(suite.attrib["tests"]) == len(suite)
    failed = [case.attrib["classname"] for case in suite if case.find("failure") is not None]
    assert (failed, suite.attrib["failures"]) == (["RG024", "RG055"], "2")


def test_the_same_answers_give_the_same_bytes(verify: Verify) -> None:
    with broken_stack({"challenge-renamed", "scopes", "key-odd", "page-404"}) as stack:
        outputs = {verify(*all_checks(stack, "--format", "json")).stdout for _ in range(3)}
    assert len(outputs) == 1


def test_the_token_goes_only_to_the_mcp_endpoint(verify: Verify) -> None:
    with broken_stack({"token-refused"}) as stack:
        token = stack.token()
        for format_ in FORMATS:
            done = verify(*all_checks(stack, "--format", format_), ROUTEGEN_TOKEN=token)
            assert done.code == 1
            assert token not in done.stdout + done.stderr
        assert {(server, path) for server, _, path, signed_in in stack.requests if signed_in} == {
            ("deployment", "/mcp")
        }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ftp://example.com",), "URL: 'ftp://example.com' is not an http URL; write it like https://dev.wikibot.io"),
        (("https://user:pw@example.com",), "is not an http URL"),
        (("dev.wikibot.io",), "is not an http URL"),
        (("http://127.0.0.1:1", "--client", "netscape"), "--client: 'netscape' is not one of"),
        (("http://127.0.0.1:1", "--page", "Home"), "--page: 'Home' is not a path; write it like /Home"),
        (("http://example.com", "--token", "secret1"), "--token: it is not sent to http://example.com/mcp"),
        (("https://example.com", "--token", "secret1\nx"), "--token: it has a character that no access token has"),
        (("--page", "/Home"), "URL: --page, --register and --allow-private need it"),
        ((), "pyproject.toml: none in "),
        (("--explain", "RG999"), "RG999: no rule has this id; the nearest ids are"),
        (("http://127.0.0.1:1", "--timeout", "0"), "--timeout: '0' is not a number from 0.001 to 600"),
    ],
)  # fmt: skip
def test_wrong_usage_is_an_error_in_one_line(verify: Verify, arguments: tuple[str, ...], message: str) -> None:
    done = verify(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.error
    assert "secret1" not in done.stderr


def test_an_invalid_manifest_has_exit_code_4(verify: Verify, tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text("{}")
    done = verify("http://127.0.0.1:1", "--manifest", "routes.json")
    assert (done.code, done.stdout) == (4, "")


def test_without_a_manifest_only_the_sign_in_is_checked(verify: Verify) -> None:
    with broken_stack({"route-missing"}) as stack:
        done = verify(stack.deployment, "--format", "json")
    assert done.code == 0
    assert done.stderr == "routegen: no manifest, so the routes are not checked; name one with --manifest FILE\n"
    assert json.loads(done.stdout)["routes"] == []


def test_a_deployment_without_a_server_is_a_finding(verify: Verify) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = verify(f"http://127.0.0.1:{port}", *MANIFEST)
    assert done.code == 1
    assert f"error   RG001  http://127.0.0.1:{port}\n" in done.stdout
    assert "Connection refused" in done.stdout
    assert done.stdout.endswith(": 1 error\n")


def test_a_name_with_a_private_address_needs_allow_private(verify: Verify) -> None:
    """Only `localhost` counts as this machine; the name of this machine resolves to a private or loopback address."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, 80)
    except OSError:
        pytest.skip("the name of this machine cannot be resolved")
    done = verify(f"http://{name}:1", *MANIFEST)
    assert done.code == 1
    assert "RG007" in done.stdout
    assert "which only --allow-private allows" in done.stdout
    assert "RG007" not in verify(f"http://{name}:1", *MANIFEST, "--allow-private").stdout


def test_explain_shows_the_page_of_a_rule(verify: Verify) -> None:
    for rule_id in ("RG030", "rg030"):
        done = verify("--explain", rule_id)
        assert (done.code, done.stdout, done.stderr) == (0, page_of(rule_with_id("RG030")), "")


@pytest.mark.parametrize(
    ("url", "mcp_url", "base_url"),
    [
        ("https://Wiki.Example", "https://wiki.example/mcp", "https://wiki.example"),
        ("https://wiki.example/", "https://wiki.example/mcp", "https://wiki.example"),
        ("https://wiki.example/mcp", "https://wiki.example/mcp", "https://wiki.example"),
        ("https://wiki.example/mcp/", "https://wiki.example/mcp/", "https://wiki.example"),
        ("https://wiki.example:443/prod/mcp", "https://wiki.example/prod/mcp", "https://wiki.example/prod"),
        ("https://wiki.example/prod/mcp/", "https://wiki.example/prod/mcp/", "https://wiki.example/prod"),
        ("https://wiki.example/prod", "https://wiki.example/prod/mcp", "https://wiki.example/prod"),
        (
            "https://wiki.example/.well-known/oauth-protected-resource/mcp",
            "https://wiki.example/mcp",
            "https://wiki.example",
        ),
        (
            "https://wiki.example/.well-known/oauth-authorization-server",
            "https://wiki.example/mcp",
            "https://wiki.example",
        ),
    ],
)
def test_with_a_manifest_an_endpoint_is_asked_as_written_and_another_url_is_the_deployment(
    url: str, mcp_url: str, base_url: str
) -> None:
    mcp_urls, deployment = _locate(url, MANIFEST_READ, ())
    assert (mcp_urls, deployment.base_url) == ((mcp_url,), base_url)


@pytest.mark.parametrize(
    ("url", "mcp_url"),
    [
        ("https://x.example", "https://x.example/mcp"),
        ("https://x.example/", "https://x.example/"),
        ("https://x.example/api/v1/mcp", "https://x.example/api/v1/mcp"),
        ("https://x.example/api/v1/mcp/", "https://x.example/api/v1/mcp/"),
    ],
)
def test_without_a_manifest_the_url_is_the_mcp_endpoint_exactly_as_written(url: str, mcp_url: str) -> None:
    mcp_urls, deployment = _locate(url, None, ())
    assert mcp_urls == (mcp_url,)
    assert deployment.manifest is None


def test_with_several_endpoints_the_deployment_means_all_of_them_and_a_url_one() -> None:
    manifest = Manifest(version=1, default="site", routes=tuple(endpoint(path) for path in ("/", "/mcp", "/write/mcp")))
    base = "https://x.example"
    assert _locate(base, manifest, ())[0] == (f"{base}/", f"{base}/mcp", f"{base}/write/mcp")
    assert _locate(f"{base}/write/mcp", manifest, ())[0] == (f"{base}/write/mcp",)
    assert _locate(f"{base}/mcp", manifest, ())[0] == (f"{base}/mcp",)


def endpoint(path: str) -> Route:
    return Route(
        path=path,
        methods=("DELETE", "POST"),
        app="mcp",
        role="mcp-endpoint",
        spec="MCP Streamable HTTP",
        route_keys=(f"ANY {path}",),
    )


def test_only_register_registers_a_client(verify: Verify) -> None:
    with broken_stack() as stack:
        verify(stack.deployment)
        assert {path for _, method, path, _ in stack.requests if method == "POST"} == {"/mcp"}
        assert verify(stack.deployment, "--register").code == 0
        posts = [(server, path) for server, method, path, _ in stack.requests if method == "POST" and path != "/mcp"]
        assert sorted(posts) == [("authkit", "/oauth2/register"), ("authkit", "/oauth2/token")]
        assert {method for _, method, _, _ in stack.requests} <= {"GET", "HEAD", "OPTIONS", "POST", "DELETE"}
        assert {(server, path) for server, method, path, _ in stack.requests if method == "DELETE"} == {
            ("deployment", "/mcp")
        }


def test_clients_lists_each_claim_with_its_source_and_its_dates(verify: Verify) -> None:
    done = verify("--clients")
    assert done.code == 0
    for claim in CLAIMS.values():
        assert f"  {claim.id} " in done.stdout
        assert f"Source: {claim.source}, {claim.source_date}; review " in done.stdout
    claims = json.loads(verify("--clients", "--client", "goose", "--format", "json").stdout)["claims"]
    assert {claim["id"] for claim in claims} == {"goose", "goose-cimd", "modern-only"}
    assert claims[0].keys() == {
        "id", "kind", "clients", "version", "statement", "source", "source_date", "review",
    }  # fmt: skip


def test_source_date_epoch_is_the_day_of_the_review_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1798761600")
    assert _today() == date(2027, 1, 1)


def test_an_endpoint_that_answers_every_path_is_requested_at_the_path_that_the_user_gives() -> None:
    routes = (
        Route(
            path="/{proxy+}",
            methods=("ANY",),
            app="mcp",
            role="mcp-endpoint",
            spec="MCP Streamable HTTP",
            route_keys=("ANY /{proxy+}",),
        ),
    )
    manifest = Manifest(version=1, default=None, routes=routes)
    assert _locate("https://tools.example.org/mcp", manifest, ())[0] == ("https://tools.example.org/mcp",)
