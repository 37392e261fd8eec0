"""Full stacks that several test files share, because a stack needs five seconds of CPU time to start."""

from collections.abc import Iterator

import pytest
from end_to_end.full_stack import FullStack, full_stack
from helpers.node import reason_not_to_run, run_oidc_provider

SHARED_STACKS = ("renaming_stack", "keeping_stack", "oidc_provider_stack")


@pytest.fixture(scope="session")
def renaming_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    """A stack whose gateway renames the challenge, as API Gateway does."""
    with full_stack(tmp_path_factory.mktemp("wiki"), renames_challenge=True) as stack:
        yield stack


@pytest.fixture(scope="session")
def keeping_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    """A stack whose gateway keeps the challenge."""
    with full_stack(tmp_path_factory.mktemp("wiki"), renames_challenge=False) as stack:
        yield stack


@pytest.fixture(scope="session")
def oidc_provider_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    """A stack with node-oidc-provider in place of the AuthKit stand-in."""
    if reason := reason_not_to_run("oidc-provider"):
        pytest.skip(reason)
    wiki = tmp_path_factory.mktemp("wiki")
    with full_stack(wiki, renames_challenge=False, authorization_server=run_oidc_provider) as stack:
        yield stack


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process run all tests of a shared stack, so that it is started once."""
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        names = {*getattr(item, "fixturenames", ()), parameters.get("stack_name")}
        for name in SHARED_STACKS:
            if name in names:
                item.add_marker(pytest.mark.xdist_group(name))
