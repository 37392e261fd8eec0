"""`routegen prove` on apps that agree with their manifest, and on apps that do not."""

import json
from pathlib import Path

import pytest
from helpers.support import PROJECT, SMALL_APP, Routegen, Run


@pytest.fixture
def manifest(committed: Path) -> dict[str, list[dict[str, object]]]:
    document: dict[str, list[dict[str, object]]] = json.loads(committed.read_text())
    return document


def test_a_current_manifest_has_no_disagreement(committed: Path, routegen: Routegen) -> None:
    done = routegen("prove")
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("Apps\n  mcp  ")
    assert " compared for all methods (2 served paths)\n" in done.stdout
    assert " sent to the app, to confirm the comparison\n" in done.stdout
    assert "such as GET /items/x  excused: a route key cannot name exactly what the app serves\n" in done.stdout
    assert done.stdout.endswith("generated/routes.json: no disagreement for any method and path\n")


def test_a_missing_route_is_under_routed(
    committed: Path, routegen: Routegen, manifest: dict[str, list[dict[str, object]]]
) -> None:
    manifest["routes"] = [route for route in manifest["routes"] if route["path"] != "/items/{id}"]
    committed.write_text(json.dumps(manifest))
    done = routegen("prove", "--format", "json")
    assert done.code == 1
    report = json.loads(done.stdout)
    (app,) = report["apps"]
    requests = app["disagreements"]
    kinds = {(request["kind"], request["route_key"], request["goes_to"]) for request in requests}
    assert kinds == {("under-routed", None, "wiki")}
    assert {finding["rule"] for finding in report["findings"]} == {"RG300"}
    subjects = [f"{request['method']} {request['path']}" for request in requests]
    assert [finding["subject"] for finding in report["findings"]] == subjects
    assert subjects == ["GET /items/7"], "one request for each kind of disagreement, the shortest one"
    text = routegen("prove").stdout
    assert "error   RG300  GET /items/7\n" in text
    assert "GET /items/7 is served by mcp at /items/{id:int} (GET HEAD), and goes to wiki.\n" in text
    assert routegen("prove", "--ignore", "RG300").code == 0
    assert routegen("prove", "--fail-on", "never").code == 0


def test_a_route_that_is_too_wide_is_over_routed(
    committed: Path, routegen: Routegen, manifest: dict[str, list[dict[str, object]]]
) -> None:
    (route,) = [route for route in manifest["routes"] if route["path"] == "/items/{id}"]
    del route["widened"]
    committed.write_text(json.dumps(manifest))
    done = routegen("prove")
    assert done.code == 1
    assert "error   RG301  GET /items/x\n" in done.stdout
    assert "GET /items/x goes to mcp through ANY /items/{id}, and mcp serves nothing there.\n" in done.stdout


