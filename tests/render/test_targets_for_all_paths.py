"""The rules of nginx, Caddy and HAProxy, compared with the manifest for every path.

The rendered rules are read back as an ordered list of regular expressions, of which the first match counts.
"""

import random
import re
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from helpers.support import PROJECT
from routegen.gateway import RouteKey
from routegen.gateway.automaton import PathAutomaton
from routegen.gateway.regex_tree import Regex
from routegen.gateway.selection_model import EVERY_METHOD, SelectionModel
from routegen.manifest import Manifest, read_manifest
from routegen.render import RenderRequest, render

Rule = tuple[str, str, str]
"""A method or `ANY`, a regular expression for the decoded path, and the app."""

UNDECIDED = "a path that the comparison leaves out"


def caddy_rules(text: str) -> Iterator[Rule]:
    for method, path, app in re.findall(r"^\t+`~\^(\S+) (/.*)\\z` `(\S+)`$", text, re.MULTILINE):
        yield ("ANY" if method == r"\S+" else method), path, app


def haproxy_rules(text: str) -> Iterator[Rule]:
    for line in re.findall(r"^ +use_backend .*$", text, re.MULTILINE):
        app, condition = re.fullmatch(r" +use_backend (\S+) if (.*)", line).groups()  # type: ignore[union-attr]
        method = re.search(r"\{ method (\S+) \}", condition)
        path = re.search(r"\{ var\(req\.path\) -m reg '\^(.*)\\z' \}", condition)
        assert path is not None, line
        yield (method[1] if method else "ANY"), path[1], app


def nginx_rules(text: str) -> Iterator[Rule]:
    """Its expressions are for encoded paths; for a path without a percent sign, their look-aheads hold always."""
    for method, path, app in re.findall(r'^ +"~\^(\S+) (/.*)\(\?:\\\?\|\\z\)" (\S+);$', text, re.MULTILINE):
        # A name of nginx's variables and upstreams has no hyphen; the manifests have no underscore.
        without_encoding = path.replace("(?:(?!%2[fF])[^/?])+", "[^/?]+").replace("%(?![0-9a-fA-F]{2})", "%")
        yield ("ANY" if method == r"\S+" else method), without_encoding, app.replace("_", "-")


READERS = {"caddy": caddy_rules, "haproxy": haproxy_rules, "nginx": nginx_rules}


def differences(manifest: Manifest, rules: list[Rule], target: str) -> list[tuple[str, str, str | None, str | None]]:
    """Return a method and a shortest path for each kind of paths that the rules send to another app."""
    automaton = PathAutomaton()
    apps = manifest.apps_by_route_key
    selection = SelectionModel((RouteKey.parse(key) for key in apps if key != "$default"), automaton)
    for position, (_, path, _) in enumerate(rules):
        automaton.add([Regex(path)], ("rule", position))
    if target == "nginx":
        automaton.add([Regex(".*[%?].*")], UNDECIDED)
        automaton.add([Regex(r".*[^\x00-\x7f].*")], UNDECIDED)  # its expressions match bytes
    found = []
    for kind, examples in automaton.walk().items():
        if UNDECIDED in kind.labels:
            continue
        matching = [rule for position, rule in enumerate(rules) if ("rule", position) in kind.labels]
        for method in EVERY_METHOD:
            key = selection.select(kind, method)
            expected = apps[str(key)] if key else manifest.default
            selected = next((app for name, _, app in matching if name in {"ANY", method}), manifest.default)
            if selected != expected:
                found.append((method, examples[0], expected, selected))
    return found


def random_manifests() -> ModuleType:
    spec = spec_from_file_location("differential_manifests", PROJECT / "tests" / "differential" / "manifests.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def manifests() -> list[Manifest]:
    chance = random.Random(18)
    make: Callable[[random.Random], Manifest] = random_manifests().random_manifest
    made = [make(chance) for _ in range(14)]
    with_newline = [manifest for manifest in made if any("%0A" in route.path for route in manifest.routes)]
    return [read_manifest(PROJECT / "generated" / "routes.json"), *(one for one in made if one not in with_newline)]


@pytest.mark.parametrize("target", READERS)
def test_the_rules_select_the_app_of_the_manifest_for_every_path(target: str, tmp_path: Path) -> None:
    compared = 0
    for manifest in manifests():
        rules = list(READERS[target](render(RenderRequest(target, manifest))))
        assert len(rules) == sum(len(route.route_keys) for route in manifest.routes)
        assert differences(manifest, rules, target) == []
        compared += len(rules)
    assert compared > 100


@pytest.mark.parametrize("target", READERS)
def test_a_wrong_rule_is_found(target: str) -> None:
    manifest = manifests()[3]
    rules = list(READERS[target](render(RenderRequest(target, manifest))))
    for position, (method, path, app) in enumerate(rules):
        if target == "nginx" and re.search(r"%3\[fF\]|\(\?:%25|\\x[89a-f]", path):
            continue  # the comparison leaves out these paths
        others = [*rules[:position], *rules[position + 1 :]]
        assert differences(manifest, others, target), (method, path)
        longer = [*rules[:position], (method, f"{path}/x", app), *rules[position + 1 :]]
        assert differences(manifest, longer, target), (method, path)
