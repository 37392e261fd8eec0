"""The hashed requirement files, which `make lock` writes, agree with each other."""

import re

import pytest
from helpers.support import PROJECT

_NAME_AND_VERSION = re.compile(r"([a-z0-9-]+)(?:\[[a-z0-9, -]+\])?==([^ ]+)")
_FILES = sorted(
    str(file.relative_to(PROJECT))
    for pattern in ("requirements/*.txt", "app/**/*requirements.txt")
    for file in PROJECT.glob(pattern)
)


def _versions(file: str) -> dict[str, set[str]]:
    """The versions of each package: more than one where they depend on the version of Python."""
    versions: dict[str, set[str]] = {}
    for line in (PROJECT / file).read_text().splitlines():
        if not line.startswith(" "):
            found = _NAME_AND_VERSION.match(line)
            assert found, f"{file}: {line}"
            versions.setdefault(found[1], set()).add(found[2])
    return versions


@pytest.mark.parametrize("file", _FILES)
def test_every_file_has_the_versions_that_the_tests_run_with(file: str) -> None:
    tested = _versions("requirements/dev.txt")
    only_builds = {"setuptools"}
    versions = {name: version for name, version in _versions(file).items() if name not in only_builds}
    assert {name: tested.get(name) for name in versions} == versions


def test_each_stage_contains_the_one_before() -> None:
    main, serve, dev = (set(_versions(f"requirements/{stage}.txt")) for stage in ("main", "serve", "dev"))
    assert main < serve < dev
    assert set(_versions("requirements/uv.txt")) < dev


@pytest.mark.parametrize("file", _FILES)
def test_every_line_is_a_pinned_package_or_its_hash(file: str) -> None:
    """No option and no address of a registry: pip's and uv's own configuration decide where packages come from."""
    lines = (PROJECT / file).read_text().splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        text = line.removesuffix(" \\")
        assert _NAME_AND_VERSION.match(text) or re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", text), line
        assert line.endswith(" \\") == following.startswith(" "), line
        assert "://" not in line