def test_no_endpoint_runs_and_no_lifespan_starts(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(
        "from pathlib import Path\n" + SMALL_APP.replace('return PlainTextResponse("yes")', "Path('touched').touch()")
    )
    done = routegen("prove", "server.py:app")
    assert done.code == 0, done.stderr
    assert not list(project.rglob("touched"))


def test_without_configuration_the_manifest_of_the_app_is_proven(project: Path, routegen: Routegen) -> None:
    (project / "pyproject.toml").unlink()
    assert routegen("prove", "server.py:app", "--name", "api").stdout.startswith("Apps\n  api  ")
    assert routegen("prove", "server.py:app", "--manifest", "missing.json").code == 4


def test_the_project_s_own_server(routegen: Routegen) -> None:
    done = routegen("prove", cwd=PROJECT)
    assert done.code == 0, done.stdout
    assert "no disagreement" in done.stdout


SLOW = """
import time

def slowly(app):
    async def middleware(scope, receive, send):
        time.sleep(0.05)
        await app(scope, receive, send)
    return middleware

app = slowly(app)
"""


def test_the_time_out_is_only_for_loading_the_app(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(SMALL_APP + SLOW)
    done = routegen("prove", "server.py:app", "--timeout", "2.5")
    assert done.code == 0, done.stderr
    requests = int(done.stdout.splitlines()[2].split()[0])
    assert requests * 0.05 > 2.5, "so that driving takes longer than the time-out"


def prove_source(tmp_path: Path, routegen: Routegen, source: str, *arguments: str) -> Run:
    (tmp_path / "server.py").write_text(source)
    return routegen("prove", "server.py:app", "--name", "mcp", "--default", "site", *arguments)


MIDDLEWARE = """
from fastmcp import FastMCP
from starlette.middleware import Middleware
from starlette.responses import JSONResponse

class Answers:
    def __init__(self, app, paths):
        self.app, self.paths = app, paths

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] in self.paths:
            await JSONResponse({}, self.paths[scope["path"]])(scope, receive, send)
        else:
            await self.app(scope, receive, send)

app = FastMCP("x").http_app(stateless_http=True, middleware=[Middleware(Answers, paths=PATHS)])
"""
METADATA = "/.well-known/oauth-protected-resource"


def test_a_root_document_that_middleware_answers_is_an_error_with_the_claim_as_remedy(
    tmp_path: Path, routegen: Routegen
) -> None:
    done = prove_source(tmp_path, routegen, MIDDLEWARE.replace("PATHS)", f"{{{METADATA!r}: 200}})"), "--format", "json")
    assert done.code == 1
    (finding,) = [one for one in json.loads(done.stdout)["findings"] if one["level"] == "error"]
    assert (finding["rule"], finding["subject"]) == ("RG303", f"GET {METADATA}")
    assert "answers GET /.well-known/oauth-protected-resource with 200" in finding["message"]
    assert finding["fix"] == f'Write routes = ["{METADATA}"] in [tool.routegen.apps.mcp].'


PAGE = """
from fastapi import FastAPI
from fastmcp import FastMCP
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

class PageFor404:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_page(message):
            if message["type"] == "http.response.start" and message["status"] == 404:
                message = {**message, "status": 200}
            await send(message)
        await self.app(scope, receive, send_page)

class Metadata:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        is_document = scope["path"].startswith("/.well-known/oauth-protected-resource")
        await (JSONResponse({}) if is_document else self.app)(scope, receive, send)

def make(*middleware):
    return FastMCP("x").http_app(stateless_http=True, middleware=[Middleware(each) for each in middleware])
"""
MOUNTED = """
mcp = make()
mcp.add_exception_handler(404, lambda request, error: HTMLResponse("?"))
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
app.mount("/", mcp)
"""
RESERVED = [
    *(f"/.well-known/{name}/mcp" for name in ("oauth-authorization-server", "oauth-protected-resource",
                                              "openid-configuration")),
    *(f"/mcp/.well-known/{name}" for name in ("oauth-authorization-server", "oauth-protected-resource",
                                              "openid-configuration")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("app = make()\napp.add_exception_handler(404, lambda request, error: HTMLResponse('?'))", 200),
        ("app = make()\napp.add_exception_handler(404, lambda request, error: RedirectResponse('/home'))", 307),
        ("app = make(PageFor404)", 200),
        (MOUNTED, 200),
    ],
    ids=["page", "redirect", "middleware", "mounted"],
)  # fmt: skip
def test_a_page_in_the_place_of_a_404_is_an_error_with_the_documents(
    tmp_path: Path, routegen: Routegen, source: str, status: int
) -> None:
    done = prove_source(tmp_path, routegen, PAGE + source, "--format", "json")
    assert done.code == 1
    (finding,) = json.loads(done.stdout)["findings"]
    paths = ", ".join(f"GET {path} ({status})" for path in RESERVED)
    assert (finding["rule"], finding["subject"]) == ("RG306", "mcp")
    assert finding["message"] == f"mcp answers paths that it does not serve with a page: {paths}."
    assert finding["fix"].startswith("Let its handler for unknown paths answer with status 404")


def test_a_document_of_middleware_beside_a_404_is_no_page(tmp_path: Path, routegen: Routegen) -> None:
    done = prove_source(tmp_path, routegen, f"{PAGE}app = make(Metadata)", "--format", "json")
    rules = {finding["rule"] for finding in json.loads(done.stdout)["findings"]}
    assert rules == {"RG303", "RG304"}, "the root document goes to the default app"


def test_a_page_with_status_404_is_no_finding(tmp_path: Path, routegen: Routegen) -> None:
    page = "app = make()\napp.add_exception_handler(404, lambda request, error: HTMLResponse('?', 404))"
    done = prove_source(tmp_path, routegen, PAGE + page, "--format", "json")
    assert (done.code, json.loads(done.stdout)["findings"]) == (0, [])


def test_other_paths_that_middleware_answers_are_listed_with_their_status(tmp_path: Path, routegen: Routegen) -> None:
    done = prove_source(tmp_path, routegen, MIDDLEWARE.replace("PATHS)", "{'/authorize': 401, '/token': 200})"))
    assert done.code == 0, done.stdout
    assert "note    RG304  mcp\n" in done.stdout
    assert "Middleware answers paths that no route serves: /authorize (401), /token (200).\n" in done.stdout


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("async def app(scope, receive, send): raise KeyError('scope')", "raises an error on every request"),
        (
            "class App:\n    def __call__(self, environ, start): raise OSError('x')\napp = App()",
            "raises an error on every",
        ),
    ],
)
def test_an_app_that_raises_on_every_request_is_no_application(
    tmp_path: Path, routegen: Routegen, source: str, expected: str
) -> None:
    done = prove_source(tmp_path, routegen, source, "--own", "/mcp", "--unsupported", "warn")
    assert (done.code, done.stdout) == (3, "")
    assert expected in done.error


