"""Every failure through the real command: its exit code, its one line on stderr, and a manifest that is unchanged."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.support import PYPROJECT, SMALL_APP, Routegen
from routegen import errors


@pytest.fixture
def unchanged(committed: Path) -> Iterator[Path]:
    """The committed manifest; after the test it must have the same bytes, and no file may be left beside it."""
    data = committed.read_bytes()
    yield committed
    assert committed.read_bytes() == data
    assert [file.name for file in committed.parent.iterdir()] == [committed.name]


def test_every_error_has_an_exit_code_of_the_contract() -> None:
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.RoutegenError)
    ]
    assert errors.RoutegenError in classes
    assert {cls.__name__: cls.exit_code for cls in classes} == {
        "RoutegenError": 2, "ConfigError": 2, "NoProjectError": 2, "OutputError": 2, "LoadError": 3,
        "ManifestError": 4, "UnsupportedRouteError": 5,
    }  # fmt: skip


def test_an_error_class_that_nobody_lists_ends_with_its_own_exit_code() -> None:
    code = (
        "import routegen.cli.options as o\n"
        "from routegen.errors import RoutegenError\n"
        "class NewError(RoutegenError): exit_code = 4\n"
        "def read_config(file): raise NewError('new')\n"
        "o.read_config = read_config\n"
        "from routegen.cli import main; main(['list'])\n"
    )
    directory = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=directory, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (4, b"routegen: error: new\n")


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ('[tool.routegen]\nmanifset = "x"\ndefault = "wiki"\n', "key 'manifset'; the nearest known key is 'manifest'"),
        (PYPROJECT + 'hander = "x.y"\n', "apps.mcp]: unknown key 'hander'; the nearest known key is 'handler'"),
        (PYPROJECT + 'uncarried = "x"\n', "apps.mcp]: uncarried: must be 'refuse' or 'warn', is 'x'"),
        (PYPROJECT + 'unsupported = "warn"\nuncarried = "warn"\n', "apps.mcp]: unknown key 'uncarried'; the nearest"),
        (PYPROJECT + 'own = "/mcp"\n', "not TOML"),
        (PYPROJECT.replace('["/mcp"]', '"/mcp"'), "own: must be a list of paths"),
        (PYPROJECT.replace('["/mcp"]', '["/"]'), "own[0]: '/' is not a literal path"),
        (PYPROJECT.replace('app = "server.py:app"', ""), "app is missing"),
        (PYPROJECT.replace("apps.mcp", "apps.wiki"), "apps names no app beside the default 'wiki'"),
        (PYPROJECT + "env = { A = 1 }\n", "env: A: must be a text"),
        (PYPROJECT + 'methods = "some"\n', "methods: must be 'any' or 'exact'"),
        *((PYPROJECT.replace("[tool.routegen]\n", f"[tool.routegen]\ntimeout = {timeout}\n"),
           "timeout: must be a number of seconds above 0 and up to 86,400, is ")
          for timeout in ("0", "nan", "inf", "1e9")),
        ("[tool.other]\n", " or above it has a [tool.routegen]"),
    ],
)  # fmt: skip
def test_configuration(project: Path, unchanged: Path, routegen: Routegen, broken: str, says: str) -> None:
    (project / "pyproject.toml").write_text(broken)
    done = routegen("extract", "-o", unchanged)
    assert (done.code, done.stdout) == (2, "")
    assert says in done.error
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("server", "app", "says"),
    [
        (None, "server.py:app", "server.py: there is no such file"),
        (SMALL_APP, "server.py:nope", "no attribute 'nope'; its apps are app"),
        (SMALL_APP + "other = app\n", "server.py", "several apps; name one: :app or :other"),
        ("x = 1\n", "server.py", "holds no object that is an ASGI application"),
        ("import no_such_module\n", "server.py:app", "server.py, line 1: ModuleNotFoundError: No module"),
        ("x = (\n", "server.py:app", "server.py, line 1: SyntaxError: '(' was never closed"),
        ("import sys\nsys.exit(7)\n", "server.py:app", "exited while it was imported: status 7"),
        ("import sys\nsys.exit('PORT is missing')\n", "server.py:app", "PORT is missing"),
        ("import os\nos._exit(0)\n", "server.py:app", "exited with status 0 while it was imported"),
        ("import os\nos.abort()\n", "server.py:app", "crashed with SIGABRT"),
        ("raise KeyboardInterrupt\n", "server.py:app", "KeyboardInterrupt"),
        ("raise ValueError('one\\ntwo')\n", "server.py:app", "server.py, line 1: ValueError: one two"),
        ("import socket\nsocket.create_connection(('198.51.100.7', 80))\n", "server.py:app",
         "tried to reach 198.51.100.7"),
        ("def app():\n    raise RuntimeError('no')\n", "server.py:app", "server.py, line 2: RuntimeError: no"),
        (SMALL_APP, "no_such_package.module:app", "No module named 'no_such_package'"),
    ],
)  # fmt: skip
def test_an_app_that_can_not_be_loaded(
    project: Path, unchanged: Path, routegen: Routegen, server: str | None, app: str, says: str
) -> None:
    (project / "server.py").unlink()
    if server is not None:
        (project / "server.py").write_text(server)
    (project / "pyproject.toml").write_text(PYPROJECT.replace("server.py:app", app))
    done = routegen("extract", "-o", unchanged)
    assert (done.code, done.stdout) == (3, "")
    assert says in done.error
    assert "Traceback" not in done.stderr


def test_an_app_that_can_not_be_checked(project: Path, committed: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text("import no_such_module\n")
    done = routegen("check")
    assert (done.code, done.stdout) == (3, "")
    assert "server.py, line 1: ModuleNotFoundError: No module" in done.error


def test_debug_shows_the_apps_own_traceback(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text("def f():\n    raise ValueError('deep')\nf()\n")
    done = routegen("extract", "--debug")
    assert done.code == 3
    assert "Traceback" in done.stderr
    assert "in f" in done.stderr


def test_an_import_that_never_ends(project: Path, unchanged: Path, routegen: Routegen) -> None:
    pid = project / "pid"
    (project / "server.py").write_text(
        "import pathlib, subprocess, time\n"
        f"child = subprocess.Popen(['sleep', '600'])\npathlib.Path({str(pid)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    done = routegen("extract", "-o", unchanged, "--timeout", "2")
    assert done.code == 3
    assert "still importing after 2 s in server.py, line 4; if it needs longer, raise `timeout` in" in done.error
    deadline = time.monotonic() + 10
    while _runs(int(pid.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(int(pid.read_text()))


def test_nothing_stays_behind_when_routegen_is_killed(project: Path) -> None:
    mark = project / "imported"
    (project / "server.py").write_text(
        "import os, subprocess\nother = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"with open({str(mark)!r}, 'w') as file:\n    file.write(f'{{os.getpid()}} {{other.pid}}')\nwhile True: pass\n"
    )
    process = subprocess.Popen([sys.executable, "-m", "routegen", "extract"], cwd=project, stderr=subprocess.DEVNULL)
    while not (mark.exists() and mark.read_text()):
        time.sleep(0.02)
    processes = [Path("/proc", pid) for pid in mark.read_text().split()]
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while any(folder.exists() for folder in processes):
        assert time.monotonic() < deadline, "it is still there"
        time.sleep(0.02)


def test_the_time_out_is_configurable(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text("import time\ntime.sleep(600)\n")
    (project / "pyproject.toml").write_text(PYPROJECT.replace("[tool.routegen]\n", "[tool.routegen]\ntimeout = 1.5\n"))
    done = routegen("extract")
    assert done.code == 3
    assert "still importing after 1.5 s" in done.error


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no such file; `routegen extract -o"),
        (b"", "the file is empty"),
        (b"routes: []\n", "not JSON: line 1, column 1"),
        (b'{"version": 2, "default": "wiki", "routes": []}', "version: 2 is not a version that this routegen reads"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "a manifest is a JSON object, this is an array"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["check", "list"])
def test_a_manifest_that_can_not_be_read(
    project: Path, routegen: Routegen, command: str, content: bytes | None, says: str
) -> None:
    manifest = project / "generated" / "routes.json"
    if content is not None:
        manifest.write_bytes(content)
    done = routegen(command)
    assert (done.code, done.stdout) == (4, "")
    assert done.error.startswith(f"routegen: error: {Path('generated/routes.json')}: ")
    assert says in done.error
    assert done.stderr.count("\n") == 1


def test_a_manifest_that_is_a_directory(project: Path, routegen: Routegen) -> None:
    assert routegen("list", "--manifest", project).code == 2


def test_the_folder_of_the_output_is_created(project: Path, routegen: Routegen, extracted: str) -> None:
    done = routegen("extract", "-o", "no/such/routes.json")
    assert (done.code, done.stdout, done.error) == (0, "", "wrote no/such/routes.json: 3 routes")
    assert (project / "no/such/routes.json").read_text() == extracted


def test_a_folder_that_cannot_be_created(project: Path, routegen: Routegen) -> None:
    done = routegen("extract", "-o", "server.py/routes.json")
    assert (done.code, done.stdout) == (2, "")
    assert "server.py/routes.json: cannot be written: " in done.error


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self").exists(), reason="root writes anywhere here")
def test_output_into_a_directory_that_can_not_be_written(project: Path, unchanged: Path, routegen: Routegen) -> None:
    """/proc takes no file, not even from root, for whom permissions would mean nothing."""
    directory = Path("/proc") if os.geteuid() == 0 else unchanged.parent
    directory.chmod(0o555) if os.geteuid() else None
    done = routegen("extract", "-o", directory / "routes.json")
    directory.chmod(0o755) if os.geteuid() else None
    assert done.code == 2
    assert "cannot be written" in done.error


def test_a_full_disk_on_stdout(project: Path) -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "routegen", "extract"],
            cwd=project,
            env=buffered,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"stdout: cannot be written: No space left on device" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_file_that_can_not_be_written_to_its_end(project: Path, unchanged: Path) -> None:
    """A file-size limit stands in for a full disk: write(2) fails in the middle of the file."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = subprocess.run(
        [sys.executable, "-B", "-m", "routegen", "extract", "-o", unchanged],
        cwd=project,
        preexec_fn=limit,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert b"cannot be written: File too large" in done.stderr


