"""Full stacks that several test files share, because a stack needs five seconds of CPU time to start."""

from collections.abc import Iterator

import pytest
from end_to_end.full_stack import FullStack, full_stack

SHARED_STACKS = ("renaming_stack", "keeping_stack")


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process run all tests of a shared stack, so that it is started once."""
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        names = {*getattr(item, "fixturenames", ()), parameters.get("stack_name")}
        for name in SHARED_STACKS:
            if name in names:
                item.add_marker(pytest.mark.xdist_group(name))
