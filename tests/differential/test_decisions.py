"""Random manifests and requests through real servers: the same app answers as the routing model says."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from differential.differences import DIFFERENCES, Difference, arriving, as_markdown, refusals
from differential.manifests import manifest
from differential.requests import Request, requests
from differential.servers import SERVERS, serving
from differential.upstream import token
from differential.wire import Answer, ask
from helpers.support import PROJECT
from render.manifests import COMMITTED, HOSTILE
from routegen.gateway import RouteKey, RouteTable
from routegen.manifest import Manifest
from routegen.render import TemplateGateway

PARTS = 4
MANIFESTS = 7
REQUESTS = 750
"""For each server 4 x 7 x 750 = 21,000 requests."""


class Model:
    """Who must get what."""

    def __init__(self, manifest: Manifest) -> None:
        self.apps = [app.name for app in TemplateGateway.from_manifest(manifest).apps]
        self.default = manifest.default
        self.owners = {text: route.app for route in manifest.routes for text in route.route_keys}
        self.table = RouteTable(map(RouteKey.parse, self.owners))

    def app(self, request: Request) -> str:
        key = self.table.select(request.method, request.asked)
        return self.owners[str(key)] if key else self.default

    def wrong(self, server: str, request: Request, answer: Answer) -> str | None:
        """What is wrong with an answer, if anything is."""
        got = f"{answer.status}, {answer.headers}"
        reasons = refusals(server, request)
        if "x-app" not in answer.headers:
            return None if answer.status in {one.refused for one in reasons} else f"no app: {got}"
        if must := [one.name for one in reasons if not one.sometimes]:
            return f"not refused for {must}: {got}"
        arrived = arriving(server, request)
        app = self.apps[int(answer.headers["x-app"])]
        if app != self.app(arrived):
            return f"{app} instead of {self.app(arrived)}"
        return None if answer.headers["x-target"].encode() == token(arrived.target) else f"arrived changed: {got}"


def compare(server: str, manifest: Manifest, asked: Sequence[Request], apps: list[str], folder: Path) -> Iterator[str]:
    """Everything that a server with a manifest's configuration does wrong."""
    model = Model(manifest)
    folder.mkdir()
    with serving(server, manifest, dict(zip(model.apps, apps, strict=False)), folder) as port:
        answers = ask(port, [request.head for request in asked])
    for request, answer in zip(asked, answers, strict=True):
        if said := model.wrong(server, request, answer):
            yield f"{request}: {said}"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("server", SERVERS)
def test_the_app_that_answers_is_the_model_s(
    server: str, part: int, seed: str, apps: list[str], tmp_path: Path, decided: Callable[[int, str], None]
) -> None:
    for number in range(MANIFESTS):
        one = random.Random(f"{seed} {part} {number}")
        routes = manifest(one)
        asked = requests(one, routes, REQUESTS)
        wrong = list(compare(server, routes, asked, apps, tmp_path / str(number)))
        assert wrong[:10] == [], [*Model(routes).owners]
        decided(REQUESTS, server)


@pytest.mark.parametrize("server", SERVERS)
def test_each_path_of_a_hostile_manifest_is_its_app_s(server: str, apps: list[str], tmp_path: Path) -> None:
    paths = [route.path.replace("{name}", "x").replace("{rest+}", "y/z") for route in HOSTILE.routes]
    asked = [Request("GET", path.encode()) for path in paths]
    assert {Model(HOSTILE).app(request) for request in asked} == {route.app for route in HOSTILE.routes}
    assert list(compare(server, HOSTILE, asked, apps, tmp_path / "hostile")) == []


@pytest.mark.parametrize("server", SERVERS)
def test_what_is_documented_happens(server: str, apps: list[str], tmp_path: Path) -> None:
    asked = [one.example for one in DIFFERENCES if server in one.servers]
    assert all(refusals(server, one) or arriving(server, one) != one for one in asked)
    assert list(compare(server, COMMITTED, asked, apps, tmp_path / "documented")) == []


@pytest.mark.parametrize("one", DIFFERENCES, ids=lambda one: f"{one.name}, {one.servers[0]}")
def test_a_difference_applies_to_its_example(one: Difference) -> None:
    assert one.applies(one.example)
    assert (one.refused is None) != (one.arrives is None)


def test_the_docs_have_the_differences() -> None:
    text = (PROJECT / "docs" / "differences.md").read_text()
    assert as_markdown() in text, f"put this into docs/differences.md:\n{as_markdown()}"
