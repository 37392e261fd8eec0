"""A project with several apps and no default app, through every command that needs no server."""

import json
from pathlib import Path

import pytest
from helpers.support import Routegen
from routegen.render import target_names

SERVER = """\
from fastmcp import FastMCP

app = FastMCP("tools").http_app(path="/NAME/mcp", stateless_http=True)
"""

API = """\
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def answer(request):
    return PlainTextResponse("yes")

app = Starlette(routes=[Route("/items/{id}", answer)])
"""

CATCH_ALL = 'Route("/{page:path}", answer)'

PYPROJECT = """\
[tool.routegen]

[tool.routegen.apps.api]
app = "api.py:app"

[tool.routegen.apps.mail]
app = "mail.py:app"

[tool.routegen.apps.files]
app = "files.py:app"
"""


@pytest.fixture
def apps(tmp_path: Path, routegen: Routegen) -> Path:
    """A project with three apps, and its manifest."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "api.py").write_text(API)
    for name in ("mail", "files"):
        (tmp_path / f"{name}.py").write_text(SERVER.replace("NAME", name))
    (tmp_path / "generated").mkdir()
    done = routegen("extract", "-o", "generated/routes.json")
    assert done.code == 0, done.stderr
    return tmp_path


def predictions(routegen: Routegen) -> list[tuple[str, int, str]]:
    """Each endpoint, each status of other paths, and each outcome of a client, as `verify` predicts them."""
    scenarios = json.loads(routegen("verify", "--format", "json").stdout)["scenarios"]
    return sorted({
        (scenario["endpoint"], scenario["catch_all"], client["outcome"])
        for scenario in scenarios
        for client in scenario["clients"]
    })  # fmt: skip


def test_nothing_is_reserved_because_the_gateway_answers_404_itself(apps: Path, routegen: Routegen) -> None:
    document = json.loads((apps / "generated" / "routes.json").read_text())
    assert list(document) == ["version", "routes"]
    assert {route["path"]: route["app"] for route in document["routes"]} == {
        "/files/mcp": "files",
        "/items/{id}": "api",
        "/mail/mcp": "mail",
    }
    checked = routegen("check", "--format", "json")
    assert (checked.code, json.loads(checked.stdout)["findings"]) == (0, [])
    proof = routegen("prove", "--format", "json")
    assert proof.code == 0, proof.stdout
    assert [app["app"] for app in json.loads(proof.stdout)["apps"]] == ["api", "mail", "files"]


def test_each_command_says_that_the_gateway_answers_other_paths_with_404(apps: Path, routegen: Routegen) -> None:
    listing = routegen("list").stdout.splitlines()
    assert listing[-1].endswith("  everything else: the gateway answers 404")
    explanation = routegen("explain", "GET", "/Home").stdout
    assert explanation == (
        "GET /Home goes to no app: the gateway answers 404\n"
        "  route key  none\n"
        "  reason     no route key takes it; there is no default app\n"
    )
    explained = json.loads(routegen("explain", "GET", "/Home", "--format", "json").stdout)
    assert (explained["app"], explained["route_key"]) == (None, None)
    assert predictions(routegen) == [("/files/mcp", 404, "connects"), ("/mail/mcp", 404, "connects")]
    for target in target_names():
        done = routegen("render", target)
        assert done.code == 0, done.stderr
        assert target == "html" or "$default" not in done.stdout, target


def test_a_default_app_in_the_configuration_is_a_difference(apps: Path, routegen: Routegen) -> None:
    config = apps / "pyproject.toml"
    config.write_text(config.read_text().replace("[tool.routegen]\n", '[tool.routegen]\ndefault = "api"\n'))
    done = routegen("check")
    assert done.code == 1
    assert (
        "$default\n        Changed: requests that no route takes go to api; before, they went to no app: "
        in done.stdout
    )
    removed = "Without the route, its requests go to api. Each of its requests goes to the same app as before.\n"
    assert f"/items/{{id}}\n        Removed: api no longer serves this path (other). {removed}" in done.stdout


def test_an_app_with_a_route_for_every_path_leaves_the_documents_to_the_servers(apps: Path, routegen: Routegen) -> None:
    (apps / "api.py").write_text(API.replace("])\n", f", {CATCH_ALL}])\n"))
    assert routegen("extract", "-o", "generated/routes.json").code == 0
    document = json.loads((apps / "generated" / "routes.json").read_text())
    keys = {key: route["app"] for route in document["routes"] for key in route["route_keys"]}
    assert keys["ANY /{page+}"] == keys["ANY /"] == "api"
    for name in ("mail", "files"):
        assert keys[f"ANY /.well-known/oauth-protected-resource/{name}/mcp"] == name
        assert keys[f"ANY /{name}/mcp/.well-known/openid-configuration"] == name
    assert keys["ANY /.well-known/oauth-authorization-server"] == "mail"
    checked = routegen("check")
    assert checked.code == 0
    assert "note    RG212  /.well-known/oauth-authorization-server\n" in checked.stdout
    assert "are not reachable (/{page+} would answer them)." in checked.stdout
    proof = routegen("prove")
    assert proof.code == 0, proof.stdout
    assert "excused: a rule of the app takes every path, and another app has a route for the request" in proof.stdout
    assert routegen("explain", "GET", "/").stdout.startswith("GET / goes to api (other)\n")
    assert predictions(routegen) == [
        (f"/{name}/mcp", catch_all, "connects") for name in ("files", "mail") for catch_all in (200, 404)
    ]


def test_a_configuration_without_apps_is_an_error(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.routegen]\napps = {}\n")
    done = routegen("extract")
    assert (done.code, done.stdout) == (2, "")
    assert done.error.endswith("[tool.routegen]: apps names no app, so there is no route")


def test_an_app_that_serves_nothing_is_refused(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.routegen]\n\n[tool.routegen.apps.api]\napp = "api.py:app"\n')
    (tmp_path / "api.py").write_text(API.replace('Route("/items/{id}", answer)', ""))
    done = routegen("extract")
    assert done.code == 5
    assert "the apps' routes: routes: there is neither a route nor a default app" in done.error


def test_the_command_line_still_has_a_default_app(apps: Path, routegen: Routegen) -> None:
    assert json.loads(routegen("extract", "api.py:app").stdout)["default"] == "default"
