"""`routegen extract` as a user runs it, on small apps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import DATA, SMALL_APP, Routegen

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


def test_writes_what_the_app_serves_and_owns(project: Path, routegen: Routegen) -> None:
    done = routegen("extract")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout) == {
        "version": 1,
        "default": "wiki",
        "routes": [
            {
                "path": "/items/{id}",
                "methods": ["GET", "HEAD"],
                "app": "mcp",
                "role": "other",
                "route_keys": ["ANY /items/{id}"],
                "widened": "{id:int} takes only int; a route key's variable takes any segment",
            },
            {"path": "/mcp", "methods": ["POST"], "app": "mcp", "role": "other", "route_keys": ["ANY /mcp"]},
            {
                "path": "/mcp/{proxy+}",
                "methods": ["ANY"],
                "app": "mcp",
                "role": "owned",
                "route_keys": ["ANY /mcp/{proxy+}"],
            },
        ],
    }
    assert done.stdout == json.dumps(json.loads(done.stdout), indent=2) + "\n"


def test_nothing_that_the_app_prints_reaches_stdout(project: Path, routegen: Routegen) -> None:
    quiet = routegen("extract").stdout
    (project / "server.py").write_text(LOUD + SMALL_APP + "print('and at the end')\n")
    done = routegen("extract")
    assert done.code == 0, done.stderr
    assert done.stdout == quiet
    for source in ("python", "the descriptor", "C", "a child", "a shell"):
        assert f"from {source}" in done.stderr


def test_the_caller_does_not_matter(
    project: Path, routegen: Routegen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (project / "server.py").write_text(
        "import os, locale, time\n"
        + SMALL_APP
        + "where = os.environ.get('SECRET_PATH', 'none') + time.strftime('%Z') + os.environ.get('LC_ALL', 'C')\n"
        + "app.router.routes += [Route('/' + word, answer) for word in {where, 'b', 'c', 'd', 'e', 'f'}]\n"
    )
    first = routegen("extract")
    assert first.code == 0, first.stderr
    below = project / "generated"
    hostile = {"SECRET_PATH": "leaked", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
    again = routegen("extract", cwd=below, env=hostile)
    assert again.stdout == first.stdout
    assert "leaked" not in first.stdout


def test_the_configured_environment_reaches_the_app(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(
        "import os\n" + SMALL_APP + "app.router.routes.append(Route(os.environ['PREFIX'] + '/x', answer))\n"
    )
    with (project / "pyproject.toml").open("a") as file:
        file.write('env = { PREFIX = "/configured" }\n')
    assert "/configured/x" in routes(routegen("extract", env={"PREFIX": "/callers"}).stdout)


def test_output_replaces_the_file_and_keeps_its_permissions(project: Path, committed: Path, routegen: Routegen) -> None:
    committed.chmod(0o640)
    link = project / "link.json"
    link.symlink_to(committed)
    committed.write_text("old")
    assert routegen("extract", "-o", link).code == 0
    assert link.is_symlink()
    assert json.loads(committed.read_text())["version"] == 1
    assert committed.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in committed.parent.iterdir()] == ["routes.json"]


@pytest.mark.parametrize(
    "app",
    ["server.py:app", "server.py", "server:app", "server.py:make", "server.py:make()", "server.py:space.app"],
)
def test_ways_to_name_an_app(project: Path, routegen: Routegen, app: str) -> None:
    (project / "server.py").write_text(SMALL_APP + "def make():\n    return app\nclass space:\n    app = app\n")
    done = routegen("extract", app, "--name", "api", "--default", "site")
    assert done.code == 0, done.stderr
    written = json.loads(done.stdout)
    assert written["default"] == "site"
    assert {route["app"] for route in written["routes"]} == {"api"}


def test_a_module_of_a_package_may_import_its_siblings(tmp_path: Path, routegen: Routegen) -> None:
    package = tmp_path / "pack" / "inner"
    package.mkdir(parents=True)
    for directory in (package.parent, package):
        (directory / "__init__.py").touch()
    (package / "names.py").write_text("PATH = '/from-a-sibling'\n")
    (package / "server.py").write_text(
        "from .names import PATH\n" + SMALL_APP + "app.router.routes.append(Route(PATH, answer))\n"
    )
    assert "/from-a-sibling" in routes(routegen("extract", "pack/inner/server.py:app").stdout)


def test_a_file_named_like_a_standard_module_is_still_the_app(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "queue.py").write_text(SMALL_APP)
    assert "/mcp" in routes(routegen("extract", "queue.py:app").stdout)


def test_exact_methods_give_a_key_a_method_except_where_the_app_owns(project: Path, routegen: Routegen) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('methods = "exact"\n')
    found = routes(routegen("extract").stdout)
    assert found["/items/{id}"]["route_keys"] == ["GET /items/{id}", "HEAD /items/{id}"]
    assert found["/mcp"]["route_keys"] == ["ANY /mcp"]


def test_an_app_that_forks_and_leaves_threads_behind(project: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(
        "import os, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "if os.fork() == 0:\n    time.sleep(600)\n" + SMALL_APP
    )
    assert routegen("extract").code == 0


def test_the_real_server_behind_authkit(routegen: Routegen) -> None:
    done = routegen("extract", DATA / "authkit.py", "--name", "mcp", "--default", "otterwiki")
    assert done.code == 0, done.stderr
    told = {path: (route["methods"], route["role"], route.get("spec")) for path, route in routes(done.stdout).items()}
    assert told == {
        "/.well-known/oauth-authorization-server": (["GET", "HEAD"], "authorization-server-metadata", "RFC 8414"),
        "/.well-known/oauth-protected-resource/mcp": (
            ["GET", "HEAD", "OPTIONS"],
            "protected-resource-metadata",
            "RFC 9728",
        ),
        "/mcp": (["DELETE", "POST"], "mcp-endpoint", "MCP Streamable HTTP"),
    }


@pytest.mark.parametrize(
    ("provider", "arguments", "expected"),
    [
        ("workos.AuthKitProvider", "authkit_domain='https://a.authkit.app', base_url='https://x.example/api'",
         {"/.well-known/oauth-protected-resource/api/mcp": "protected-resource-metadata"}),
        ("github.GitHubProvider", "client_id='a', client_secret='b' * 40, base_url='https://x.example'",
         {"/authorize": "authorization-endpoint", "/token": "token-endpoint", "/register": "registration-endpoint",
          "/auth/callback": "redirect-callback", "/consent": "consent"}),
        ("github.GitHubProvider",
         "client_id='a', client_secret='b' * 40, base_url='https://x.example', redirect_path='/elsewhere'",
         {"/elsewhere": "redirect-callback"}),
    ],
)  # fmt: skip
def test_the_manifest_follows_the_provider(
    tmp_path: Path, routegen: Routegen, provider: str, arguments: str, expected: dict[str, str]
) -> None:
    module, _, name = provider.partition(".")
    (tmp_path / "server.py").write_text(
        f"from fastmcp import FastMCP\nfrom fastmcp.server.auth.providers.{module} import {name}\n"
        f"mcp = FastMCP('x', auth={name}({arguments}))\n"
    )
    done = routegen("extract", "server.py")
    assert done.code == 0, done.stderr
    found = {path: route["role"] for path, route in routes(done.stdout).items()}
    assert expected.items() <= found.items()


def test_redirection_keeps_stdout_clean_even_when_python_buffers(project: Path, tmp_path: Path) -> None:
    """The documented way: `routegen extract > file`."""
    target = tmp_path / "out.json"
    with target.open("wb") as file:
        subprocess.run(
            [sys.executable, "-m", "routegen", "extract"], cwd=project, stdout=file, check=True, env=dict(os.environ)
        )
    assert json.loads(target.read_text())["routes"]


def test_an_edit_that_bytecode_would_miss(project: Path, routegen: Routegen) -> None:
    """Same size, same second: Python would take the old bytecode for current."""
    (project / "sibling.py").write_text("PATH = '/abc'\n")
    (project / "server.py").write_text(
        "from sibling import PATH\n" + SMALL_APP + "app.router.routes.append(Route(PATH, answer))\n"
    )
    command = [sys.executable, "-c", "import server"]
    subprocess.run(command, cwd=project, check=True)
    for file, before, after in (("sibling.py", "/abc", "/acb"), ("server.py", "/mcp", "/mpc")):
        source = project / file
        times = source.stat()
        source.write_text(source.read_text().replace(before, after))
        os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert {"/acb", "/mpc"} <= routes(routegen("extract").stdout).keys()
