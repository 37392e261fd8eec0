"""What each target can hold: its own parser accepts a manifest of that size, and `render` refuses a larger one."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from differential.servers import SERVERS
from helpers.support import PROJECT
from render.test_aws import CloudFormationLoader
from render.test_proxies import check_config, write_config
from render.test_targets import TARGETS
from routegen.errors import UnsupportedRouteError
from routegen.manifest import Manifest
from routegen.render import RenderRequest, find_target, render


def manifest_of(*routes: tuple[str, str], **more: Any) -> Manifest:
    """A manifest with a path and an app for each route."""
    entries = [
        {"path": path, "methods": ["ANY"], "app": app, "role": "other", "route_keys": [f"ANY {path}"], **more}
        for path, app in routes
    ]
    return Manifest.model_validate_json(json.dumps({"version": 1, "default": "site", "routes": entries}))


def long_name(size: int) -> Manifest:
    return manifest_of(("/x", "a" * size))


def long_path(size: int) -> Manifest:
    """A path whose literal, with its quotes, has a number of characters."""
    return manifest_of(("/" + "x" * (size - 3), "a"))


def many_apps(size: int) -> Manifest:
    return manifest_of(*((f"/{number}", f"app{number}") for number in range(size - 1)))


def many_routes(size: int) -> Manifest:
    return manifest_of(*((f"/{number}", "a") for number in range(size)))


MANIFESTS_OF_SIZE = {"name": long_name, "path": long_path, "apps": many_apps, "routes": many_routes}
LIMITS = [
    (target, kind, limit)
    for target in TARGETS
    for kind in MANIFESTS_OF_SIZE
    if (limit := getattr(find_target(target).limits, kind))
]


@pytest.mark.reliability("manifests that a target of `render` cannot hold")
@pytest.mark.parametrize(("target", "kind", "limit"), LIMITS)
def test_a_manifest_at_the_limit_is_accepted_and_a_larger_one_is_refused(
    target: str, kind: str, limit: int, tmp_path: Path
) -> None:
    manifest = MANIFESTS_OF_SIZE[kind](limit)
    text = render(RenderRequest(target, manifest))
    if target in SERVERS:
        check_config(target, write_config(target, tmp_path, manifest))
    elif target in {"cloudformation", "sam", "openapi"}:
        template = yaml.load(text, CloudFormationLoader)
        assert len(template.get("Parameters", [])) <= 200
        assert len(template.get("Resources", [])) <= 500
        assert all(len(name) <= 255 for name in [*template.get("Parameters", []), *template.get("Resources", [])])
    elif target == "mermaid":
        assert sum(" --> " in line or " -- " in line for line in text.splitlines()) <= 500
    with pytest.raises(UnsupportedRouteError) as error:
        render(RenderRequest(target, MANIFESTS_OF_SIZE[kind](limit + 1)))
    assert f"{target} can hold {limit:,} (" in str(error.value)
    assert str(error.value).endswith("); shorten it, or render another target")


@pytest.mark.parametrize(("target", "kind"), [(target, kind) for target, kind, _ in LIMITS if kind in {"name", "path"}])
def test_the_message_for_a_long_name_or_path_repeats_only_its_beginning(target: str, kind: str) -> None:
    with pytest.raises(UnsupportedRouteError) as error:
        render(RenderRequest(target, MANIFESTS_OF_SIZE[kind](100_000)))
    assert len(str(error.value)) < 300


def test_an_output_that_is_too_large_is_refused() -> None:
    manifest = manifest_of(*((f"/{number}/{'x' * 900}", "a") for number in range(249)))
    with pytest.raises(UnsupportedRouteError, match=r"the output: \d+ characters, and mermaid can hold 50,000 \("):
        render(RenderRequest("mermaid", manifest))


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_reads_a_reserved_path_with_a_long_reason(server: str, tmp_path: Path) -> None:
    manifest = manifest_of(("/x", "a"), methods=[], reserved="why " * 3000)
    check_config(server, write_config(server, tmp_path, manifest))


def test_the_page_lists_each_limit() -> None:
    page = (PROJECT / "docs" / "render.md").read_text()
    table = page.partition("## Limits")[2].partition("\n## ")[0].splitlines()
    for target, _, limit in LIMITS:
        (row,) = (line for line in table if line.startswith(f"| `{target}` |"))
        assert f"{limit:,}" in row, target
