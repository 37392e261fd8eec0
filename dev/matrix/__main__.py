"""`python -m dev.matrix`: write docs/providers.md, or check that it is current."""

import logging
import sys
from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeVar

import click
from routegen.errors import RoutegenError

from dev.matrix import providers_page
from dev.matrix.auth_providers import PROVIDERS, ProviderFactory
from dev.matrix.fastmcp_releases import REQUIREMENTS, FastmcpRelease, prove_release
from dev.matrix.prove_provider import ProviderResult, prove_provider
from dev.matrix.transport_cases import CASES, TransportCase

Item = TypeVar("Item")
Output = TypeVar("Output")


class _ExtractionFailure(click.ClickException):
    exit_code = 3


@click.command()
@click.option(
    "--releases", is_flag=True, help="Write the section about older FastMCP releases. This needs a package registry."
)
@click.option("--check", is_flag=True, help="Write nothing, and exit with code 1 if the page is outdated.")
def main(releases: bool, check: bool) -> None:
    """Extract and prove every auth provider in every case, and write docs/providers.md.

    Exit code 1 means a disagreement or, with --check, an outdated page. Exit code 3 means that an app could not be
    extracted.
    """
    # Providers log hints about their settings when they are created.
    logging.getLogger("fastmcp").setLevel(logging.ERROR)
    current_page = providers_page.FILE.read_text() if providers_page.FILE.is_file() else ""
    sections = providers_page.sections(current_page)
    disagreements = _update_releases(sections) if releases else _update_providers(sections)
    new_page = providers_page.page(sections)
    for text in disagreements:
        click.echo(text, err=True)
    is_outdated = new_page != current_page
    if check and is_outdated:
        click.echo(
            f"{providers_page.FILE.name} is outdated; run: python -m dev.matrix{' --releases' * releases}",
            err=True,
        )
    elif not check:
        providers_page.FILE.write_text(new_page)
    sys.exit(1 if disagreements or (check and is_outdated) else 0)


def _update_providers(sections: dict[str, str]) -> list[str]:
    results: list[ProviderResult] = _map_with_progress(list(product(PROVIDERS, CASES)), _prove, "providers")
    sections[providers_page.PROVIDERS_TITLE] = providers_page.providers_section(results)
    return [
        f"{result.provider}, {result.case}: {disagreement.text}"
        for result in results
        for disagreement in result.proof.disagreements
    ]


def _prove(pair: tuple[ProviderFactory, TransportCase]) -> ProviderResult:
    provider, case = pair
    try:
        return prove_provider(provider, case)
    except RoutegenError as error:
        raise _ExtractionFailure(f"{provider.name}, {case.name}: {error}") from None


def _prove_release(requirement: str) -> FastmcpRelease:
    try:
        return prove_release(requirement)
    except RuntimeError as error:
        raise _ExtractionFailure(f"{requirement}: {error}") from None


def _update_releases(sections: dict[str, str]) -> list[str]:
    releases: list[FastmcpRelease] = _map_with_progress(REQUIREMENTS, _prove_release, "releases")
    sections[providers_page.RELEASES_TITLE] = providers_page.releases_section(releases)
    return [f"{release.requirement}: {text}" for release in releases for text in release.disagreements]


def _map_with_progress(items: Sequence[Item], function: Callable[[Item], Output], label: str) -> list[Output]:
    """Call the function with each item, and show a progress bar on a terminal."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(items, label=label, file=sys.stderr, hidden=hidden) as progress:
        return [function(item) for item in progress]


if __name__ == "__main__":
    main()
