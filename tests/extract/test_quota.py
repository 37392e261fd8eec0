"""More routes than an HTTP API can have."""

from pathlib import Path

import pytest
from helpers.support import Routegen

LARGE = """\
from starlette.applications import Starlette
from starlette.routing import Mount, Route

def answer(request):
    raise NotImplementedError

app = Starlette(routes=[
    *(Route(f"/api/v1/r{n}", answer) for n in range(260)),
    *(Route(f"/wiki/r{n}", answer) for n in range(60)),
    Route("/mcp", answer),
])
"""


@pytest.fixture
def large(project: Path) -> Path:
    (project / "server.py").write_text(LARGE)
    return project


def test_the_error_names_the_number_of_routes_and_the_largest_subtrees(large: Path, routegen: Routegen) -> None:
    done = routegen("extract")
    assert (done.code, done.stdout) == (5, "")
    assert done.error == (
        "routegen: error: 323 routes, $default included; an HTTP API has at most 300. "
        "Add a large subtree to `own` of its app, so that it needs two routes: "
        "/api (mcp: 260), /api/v1 (mcp: 260), /wiki (mcp: 60)"
    )


def test_an_owned_subtree_brings_the_routes_under_the_quota(large: Path, routegen: Routegen) -> None:
    config = large / "pyproject.toml"
    config.write_text(config.read_text().replace('own = ["/mcp"]', 'own = ["/mcp", "/api/v1"]'))
    assert routegen("extract", "-o", "generated/routes.json").code == 0
    assert len(routegen("list").stdout.splitlines()) == 1 + 65
    assert routegen("prove").code == 0


def test_the_error_names_no_subtree_whose_paths_keep_their_own_keys(large: Path, routegen: Routegen) -> None:
    documents = "*(Route(f'/.well-known/openid-configuration/{n}', answer) for n in range(300)),"
    (large / "server.py").write_text(LARGE.replace('    Route("/mcp", answer),', f"    {documents}"))
    done = routegen("extract")
    assert done.code == 5
    assert done.error.endswith("/api (mcp: 260), /api/v1 (mcp: 260), /wiki (mcp: 60)")


def test_reserved_paths_count_too(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(
        "from fastmcp import FastMCP\nfrom starlette.routing import Route\n"
        "app = FastMCP('x').http_app(stateless_http=True)\n"
        "app.router.routes += [Route(f'/r{n}', print) for n in range(297)]\n"
    )
    done = routegen("extract")
    assert done.code == 5
    assert "routes, $default included; an HTTP API has at most 300." in done.error
