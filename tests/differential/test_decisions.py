"""Random manifests and requests through real servers: each request reaches the app that the routing model selects."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from differential.differences import DIFFERENCES, ServerDifference, arriving_request, as_markdown, refusals
from differential.manifests import random_manifest
from differential.requests import RawRequest, random_requests
from differential.servers import SERVERS, run_server
from differential.upstream import encode_target
from differential.wire import RawResponse, send_requests
from helpers.support import PROJECT
from render.manifests import COMMITTED, HOSTILE
from routegen.gateway import RouteKey, RouteTable
from routegen.manifest import Manifest
from routegen.render import TemplateGateway

PARTS = 4
MANIFESTS = 7
REQUESTS = 750
"""For each server 4 x 7 x 750 = 21,000 requests."""


class RoutingModel:
    """The app that must get each request, or None if the server must answer as the gateway does."""

    def __init__(self, manifest: Manifest) -> None:
        self.apps = [app.name for app in TemplateGateway.from_manifest(manifest).apps]
        self.default = manifest.default
        self.apps_by_key = {text: route.app for route in manifest.routes for text in route.route_keys}
        self.table = RouteTable(map(RouteKey.parse, self.apps_by_key))

    def select_app(self, request: RawRequest) -> str | None:
        key = self.table.select(request.method, request.model_path)
        return self.apps_by_key[str(key)] if key else self.default

    def error_in(self, response: RawResponse, request: RawRequest, server: str) -> str | None:
        """Compare a response with the model and the documented differences, and return the error, if there is one."""
        actual = f"{response.status}, {response.headers}, {response.body!r}"
        reasons = refusals(server, request)
        if "x-app" not in response.headers:
            if self.select_app(arriving_request(server, request)) is None and is_gateway_404(response, request):
                return None
            return None if response.status in {reason.status for reason in reasons} else f"no app: {actual}"
        if names := [reason.name for reason in reasons if not reason.refuses_some]:
            return f"not refused for {names}: {actual}"
        arrived = arriving_request(server, request)
        app = self.apps[int(response.headers["x-app"])]
        if app != self.select_app(arrived):
            return f"{app} instead of {self.select_app(arrived)}"
        same_target = response.headers["x-target"].encode() == encode_target(arrived.target)
        return None if same_target else f"the target was changed: {actual}"


def is_gateway_404(response: RawResponse, request: RawRequest) -> bool:
    """Whether a response is that of API Gateway to a request that no route takes."""
    body = b"" if request.method == "HEAD" else b'{"message":"Not Found"}'
    return (response.status, response.headers.get("content-type"), response.body) == (404, "application/json", body)


def compare(
    server: str, manifest: Manifest, requests: Sequence[RawRequest], apps: list[str], folder: Path
) -> Iterator[str]:
    """Send requests through a server with the configuration for a manifest, and yield the errors."""
    model = RoutingModel(manifest)
    folder.mkdir()
    with run_server(server, manifest, dict(zip(model.apps, apps, strict=False)), folder) as port:
        responses = send_requests(port, [request.head for request in requests])
    for request, response in zip(requests, responses, strict=True):
        if error := model.error_in(response, request, server):
            yield f"{request}: {error}"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("server", SERVERS)
def test_each_request_reaches_the_app_that_the_model_selects(
    server: str, part: int, seed: str, apps: list[str], tmp_path: Path, count_decisions: Callable[[int, str], None]
) -> None:
    for number in range(MANIFESTS):
        generator = random.Random(f"{seed} {part} {number}")
        manifest = random_manifest(generator)
        if number % 3 == 2:
            manifest = manifest.model_copy(update={"default": None})
        requests = random_requests(generator, manifest, REQUESTS)
        errors = list(compare(server, manifest, requests, apps, tmp_path / str(number)))
        assert errors[:10] == [], [*RoutingModel(manifest).apps_by_key]
        count_decisions(REQUESTS, server)


@pytest.mark.parametrize("server", SERVERS)
def test_each_path_of_a_hostile_manifest_reaches_its_app(server: str, apps: list[str], tmp_path: Path) -> None:
    paths = [route.path.replace("{name}", "x").replace("{rest+}", "y/z") for route in HOSTILE.routes]
    requests = [RawRequest("GET", path.encode()) for path in paths]
    assert {RoutingModel(HOSTILE).select_app(request) for request in requests} == {
        route.app for route in HOSTILE.routes
    }
    assert list(compare(server, HOSTILE, requests, apps, tmp_path / "hostile")) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("server", SERVERS)
def test_without_a_default_app_other_paths_get_the_404_of_the_gateway(
    server: str, method: str, apps: list[str], tmp_path: Path
) -> None:
    manifest = COMMITTED.model_copy(update={"default": None})
    requests = [RawRequest(method, path) for path in (b"/mcp", b"/Home", b"/", b"/mcp/", b"/mcp/x", b"/Home?a=b")]
    model = RoutingModel(manifest)
    assert [model.select_app(request) for request in requests] == ["mcp", None, None, None, "mcp", None]
    assert list(compare(server, manifest, requests, apps, tmp_path / "without-default")) == []


@pytest.mark.parametrize("server", SERVERS)
def test_each_documented_difference_exists(server: str, apps: list[str], tmp_path: Path) -> None:
    examples = [difference.example for difference in DIFFERENCES if server in difference.servers]
    assert all(refusals(server, example) or arriving_request(server, example) != example for example in examples)
    assert list(compare(server, COMMITTED, examples, apps, tmp_path / "documented")) == []


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda item: f"{item.name}, {item.servers[0]}")
def test_a_difference_applies_to_its_example(difference: ServerDifference) -> None:
    assert difference.applies(difference.example)
    assert (difference.status is None) != (difference.arriving_target is None)


def test_the_page_lists_the_differences() -> None:
    text = (PROJECT / "docs" / "differences.md").read_text()
    assert as_markdown() in text, f"put this into docs/differences.md:\n{as_markdown()}"