def test_a_redirection_over_the_manifest_says_how_to_get_it_back(project: Path, committed: Path) -> None:
    (project / "server.py").write_text("1/0\n")
    with committed.open("wb") as shell:
        done = subprocess.run(
            [sys.executable, "-m", "routegen", "extract"],
            cwd=project,
            stdout=shell,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert b"git restore" in done.stderr


def test_a_reader_that_has_seen_enough(project: Path, committed: Path) -> None:
    many = json.loads(committed.read_text())
    many["routes"] = [{**many["routes"][1], "path": f"/p{i}", "route_keys": [f"ANY /p{i}"]} for i in range(290)]
    committed.write_text(json.dumps(many))
    done = subprocess.run(
        f"{sys.executable} -m routegen list --format json | head -c 1",
        cwd=project,
        shell=True,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("route", "says"),
    [
        ("Route('/x/', answer)", "trailing-slash: mcp: /x/ ends in '/'"),
        ("WebSocketRoute('/ws', answer)", "websocket: mcp: /ws is a WebSocket"),
        ("Host('api.x.org', app=Router([Route('/y', answer)]))", "host: mcp: /y answers only under the host api.x.org"),
        ("Route('/a//b', answer)", "path: mcp: /a//b cannot be a route"),
        ("Mount('/', app=print)", "everything: mcp: print at /{proxy:path} takes every path"),
        ("Route('/{rest:path}', answer)", "takes every path"),
    ],
)
def test_a_route_that_the_gateway_can_not_carry(project: Path, routegen: Routegen, route: str, says: str) -> None:
    (project / "server.py").write_text(
        SMALL_APP
        + f"from starlette.routing import Host, Mount, Router, WebSocketRoute\napp.router.routes.append({route})\n"
    )
    done = routegen("extract", "server.py:app", "--name", "mcp")
    assert (done.code, done.stdout) == (5, "")
    assert says in done.error


@pytest.mark.parametrize("option", ["--own", "--unsupported"])
def test_the_advice_about_an_app_that_takes_every_path(project: Path, routegen: Routegen, option: str) -> None:
    (project / "server.py").write_text("async def app(scope, receive, send): ...\n")
    refused = routegen("extract", "server.py:app")
    assert "give the paths that the app shall have, with --own or `own` in the configuration; " in refused.error
    assert (
        '--unsupported warn, or `unsupported = "warn"` in [tool.routegen.apps.app], accepts it: the path is left out'
    ) in refused.error
    followed = routegen("extract", "server.py:app", option, {"--own": "/mcp", "--unsupported": "warn"}[option])
    assert followed.code == 0
    assert "takes every path" in followed.error


def test_two_apps_that_claim_one_path(project: Path, routegen: Routegen) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.routegen.apps.other]\napp = "server.py:app"\n')
    done = routegen("extract")
    assert done.code == 5
    assert "'mcp' and 'other' both claim /items/{id}" in done.error


def test_options_that_go_with_app_alone(project: Path, routegen: Routegen) -> None:
    assert routegen("extract", "--name", "x").code == 2
    assert routegen("extract", "server.py:app", "--name", "x", "--default", "x").code == 2
    assert routegen("extract", "--no-such-option").code == 2


def test_a_bug_says_that_it_is_one(project: Path) -> None:
    code = (
        "import sys, routegen.cli.options as o\n"
        "def broken(file): raise ZeroDivisionError('oops')\n"
        "o.read_config = broken\n"
        "sys.argv = ['routegen', 'extract']\n"
        "from routegen.cli import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, check=False)
    assert done.returncode == 70
    assert b"a bug in routegen: ZeroDivisionError: oops" in done.stderr
    assert b"Traceback" not in done.stderr


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False
