"""Applications from PyPI: their manifests send them exactly the requests that they serve.

Each application is installed in its own environment, and routegen runs there from its source.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
import routegen

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


@dataclass(frozen=True)
class RealApp:
    """An application, and how to install it.

    Attributes:
        requirements: pinned.
        module: the source that creates `app`, as a person who deploys the application would write it.
        own: the prefixes that it owns.
    """

    requirements: tuple[str, ...]
    module: str
    own: tuple[str, ...] = ()


# The comment above each application names the difficulty that it adds.
MLFLOW = RealApp(
    # A Flask application mounted in a FastAPI one: its rules are routes of the app, too.
    ("mlflow==3.17.2", "fastapi==0.165.0", "starlette==1.10.0"),
    "from mlflow.server.fastapi_app import app",
)

APPS = {
    # A hundred routes, a catch-all after them, and a log-in that answers before any.
    "marimo": RealApp(
        ("marimo==0.25.2", "starlette==1.10.0"),
        """\
        from marimo._server.main import create_starlette_app
        app = create_starlette_app(base_url="")
        """,
    ),
    # Paths from factories of routers, some with a final slash and some without.
    "titiler": RealApp(
        ("titiler.application==2.4.0", "fastapi==0.165.0", "starlette==1.10.0"),
        "from titiler.application.main import app",
    ),
    # A subclass of FastAPI, with its own middleware for slashes.
    "gradio": RealApp(
        ("gradio==6.31.0", "fastapi==0.165.0", "starlette==1.10.0"),
        """\
        import gradio
        with gradio.Blocks() as page:
            gradio.Textbox()
        app = gradio.routes.App.create_app(page)
        """,
    ),
    # An app mounted in an app, where nearly every path has a final slash: `own` covers them.
    "prefect": RealApp(
        ("prefect==3.8.8", "fastapi==0.150.0", "starlette==1.10.0"),
        """\
        from prefect.server.api.server import create_app
        app = create_app(ephemeral=True)
        """,
        own=("/api",),
    ),
    # An older FastAPI and Starlette, and files mounted at the root, which hide later routes.
    "argilla": RealApp(
        ("argilla-server==2.8.0", "fastapi==0.115.14", "starlette==0.46.2"),
        "from argilla_server._app import app",
    ),
    # Middleware that answers every request until the app has started.
    "zenml": RealApp(
        ("zenml[server]==0.98.0", "fastapi==0.138.2", "starlette==1.10.0"),
        "from zenml.zen_server.zen_server_api import app",
    ),
    # The mounted app's middleware answers 403 for every path below /admin.
    "starlette-admin": RealApp(
        ("starlette-admin==1.0.3", "sqlalchemy==2.1.9", "greenlet==3.5.6", "starlette==1.10.0"),
        """\
        from sqlalchemy import create_engine
        from starlette.applications import Starlette
        from starlette_admin.contrib.sqla import Admin
        engine = create_engine("sqlite://")
        app = Starlette()
        for name in ("a", "b", "c"):
            Admin(engine, base_url=f"/admin/{name}", route_name=name, secret_key="only-for-its-routes").mount_to(app)
        """,
    ),
}


@dataclass(frozen=True)
class Environment:
    """The environment in which an application is installed and routegen runs."""

    python: Path
    directory: Path

    def routegen(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # The routegen under test is not installed, so that it does not bring its own requirements.
        source = Path(routegen.__file__).parent.parent
        return subprocess.run(
            [self.python, "-m", "routegen", *arguments],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(source), "HOME": str(self.directory)},
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )


def installed(app: RealApp, directory: Path) -> Environment:
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, directory / "venv"], check=True)
    python = directory / "venv" / "bin" / "python"
    needs = [*app.requirements, "click", "pydantic"]
    subprocess.run([*uv, "pip", "install", "--python", python, *needs], check=True)
    (directory / "server.py").write_text(dedent(app.module))
    return Environment(python, directory)


def count_routes(environment: Environment, own: tuple[str, ...]) -> int:
    """Extract and prove the application, and return the number of routes of its manifest."""
    options = ["server.py:app", "--unsupported", "warn", "--timeout", "600"]
    options += [option for prefix in own for option in ("--own", prefix)]
    extracted = environment.routegen("extract", *options)
    assert extracted.returncode == 0, extracted.stderr
    proven = environment.routegen("prove", *options, "--format", "json")
    assert proven.returncode in {0, 1}, proven.stderr
    [proof] = json.loads(proven.stdout)["apps"]
    without_middleware = proof["answered_by_middleware"]
    print(f"{proof['routes']} paths, {proof['requests']} requests, {without_middleware} without middleware")
    assert [request["text"] for request in proof["disagreements"]] == []
    assert proven.returncode == 0
    assert proof["routes"] > 30
    assert proof["requests"] > 2 * proof["routes"]
    assert proof["kinds_of_paths"] > proof["routes"] / 2
    print("not proven:", proof["not_proven"])
    return len(json.loads(extracted.stdout)["routes"])


@pytest.mark.parametrize("release", ["0.115.14", "0.136.3", "0.137.1", "0.138.2", "0.139.0", "0.150.0", "0.165.0"])
def test_no_endpoint_runs_with_any_release_of_fastapi(release: str, tmp_path: Path) -> None:
    # Some releases create the app of an included route again for each request.
    module = """\
        from pathlib import Path
        from fastapi import APIRouter, FastAPI

        inner, outer, app = APIRouter(prefix="/items"), APIRouter(), FastAPI()

        @inner.delete("/{item}")
        @inner.get("")
        @outer.get("/b")
        @app.get("/c")
        def answer(item: str = ""):
            (Path(__file__).parent / "ran").touch()

        outer.include_router(inner, prefix="/v1")
        outer.include_router(inner, prefix="/v2")
        app.include_router(outer, prefix="/api")
        """
    environment = installed(RealApp((f"fastapi=={release}",), module), tmp_path)
    proven = environment.routegen("prove", "server.py:app", "--format", "json")
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert json.loads(proven.stdout)["apps"][0]["answered_by_middleware"] == 0
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", APPS)
def test_the_gateway_sends_the_app_what_it_serves(name: str, tmp_path: Path) -> None:
    assert count_routes(installed(APPS[name], tmp_path), APPS[name].own) > 1


def test_the_largest_subtree_that_the_error_names_brings_the_routes_under_the_quota(tmp_path: Path) -> None:
    environment = installed(MLFLOW, tmp_path)
    extracted = environment.routegen("extract", "server.py:app", "--unsupported", "warn", "--timeout", "600")
    error = extracted.stderr.rstrip().rpartition("\n")[2]
    assert extracted.returncode == 5, extracted.stderr
    assert not extracted.stdout
    match = re.fullmatch(
        r"routegen: error: 389 routes, \$default included; an HTTP API has at most 300\. "
        r"Add a large subtree to `own` of its app, so that it needs two routes: "
        r"(/ajax-api) \(app: \d+\), /api \(app: \d+\), /ajax-api/3\.0 \(app: \d+\)",
        error,
    )
    assert match, error
    assert count_routes(environment, (match[1],)) == 189


def test_an_app_that_adds_routes_while_it_answers_is_refused(tmp_path: Path) -> None:
    # litellm imports the router of a feature when the feature is first requested.
    litellm = RealApp(
        ("litellm[proxy]==1.106.2", "fastapi==0.165.0", "starlette==1.10.0"),
        """\
        import os
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        from litellm.proxy.proxy_server import app
        """,
    )
    environment = installed(litellm, tmp_path)
    # Its own manifest would have more routes than an HTTP API can have.
    (tmp_path / "small.json").write_text('{"version": 1, "default": "site", "routes": []}')
    options = ["--name", "app", "--default", "site", "--manifest", "small.json", "--timeout", "600"]
    done = environment.routegen("prove", "server.py:app", *options, "--unsupported", "warn")
    assert done.returncode == 5, done.stderr
    assert re.search(r"error: app: GET /\S+ makes the app add routes to its table, and no manifest can", done.stderr)
