"""`python -m dev.matrix`: writes docs/providers.md, or checks that it is current."""

import logging
import sys
from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeVar

import click
from routegen.errors import RoutegenError

from dev.matrix import providers_page
from dev.matrix.auth_providers import PROVIDERS, Provider
from dev.matrix.fastmcp_releases import REQUIREMENTS, Release, try_release
from dev.matrix.prove_provider import ProviderResult, prove_provider
from dev.matrix.transport_cases import CASES, Case

T = TypeVar("T")
R = TypeVar("R")


class _Failure(click.ClickException):
    exit_code = 3


@click.command()
@click.option("--releases", is_flag=True, help="Earlier FastMCP releases instead; needs a package registry.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the page is stale.")
def main(releases: bool, check: bool) -> None:
    """Extract and prove every auth provider in every case, and write docs/providers.md.

    Exit code 1: a disagreement, or, with --check, a stale page; 3: an app could not be extracted.
    """
    # What providers say of their own settings while they are built.
    logging.getLogger("fastmcp").setLevel(logging.ERROR)
    old = providers_page.FILE.read_text() if providers_page.FILE.is_file() else ""
    parts = providers_page.sections(old)
    wrong = _releases(parts) if releases else _providers(parts)
    new = providers_page.page(parts)
    for text in wrong:
        click.echo(text, err=True)
    if check and new != old:
        click.echo(
            f"{providers_page.FILE.name} is stale; write it with: python -m dev.matrix{' --releases' * releases}",
            err=True,
        )
    elif not check:
        providers_page.FILE.write_text(new)
    sys.exit(1 if wrong or (check and new != old) else 0)


def _providers(parts: dict[str, str]) -> list[str]:
    results: list[ProviderResult] = _each(list(product(PROVIDERS, CASES)), _run, "providers")
    parts[providers_page.PROVIDERS_TITLE] = providers_page.providers_section(results)
    return [f"{one.provider}, {one.case}: {wrong.text}" for one in results for wrong in one.verdict.disagreements]


def _run(pair: tuple[Provider, Case]) -> ProviderResult:
    provider, case = pair
    try:
        return prove_provider(provider, case)
    except RoutegenError as error:
        raise _Failure(f"{provider.name}, {case.name}: {error}") from None


def _try(requirement: str) -> Release:
    try:
        return try_release(requirement)
    except RuntimeError as error:
        raise _Failure(f"{requirement}: {error}") from None


def _releases(parts: dict[str, str]) -> list[str]:
    releases: list[Release] = _each(REQUIREMENTS, _try, "releases")
    parts[providers_page.RELEASES_TITLE] = providers_page.releases_section(releases)
    return [f"{one.requirement}: {text}" for one in releases for text in one.disagreements]


def _each(things: Sequence[T], work: Callable[[T], R], label: str) -> list[R]:
    """Work on each, with a progress bar on a terminal."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(things, label=label, file=sys.stderr, hidden=hidden) as shown:
        return [work(thing) for thing in shown]


if __name__ == "__main__":
    main()