def test_nothing_is_proven_if_no_request_reaches_a_route(tmp_path: Path, routegen: Routegen) -> None:
    source = "from starlette.applications import Starlette\napp = Starlette()"
    done = prove_source(tmp_path, routegen, source, "--own", "/mcp")
    assert done.code == 1
    assert "error   RG305  mcp\n" in done.stdout


def test_an_endpoint_behind_a_redirect_is_an_error_with_the_policy_to_warn(tmp_path: Path, routegen: Routegen) -> None:
    source = """
from fastapi import FastAPI
from fastmcp import FastMCP
inner = FastMCP("x").http_app(path="/", stateless_http=True)
app = FastAPI(lifespan=inner.lifespan, openapi_url=None)
app.mount("/mcp", inner)
"""
    done = prove_source(tmp_path, routegen, source, "--own", "/mcp", "--unsupported", "warn")
    assert done.code == 1
    assert "error   RG300  POST /mcp/\n" in done.stdout


def test_a_reserved_path_is_the_third_kind_of_agreement(tmp_path: Path, routegen: Routegen) -> None:
    source = "from fastmcp import FastMCP\napp = FastMCP('x').http_app(stateless_http=True)\n"
    assert prove_source(tmp_path, routegen, source).code == 0
    assert routegen("extract", "server.py:app", "--name", "mcp", "--default", "site", "-o", "routes.json").code == 0
    serving = (
        "from starlette.responses import PlainTextResponse\nfrom starlette.routing import Route\n"
        f"app.router.routes.append(Route('{METADATA}/mcp', lambda request: PlainTextResponse('x')))\n"
    )
    done = prove_source(tmp_path, routegen, source + serving, "--manifest", "routes.json")
    assert done.code == 1
    assert f"error   RG302  GET {METADATA}/mcp\n" in done.stdout


def test_a_flask_app_is_proven_with_its_own_rules(tmp_path: Path, routegen: Routegen) -> None:
    source = "from flask import Flask\napp = Flask('x', static_folder=None)\napp.add_url_rule('/a/<int:n>', 'a', str)\n"
    done = prove_source(tmp_path, routegen, source)
    assert done.code == 0, done.stdout + done.stderr
    assert "note    RG307  mcp\n" in done.stdout
    assert "because below /, werkzeug merges repeated slashes.\n" in done.stdout
    assert "no disagreement" not in done.stdout, "werkzeug's part is only sampled"
