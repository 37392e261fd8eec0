"""More routes than an HTTP API may have."""

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
SITE = """\
from flask import Flask

site = Flask("site", static_folder=None)
for rule in RULES:
    site.add_url_rule(rule, rule, lambda **_: "")
"""


@pytest.fixture
def large(project: Path) -> Path:
    (project / "server.py").write_text(LARGE)
    return project


def configure(project: Path, *rules: str) -> None:
    (project / "site.py").write_text(SITE.replace("RULES", repr(rules)))
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.routegen.apps.wiki]\napp = "site.py:site"\n')


def test_says_how_many_and_where(large: Path, routegen: Routegen) -> None:
    done = routegen("extract")
    assert (done.code, done.stdout) == (5, "")
    assert "323 routes, $default included; an HTTP API has at most 300." in done.error
    assert "Most lie below /api (mcp: 260), /api/v1 (mcp: 260), /wiki (mcp: 60)." in done.error
    assert "Configure the app behind $default" in done.error


def test_names_a_prefix_that_takes_nothing_from_the_other_app(large: Path, routegen: Routegen) -> None:
    configure(large, "/<path:page>", "/api/status", "/wiki/<name>")
    done = routegen("extract")
    assert done.error.endswith('own = "/api/v1" for mcp would make it 65, and takes no path that another app names')
    config = large / "pyproject.toml"
    config.write_text(config.read_text().replace('own = ["/mcp"]', 'own = ["/mcp", "/api/v1"]'))
    assert routegen("extract", "-o", "generated/routes.json").code == 0
    assert len(routegen("list").stdout.splitlines()) == 1 + 65
    assert routegen("prove").code == 0


def test_what_has_a_role_stays_below_an_owned_prefix(large: Path, routegen: Routegen) -> None:
    """The promise is exact: documents of OAuth below the prefix keep keys of their own."""
    documents = "*(Route(f'/.well-known/openid-configuration/{n}', answer) for n in range(300)),"
    (large / "server.py").write_text(LARGE.replace('    Route("/mcp", answer),', f"    {documents}"))
    configure(large, "/<path:page>")
    assert "No `own` prefix would bring them under it" in routegen("extract").error


def test_says_when_no_prefix_would_do(large: Path, routegen: Routegen) -> None:
    configure(large, "/api/v1/x", "/wiki/<name>")
    assert (
        "No `own` prefix would bring them under it without taking paths of another app's" in routegen("extract").error
    )
