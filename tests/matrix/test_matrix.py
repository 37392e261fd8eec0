"""Every auth provider of FastMCP with every transport: the manifest agrees with the server for every request."""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterable
from pathlib import Path

import fastmcp.server.auth
import pytest
from click.testing import CliRunner
from fastmcp.server.auth.auth import AuthProvider, OAuthProvider
from routegen.manifest import Route
from routegen.prove.app_proof import compare_all_paths
from routegen.prove.compare_requests import AppComparison

from dev.matrix import providers_page
from dev.matrix.__main__ import main
from dev.matrix.auth_providers import PROVIDERS, without_network
from dev.matrix.fastmcp_releases import REQUIREMENTS, prove_release
from dev.matrix.prove_provider import ProviderResult, prove_provider
from dev.matrix.transport_cases import CASES, URL

BY_NAME = {provider.name: provider for provider in PROVIDERS}
PAGE = providers_page.FILE.read_text()
OUTDATED = "docs/providers.md is outdated; run `make matrix`"

PRM = "/.well-known/oauth-protected-resource"
ASM = "/.well-known/oauth-authorization-server"
OIDC = "/.well-known/openid-configuration"

# The role and the standard of each path. The source of the paths is FastMCP's documentation.
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


DOCUMENT_ROLES = {
    PRM: ("protected-resource-metadata", "RFC 9728"),
    ASM: ("authorization-server-metadata", "RFC 8414"),
    OIDC: ("openid-configuration", "OpenID Connect Discovery 1.0"),
}


def expected_role(path: str) -> tuple[str, str | None]:
    for document, role in DOCUMENT_ROLES.items():
        if f"{path}/".startswith(f"{document}/"):
            return role
    if path.startswith("/api/.well-known/"):
        return "misplaced-metadata", None  # a copy of a mounted app, which no client requests
    return ROLES[path.removeprefix("/api/").removeprefix("/")]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_manifest_agrees_with_the_server_of_each_provider(
    name: str, count_decisions: Callable[[int], None]
) -> None:
    """One test for each provider, so that parallel test processes create each app only once."""
    results = [prove_provider(BY_NAME[name], case) for case in CASES]
    count_decisions(sum(result.proof.requests for result in results))
    for result in results:
        assert_no_disagreement(result)
        assert_every_route_was_reached(result)
        assert_every_route_is_necessary(result)
        assert_expected_roles(result)
    assert providers_page.table_line(providers_page.provider_row(name, results)) in PAGE, OUTDATED
    assert providers_page.table_line(providers_page.roles_row(name, results)) in PAGE, OUTDATED


def assert_no_disagreement(result: ProviderResult) -> None:
    assert result.proof.requests > 100, result.case
    assert not result.proof.disagreements, (result.case, result.proof.disagreements[0].text)
    assert result.proof.answered_by_middleware == 0, result.case
    assert not result.proof.not_proven, result.case


def assert_every_route_was_reached(result: ProviderResult) -> None:
    reached = {request.position for request in result.outcomes if request.outcome == "served"}
    unreached = {entry.path for position, entry in enumerate(result.served.paths) if position not in reached}
    # The path of a mount without its slash is only a redirect.
    assert unreached <= {"/messages"}, result.case


def assert_every_route_is_necessary(result: ProviderResult) -> None:
    """The proof of a manifest in which a route is missing has disagreements."""
    routes = result.extraction.manifest.routes
    # The comparison depends only on these two, and half of the results have them in common.
    compared = f"{routes} {json.dumps(result.served.as_data())}"
    if compared not in KINDS_WITHOUT_A_ROUTE:
        KINDS_WITHOUT_A_ROUTE[compared] = [kinds_without(route, result) for route in routes]
    for route, kinds in zip(routes, KINDS_WITHOUT_A_ROUTE[compared], strict=True):
        serves_nothing = route.path == "/messages" or route.reserved
        assert kinds == (set() if serves_nothing else {"under-routed"}), (result.case, route.path)


KINDS_WITHOUT_A_ROUTE: dict[str, list[set[str]]] = {}
"""The kinds of disagreements for each route that is missing, by the manifest's routes and the served paths."""


def kinds_without(route: Route, result: ProviderResult) -> set[str]:
    manifest = result.extraction.manifest
    remaining = tuple(remaining for remaining in manifest.routes if remaining != route)
    smaller_manifest = manifest.model_copy(update={"routes": remaining})
    paths = compare_all_paths(AppComparison(smaller_manifest, result.app, result.served))
    return {disagreement.kind for disagreement in paths.disagreements}


def assert_expected_roles(result: ProviderResult) -> None:
    for route in result.extraction.manifest.routes:
        if route.reserved:
            (role,) = [role for document, role in DOCUMENT_ROLES.items() if document in route.path]
            assert (route.role, route.spec, route.methods) == (*role, ()), (result.case, route.path)
        else:
            assert (route.role, route.spec) == expected_role(route.path), (result.case, route.path)
        assert not route.widened, (result.case, route.path)


def test_the_page_has_exactly_these_providers() -> None:
    section = providers_page.sections(PAGE)[providers_page.PROVIDERS_TITLE]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in section.splitlines() if line.startswith("| ")]
    assert sorted(rows) == sorted(2 * ["provider", "---", *BY_NAME]), OUTDATED


def _auth_classes() -> Iterable[type[AuthProvider]]:
    classes = set()
    for package in pkgutil.walk_packages(fastmcp.server.auth.__path__, "fastmcp.server.auth."):
        module = importlib.import_module(package.name)
        members = inspect.getmembers(module, inspect.isclass)
        classes |= {member for _, member in members if issubclass(member, AuthProvider)}
    return classes


def test_every_provider_of_fastmcp_is_in_the_matrix() -> None:
    """Token verifiers add no routes, so they do not need a row each."""
    with without_network():
        built = {type(provider.build(URL)) for provider in PROVIDERS}
    with_routes = {provider for provider in _auth_classes() if provider.get_routes is not AuthProvider.get_routes}
    assert with_routes - built == {OAuthProvider}, (
        "add the new provider to dev/matrix/auth_providers.py (OAuthProvider is abstract)"
    )


@pytest.mark.parametrize("options", [[], ["--releases"]], ids=["providers", "releases"])
def test_check_fails_for_an_outdated_page(options: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "providers.md"
    monkeypatch.setattr(providers_page, "FILE", page)
    monkeypatch.setattr("dev.matrix.__main__.PROVIDERS", PROVIDERS[:1])
    monkeypatch.setattr("dev.matrix.__main__.REQUIREMENTS", ())
    monkeypatch.setattr("dev.matrix.providers_page.PROVIDERS", PROVIDERS[:1])
    assert CliRunner().invoke(main, [*options, "--check"]).exit_code == 1
    assert not page.exists()
    assert CliRunner().invoke(main, options).exit_code == 0
    assert CliRunner().invoke(main, [*options, "--check"]).exit_code == 0


def test_a_page_can_be_written_again_from_its_sections() -> None:
    assert providers_page.page(providers_page.sections(PAGE)) == PAGE


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_the_page_has_the_routes_of_each_release(requirement: str) -> None:
    release = prove_release(requirement)
    assert not release.disagreements
    for path, _, role in release.served:
        assert role == expected_role(path)[0], path
    served = providers_page.release_row(release)[2]
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{requirement}` |"))
    assert served in line, "run `python -m dev.matrix --releases`"
