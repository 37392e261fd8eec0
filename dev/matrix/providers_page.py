"""docs/providers.md: two sections, each written from its own run, so that one can be renewed without the other."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version

from dev.matrix.auth_providers import PROVIDERS
from dev.matrix.fastmcp_releases import Release
from dev.matrix.prove_provider import ROOT, ProviderResult
from dev.matrix.transport_cases import CASES

FILE = ROOT / "docs" / "providers.md"
_HEAD = """\
# Auth providers

<!-- Written by matrix/: `make matrix`, and `python -m dev.matrix --releases` for the second section. -->

What FastMCP serves depends on the auth provider, the transport and where the server is mounted. Each pair below is
built without a network, extracted, and proven: `routegen prove` puts requests to the app and compares who answers
with who would get them through the gateway.
"""
_ROLES = """\
### What a provider serves

In OAuth terms, on top of the MCP endpoint. Where a role is served in some cases only, they are named. Providers
that ask the issuer for its configuration offer to revoke where that has a revocation endpoint, as it has here. The
copies of the documents that a mounted app serves below its prefix (`/api/.well-known/oauth-authorization-server`)
stand where no standard looks for them: their role is `other`.
"""
_NOTICES = """\
### Notices

SSE clients post to `/messages/`, with nothing after the slash.
"""
_RELEASES = """\
AuthKit, `base_url` at the root, `http_app(path="/mcp", stateless_http=True)`, each release in an environment of its
own.
"""
PROVIDERS_TITLE = "## Providers"
RELEASES_TITLE = "## FastMCP releases"
_SHORT: dict[str, str] = {
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
    """The sections of the page as it is, by title."""
    found = {}
    for title in (PROVIDERS_TITLE, RELEASES_TITLE):
        _, present, rest = text.partition(f"{title}\n")
        if present:
            found[title] = f"{title}\n{rest.partition(f'{chr(10)}## ')[0].rstrip()}\n"
    return found


def page(parts: dict[str, str]) -> str:
    """The whole page from its sections."""
    return "\n".join([_HEAD, *(parts[title] for title in (PROVIDERS_TITLE, RELEASES_TITLE) if title in parts)])


def providers_section(results: Sequence[ProviderResult]) -> str:
    """What every provider showed in every case."""
    requests = sum(one.verdict.requests for one in results)
    wrong = sum(len(one.verdict.disagreements) for one in results)
    total = (
        f"FastMCP {version('fastmcp')}: {len(PROVIDERS)} providers, {len(CASES)} cases, {len(results)} apps, "
        f"{requests:,} requests, {wrong} disagreements."
    )
    lines = [
        f"{PROVIDERS_TITLE}\n",
        f"{total}\n",
        *(f"- {case.name}: {case.what}" for case in CASES),
        "",
        "Each cell: routes in the manifest · requests tried · disagreements.\n",
        *_table(("provider", *(case.name for case in CASES)), [provider_row(name, results) for name in _names()]),
        "",
        _ROLES,
        *_table(("provider", *_SHORT.values()), [roles_row(name, results) for name in _names()]),
        "",
        _NOTICES,
        *_notices(results),
    ]
    return "\n".join(lines) + "\n"


def provider_row(provider: str, results: Iterable[ProviderResult]) -> tuple[str, ...]:
    """A provider's figures, case by case."""
    own = {one.case: one for one in results if one.provider == provider}
    return (provider, *(_figures(own[case.name]) for case in CASES))


def _figures(result: ProviderResult) -> str:
    verdict = result.verdict
    return f"{len(result.extraction.manifest.routes)} · {verdict.requests} · {len(verdict.disagreements)}"


def roles_row(provider: str, results: Iterable[ProviderResult]) -> tuple[str, ...]:
    """Which roles a provider's routes have, and in which cases where not in all."""
    own = [one for one in results if one.provider == provider]
    return (provider, *(_role(role, own) for role in _SHORT))


def _role(role: str, results: Sequence[ProviderResult]) -> str:
    cases = [one.case for one in results if role in {route.role for route in one.extraction.manifest.routes}]
    return "yes" if len(cases) == len(results) else ", ".join(cases)


def _notices(results: Sequence[ProviderResult]) -> list[str]:
    counted: dict[tuple[str, str], int] = {}
    for one in results:
        for notice in one.extraction.unsupported:
            key = (one.case, notice.text)
            counted[key] = counted.get(key, 0) + 1
    return [f"- {case}, {count} providers: {text}" for (case, text), count in counted.items()]


def releases_section(releases: Sequence[Release]) -> str:
    """What every release served."""
    lines = [
        f"{RELEASES_TITLE}\n",
        _RELEASES,
        *_table(("requirement", "version", "served", "requests", "disagreements"), map(release_row, releases)),
    ]
    return "\n".join(lines) + "\n"


def release_row(release: Release) -> tuple[str, ...]:
    """One release's line."""
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
    return [line(titles), line(["---"] * len(titles)), *map(line, rows)]


def line(cells: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"
