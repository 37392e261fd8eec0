"""Every auth provider that FastMCP ships, on every transport: the gateway gets exactly what the server serves."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from pathlib import Path

import fastmcp.server.auth
import pytest
from click.testing import CliRunner
from fastmcp.server.auth.auth import AuthProvider, OAuthProvider
from routegen.prove.judge import judge

from dev.matrix import providers_page
from dev.matrix.__main__ import main
from dev.matrix.auth_providers import PROVIDERS, without_network
from dev.matrix.fastmcp_releases import REQUIREMENTS, try_release
from dev.matrix.prove_provider import ProviderResult, prove_provider
from dev.matrix.transport_cases import CASES, URL

BY_NAME = {provider.name: provider for provider in PROVIDERS}
PAGE = providers_page.FILE.read_text()
STALE = "run `make matrix`"

PRM = "/.well-known/oauth-protected-resource"
ASM = "/.well-known/oauth-authorization-server"
OIDC = "/.well-known/openid-configuration"

# What each standard calls its endpoint, by where FastMCP's documentation says that it serves it.
ROLES = {
    "authorize": ("authorization-endpoint", "RFC 6749"),
    "token": ("token-endpoint", "RFC 6749"),
    "register": ("registration-endpoint", "RFC 7591"),
    "revoke": ("revocation-endpoint", "RFC 7009"),
    "auth/callback": ("redirect-callback", "RFC 6749"),
    "consent": ("consent", None),
    "mcp": ("mcp-endpoint", "MCP Streamable HTTP"),
    "v1/agent": ("mcp-endpoint", "MCP Streamable HTTP"),
    "sse": ("mcp-endpoint", "MCP HTTP+SSE"),
    "messages": ("mcp-endpoint", "MCP HTTP+SSE"),
    "messages/{proxy+}": ("mcp-endpoint", "MCP HTTP+SSE"),
    "health": ("other", None),
    "inner/status": ("other", None),
}


def expected_role(path: str) -> tuple[str, str | None]:
    documents = {
        PRM: ("protected-resource-metadata", "RFC 9728"),
        ASM: ("authorization-server-metadata", "RFC 8414"),
        OIDC: ("openid-configuration", "OpenID Connect Discovery 1.0"),
    }
    for document, role in documents.items():
        if f"{path}/".startswith(f"{document}/"):
            return role
    if path.startswith("/api/.well-known/"):
        return "other", None  # a mounted app's own copy, which no client asks for
    return ROLES[path.removeprefix("/api/").removeprefix("/")]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_gateway_gets_what_the_provider_s_server_serves(name: str, decided: Callable[[int], None]) -> None:
    """One test for each provider, so that parallel workers drive each app once."""
    results = [prove_provider(BY_NAME[name], case) for case in CASES]
    decided(sum(one.verdict.requests for one in results))
    for one in results:
        agrees_on_every_request(one)
        reached_every_route(one)
        needs_every_route(one)
        has_the_roles(one)
    assert providers_page.line(providers_page.provider_row(name, results)) in PAGE, STALE
    assert providers_page.line(providers_page.roles_row(name, results)) in PAGE, STALE


def agrees_on_every_request(one: ProviderResult) -> None:
    assert one.verdict.requests > 100, one.case
    assert not one.verdict.disagreements, (one.case, one.verdict.disagreements[0].text)
    assert one.verdict.answered_by_middleware == 0, one.case


def reached_every_route(one: ProviderResult) -> None:
    reached = {seen.served for seen in one.seen if seen.outcome == "reached"}
    silent = {entry.path for position, entry in enumerate(one.served) if position not in reached}
    # A mount without its slash only redirects there.
    assert silent <= {"/messages"}, one.case


def needs_every_route(one: ProviderResult) -> None:
    """The proof sees it when a route is missing."""
    manifest = one.extraction.manifest
    for route in manifest.routes:
        without = manifest.model_copy(update={"routes": tuple(other for other in manifest.routes if other != route)})
        kinds = {wrong.kind for wrong in judge(without, one.app, one.served, one.seen).disagreements}
        assert kinds == (set() if route.path == "/messages" else {"under-routed"}), (one.case, route.path)


def has_the_roles(one: ProviderResult) -> None:
    for route in one.extraction.manifest.routes:
        assert (route.role, route.spec) == expected_role(route.path), (one.case, route.path)
        assert not route.widened, (one.case, route.path)


def test_the_page_has_no_other_providers() -> None:
    section = providers_page.sections(PAGE)[providers_page.PROVIDERS_TITLE]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in section.splitlines() if line.startswith("| ")]
    assert sorted(rows) == sorted(2 * ["provider", "---", *BY_NAME]), STALE


def _auth_classes() -> Iterable[type[AuthProvider]]:
    found = set()
    for package in pkgutil.walk_packages(fastmcp.server.auth.__path__, "fastmcp.server.auth."):
        module = importlib.import_module(package.name)
        found |= {one for _, one in inspect.getmembers(module, inspect.isclass) if issubclass(one, AuthProvider)}
    return found


def test_no_provider_of_fastmcp_is_missing() -> None:
    """Verifiers add no route: one stands for all of them."""
    with without_network():
        built = {type(provider.build(URL)) for provider in PROVIDERS}
    with_routes = {one for one in _auth_classes() if one.get_routes is not AuthProvider.get_routes}
    assert with_routes - built == {OAuthProvider}, (
        "an abstract class aside, each has a row in dev/matrix/auth_providers.py"
    )


@pytest.mark.parametrize("options", [[], ["--releases"]], ids=["providers", "releases"])
def test_check_refuses_a_stale_page(options: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "providers.md"
    monkeypatch.setattr(providers_page, "FILE", page)
    monkeypatch.setattr("dev.matrix.__main__.PROVIDERS", PROVIDERS[:1])
    monkeypatch.setattr("dev.matrix.__main__.REQUIREMENTS", ())
    monkeypatch.setattr("dev.matrix.providers_page.PROVIDERS", PROVIDERS[:1])
    assert CliRunner().invoke(main, [*options, "--check"]).exit_code == 1
    assert not page.exists()
    assert CliRunner().invoke(main, options).exit_code == 0
    assert CliRunner().invoke(main, [*options, "--check"]).exit_code == 0


def test_renewing_one_section_leaves_the_other() -> None:
    assert providers_page.page(providers_page.sections(PAGE)) == PAGE


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_release_serves_what_the_page_says(requirement: str) -> None:
    release = try_release(requirement)
    assert not release.disagreements
    for path, _, role in release.served:
        assert role == expected_role(path)[0], path
    served = providers_page.release_row(release)[2]
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{requirement}` |"))
    assert served in line, "run `python -m dev.matrix --releases`"
