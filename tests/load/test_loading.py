"""Loading an app in its own process: ways to name it, what it may do, and how its errors are told apart."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.project import run_in
from helpers.support import SMALL_APP, Routegen
from routegen.config import AppConfig, Config
from routegen.errors import LoadError
from routegen.load import start_app_process

LOUD = """\
import ctypes, os, subprocess, sys
print("from python")
os.write(1, b"from the descriptor\\n")
libc = ctypes.CDLL(None)
libc.puts(b"from C")
libc.fflush(None)
libc.puts(b"from C, unflushed")
subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
os.system("echo from a shell")
"""


def routes(text: str) -> dict[str, dict[str, object]]:
    return {route["path"]: route for route in json.loads(text)["routes"]}


@pytest.mark.parametrize(
    "app",
    ["server.py:app", "server.py", "server:app", "server.py:make", "server.py:make()", "server.py:space.app"],
)
def test_each_way_to_name_an_app(project: Path, app: str) -> None:
    (project / "server.py").write_text(SMALL_APP + "def make():\n    return app\nclass space:\n    app = app\n")
    done = run_in(project, "extract", app, "--name", "api", "--default", "site")
    assert done.code == 0, done.stderr
    written = json.loads(done.stdout)
    assert written["default"] == "site"
    assert {route["app"] for route in written["routes"]} == {"api"}


def test_a_module_of_a_package_can_import_its_siblings(tmp_path: Path, routegen: Routegen) -> None:
    package = tmp_path / "pack" / "inner"
    package.mkdir(parents=True)
    for directory in (package.parent, package):
        (directory / "__init__.py").touch()
    (package / "names.py").write_text("PATH = '/from-a-sibling'\n")
    (package / "server.py").write_text(
        "from .names import PATH\n" + SMALL_APP + "app.router.routes.append(Route(PATH, answer))\n"
    )
    assert "/from-a-sibling" in routes(routegen("extract", "pack/inner/server.py:app").stdout)


@pytest.mark.parametrize(
    ("name", "source"), [("click", "import click.core"), ("secrets", "from secrets import token_hex")]
)
def test_a_file_that_hides_an_installed_module_is_named(
    tmp_path: Path, routegen: Routegen, name: str, source: str
) -> None:
    (tmp_path / "server.py").write_text(source)
    (tmp_path / f"{name}.py").touch()
    error = routegen("extract", "server.py:app", "--name", "mcp", "--default", "site").error
    assert error.endswith(f"{name}.py has the name of the installed module {name} and hides it; rename {name}.py")


def test_a_file_named_like_a_module_of_the_standard_library_is_imported(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "queue.py").write_text(SMALL_APP)
    assert "/mcp" in routes(routegen("extract", "queue.py:app").stdout)


def test_output_of_the_app_never_reaches_stdout(project: Path, routegen: Routegen) -> None:
    quiet = routegen("extract").stdout
    (project / "server.py").write_text(LOUD + SMALL_APP + "print('and at the end')\n")
    done = routegen("extract")
    assert done.code == 0, done.stderr
    assert done.stdout == quiet
    for source in ("python", "the descriptor", "C", "a child", "a shell"):
        assert f"from {source}" in done.stderr


def test_an_app_can_fork_and_leave_threads_behind(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(
        "import os, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "if os.fork() == 0:\n    time.sleep(600)\n" + SMALL_APP
    )
    assert routegen("extract").code == 0


def test_the_result_does_not_depend_on_the_caller(
    project: Path, routegen: Routegen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (project / "server.py").write_text(
        "import os, locale, time\n"
        + SMALL_APP
        + "word = os.environ.get('SECRET_PATH', 'none') + time.strftime('%Z') + os.environ.get('LC_ALL', 'C')\n"
        + "app.router.routes += [Route('/' + word, answer) for word in {word, 'b', 'c', 'd', 'e', 'f'}]\n"
    )
    first = routegen("extract")
    assert first.code == 0, first.stderr
    subfolder = project / "generated"
    hostile = {"SECRET_PATH": "leaked", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
    second = routegen("extract", cwd=subfolder, env=hostile)
    assert second.stdout == first.stdout
    assert "leaked" not in first.stdout


def test_the_app_sees_the_configured_environment(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(
        "import os\n" + SMALL_APP + "app.router.routes.append(Route(os.environ['PREFIX'] + '/x', answer))\n"
    )
    with (project / "pyproject.toml").open("a") as file:
        file.write('env = { PREFIX = "/configured" }\n')
    assert "/configured/x" in routes(routegen("extract", env={"PREFIX": "/callers"}).stdout)


def test_an_edit_that_bytecode_would_miss_is_seen(project: Path, routegen: Routegen) -> None:
    """Same size, same second: Python would take the old bytecode for current."""
    (project / "sibling.py").write_text("PATH = '/abc'\n")
    (project / "server.py").write_text(
        "from sibling import PATH\n" + SMALL_APP + "app.router.routes.append(Route(PATH, answer))\n"
    )
    command = [sys.executable, "-c", "import server"]
    subprocess.run(command, cwd=project, check=True)
    for file, old, new in (("sibling.py", "/abc", "/acb"), ("server.py", "/mcp", "/mpc")):
        source = project / file
        times = source.stat()
        source.write_text(source.read_text().replace(old, new))
        os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert {"/acb", "/mpc"} <= routes(routegen("extract").stdout).keys()


@pytest.mark.parametrize("name", ["UnknownKindError", "UnknownRouteKindError", "AppReferenceError"])
def test_an_app_s_own_error_with_the_name_of_one_of_routegen_s_is_a_failed_import(project: Path, name: str) -> None:
    (project / "server.py").write_text(f"class {name}(Exception):\n    pass\n\nraise {name}('of the app')\n")
    done = run_in(project, "extract")
    assert (done.code, done.stdout) == (3, "")
    assert f"server.py, line 4: {name}: of the app" in done.error


@pytest.mark.usefixtures("forked_apps")
@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("from mangum import Mangum\nfrom server import app\nhandler = Mangum(app)", ""),
        ("from mangum import Mangum\nfrom server import other\nhandler = Mangum(other)", "serves another app"),
        ("raise RuntimeError('only on Lambda')", ""),
    ],
    ids=["the app", "another app", "a module that cannot be imported"],
)
def test_a_handler_in_another_module_is_compared_with_the_app(tmp_path: Path, source: str, problem: str) -> None:
    routes = "Starlette(routes=[Route('/{}', print)])"
    (tmp_path / "server.py").write_text(
        "from starlette.applications import Starlette\nfrom starlette.routing import Route\n"
        f"app = {routes.format('mcp')}\nother = {routes.format('other')}\n"
    )
    (tmp_path / "lambda_handler.py").write_text(source)
    config = AppConfig(name="mcp", target="server.py:app", handler="lambda_handler.handler", path=".", root=tmp_path)
    process = start_app_process(config, Config(default=None, manifest=tmp_path / "routes.json", apps=(config,)))
    if problem:
        with pytest.raises(LoadError, match=problem):
            process.wait_for_routes()
    else:
        assert [served.path for served in process.wait_for_routes().paths] == ["/mcp"]
