"""docs/providers.md: two sections. Each comes from a separate run, so each can be updated without the other."""

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from dev.matrix.auth_providers import PROVIDERS
from dev.matrix.fastmcp_releases import FastmcpRelease
from dev.matrix.prove_provider import ROOT, ProviderResult
from dev.matrix.transport_cases import CASES

FILE = ROOT / "docs" / "providers.md"
_INTRODUCTION = """\
# Auth providers

<!-- Written by dev/matrix: `make matrix`, and `python -m dev.matrix --releases` for the second section. -->

The routes of a FastMCP server depend on its auth provider, its transport and its mount path. This page shows each
combination of provider and case. Each app was created without a network, extracted, and proven like `routegen prove`
does: the proof sends requests to the app, and compares the app's answers with the routes of the manifest.
"""
_ROLES_INTRODUCTION = """\
### OAuth endpoints of each provider

The table shows the OAuth roles that a server with the provider serves in addition to the MCP endpoint. If it serves a
role only in some cases, the table names these cases. Providers that read the configuration of the issuer serve a
revocation endpoint if the issuer has one, and the issuer of this test has one. A mounted app also serves the metadata
documents below its prefix (`/api/.well-known/oauth-authorization-server`). No standard uses these paths, so their role
is `misplaced-metadata`.
"""
_CELLS_INTRODUCTION = """\
Each cell has the number of routes in the manifest (including reserved paths), of requests in the proof, and of
disagreements.
"""
_UNSUPPORTED_INTRODUCTION = """\
### Unsupported paths

These warnings of `extract` apply to the apps above. SSE clients send POST requests to `/messages/`, with nothing after
the slash.
"""
_RELEASES_INTRODUCTION = """\
Each server uses AuthKit, a `base_url` without a path, and `http_app(path="/mcp", stateless_http=True)`. Each release
was installed in a separate virtual environment.
"""
PROVIDERS_TITLE = "## Providers"
RELEASES_TITLE = "## FastMCP releases"
_ROLE_TITLES: dict[str, str] = {
    "protected-resource-metadata": "resource metadata",
    "authorization-server-metadata": "server metadata",
    "openid-configuration": "OpenID configuration",
    "authorization-endpoint": "authorize",
    "token-endpoint": "token",
    "registration-endpoint": "register",
    "revocation-endpoint": "revoke",
    "redirect-callback": "callback",
    "consent": "consent",
}


def sections(text: str) -> dict[str, str]:
    """Return the sections of a page by title."""
    by_title = {}
    for title in (PROVIDERS_TITLE, RELEASES_TITLE):
        _, present, rest = text.partition(f"{title}\n")
        if present:
            by_title[title] = f"{title}\n{rest.partition(f'{chr(10)}## ')[0].rstrip()}\n"
    return by_title


def page(by_title: dict[str, str]) -> str:
    """Return the whole page with its sections."""
    return "\n".join(
        [_INTRODUCTION, *(by_title[title] for title in (PROVIDERS_TITLE, RELEASES_TITLE) if title in by_title)]
    )


def providers_section(results: Sequence[ProviderResult]) -> str:
    """Write the section with the results of all providers in all cases."""
    requests = sum(result.proof.requests for result in results)
    disagreements = sum(len(result.proof.disagreements) for result in results)
    total = (
        f"FastMCP {version('fastmcp')}: {len(PROVIDERS)} providers, {len(CASES)} cases, {len(results)} apps, "
        f"{requests:,} requests, {disagreements} disagreements."
    )
    lines = [
        f"{PROVIDERS_TITLE}\n",
        f"{total}\n",
        *(f"- {case.name}: {case.description}" for case in CASES),
        "",
        _CELLS_INTRODUCTION,
        *_table(("provider", *(case.name for case in CASES)), [provider_row(name, results) for name in _names()]),
        "",
        _ROLES_INTRODUCTION,
        *_table(("provider", *_ROLE_TITLES.values()), [roles_row(name, results) for name in _names()]),
        "",
        _UNSUPPORTED_INTRODUCTION,
        *_unsupported_paths(results),
    ]
    return "\n".join(lines) + "\n"


def provider_row(provider: str, results: Iterable[ProviderResult]) -> tuple[str, ...]:
    """Return the row with the figures of a provider in each case."""
    by_case = {result.case: result for result in results if result.provider == provider}
    return (provider, *(_figures(by_case[case.name]) for case in CASES))


def _figures(result: ProviderResult) -> str:
    proof = result.proof
    return f"{len(result.extraction.manifest.routes)} · {proof.requests} · {len(proof.disagreements)}"


def roles_row(provider: str, results: Iterable[ProviderResult]) -> tuple[str, ...]:
    """Return the row with the roles of a provider's routes, with the cases if not all cases have the role."""
    of_provider = [result for result in results if result.provider == provider]
    return (provider, *(_cases_with_role(role, of_provider) for role in _ROLE_TITLES))


def _cases_with_role(role: str, results: Sequence[ProviderResult]) -> str:
    cases = [
        result.case
        for result in results
        if any(route.role == role and not route.reserved for route in result.extraction.manifest.routes)
    ]
    return "yes" if len(cases) == len(results) else ", ".join(cases)


def _unsupported_paths(results: Sequence[ProviderResult]) -> list[str]:
    counts = Counter((result.case, path.text) for result in results for path in result.extraction.unsupported)
    return [f"- {case}, {count} providers: {text}" for (case, text), count in counts.items()]


def releases_section(releases: Sequence[FastmcpRelease]) -> str:
    """Write the section with the results of all releases."""
    lines = [
        f"{RELEASES_TITLE}\n",
        _RELEASES_INTRODUCTION,
        *_table(("requirement", "version", "served", "requests", "disagreements"), map(release_row, releases)),
    ]
    return "\n".join(lines) + "\n"


def release_row(release: FastmcpRelease) -> tuple[str, ...]:
    """Return the row of one release."""
    served = "<br>".join(f"`{path}` {' '.join(methods)}" for path, methods, _ in release.served)
    return (
        f"`{release.requirement}`",
        release.version,
        served,
        str(release.requests),
        str(len(release.disagreements)),
    )


def _names() -> list[str]:
    return [provider.name for provider in PROVIDERS]


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [table_line(titles), table_line(["---"] * len(titles)), *map(table_line, rows)]


def table_line(cells: Sequence[str]) -> str:
    """Return one line of a Markdown table."""
    return f"| {' | '.join(cells)} |"
