"""The command `routegen serve` as a process."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.forked import run_routegen
from routegen.cli import COMMANDS
from routegen.errors import ConfigError
from serve.running_gateway import is_running, wait_for_file

OPTIONS = ("--port", "0", "--inspector-port", "0")
COMMAND = [sys.executable, "-m", "routegen", "serve", *OPTIONS]


@dataclass
class ServeProcess:
    process: subprocess.Popen[str]
    url: str

    def line(self, kind: str) -> dict[str, Any]:
        """Read lines until the next one of a kind."""
        assert self.process.stdout
        for text in self.process.stdout:
            fields: dict[str, Any] = json.loads(text)
            if fields["kind"] == kind:
                return fields
        raise AssertionError(f"no line of kind {kind!r} came")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)


StartServe = Callable[..., ServeProcess]


@pytest.fixture
def start_serve(project: Path) -> Iterator[StartServe]:
    """`start_serve(*options)` runs `routegen serve --json` in `project`."""
    processes: list[subprocess.Popen[str]] = []

    def run(*options: str) -> ServeProcess:
        process = subprocess.Popen(
            [*COMMAND, "--json", *options],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        served = ServeProcess(process, "")
        served.url = served.line("listening")["url"]
        return served

    yield run
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until_ended(*pids: int) -> None:
    """Wait until none of the processes runs; the test's time-out is the limit."""
    while any(is_running(pid) for pid in pids):
        time.sleep(0.01)


def ask_in_background(served: ServeProcess, path: str) -> "subprocess.Popen[bytes]":
    code = "import sys, urllib.request as r\ntry: r.urlopen(sys.argv[1])\nexcept OSError as e: print(e)"
    return subprocess.Popen([sys.executable, "-c", code, served.url + path], stdout=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.reliability("signals that end the gateway: no process of a function is left")
def test_ctrl_c_ends_every_process(start_serve: StartServe, tmp_path: Path, number: signal.Signals) -> None:
    served = start_serve()
    first = served.get("/mcp?do=child")
    pids = [first["pid"], first["child"], served.get("/")["pid"]]
    held_request = ask_in_background(served, f"/?do=hold&file={tmp_path}/never")
    wait_for_file(tmp_path / "never.held")
    served.process.send_signal(number)
    _, err = served.process.communicate(timeout=30)
    assert (served.process.returncode, err) == (0, "")
    wait_until_ended(*pids)
    assert not Path(first["env"]["HOME"]).exists()
    assert b"503" in held_request.communicate(timeout=30)[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
@pytest.mark.reliability("signals that end the gateway: no process of a function is left")
def test_a_killed_gateway_leaves_no_process(start_serve: StartServe, tmp_path: Path, number: signal.Signals) -> None:
    served = start_serve()
    first = served.get("/mcp?do=child")
    pids = [first["pid"], first["child"]]
    hanging = ask_in_background(served, f"/?do=hold&file={tmp_path}/never")
    wait_for_file(tmp_path / "never.held")
    pids.append(served.get("/")["pid"])
    pids.append(int((tmp_path / "never.held").read_text()))
    home = Path(served.get("/mcp")["env"]["HOME"])
    assert home.is_dir()
    served.process.send_signal(number)
    served.process.wait()
    wait_until_ended(*pids)
    while home.exists():
        time.sleep(0.01)
    hanging.communicate(timeout=30)


def test_with_json_each_line_is_an_object(start_serve: StartServe) -> None:
    served = start_serve("--stage", "prod", "--www-authenticate", "keep")
    assert served.url.endswith("/prod")
    served.get("/mcp?do=print&token=secret")
    assert {served.line("output")["line"], served.line("output")["line"]} == {"an otter", "and a beaver"}
    request = served.line("request")
    assert request.pop("milliseconds") > 0
    assert len(request.pop("id")) == 16
    assert request.pop("time").endswith("+00:00")
    assert request == {
        "kind": "request",
        "method": "GET",
        "path": "/prod/mcp",
        "route_key": "ANY /mcp",
        "app": "mcp",
        "reserved": None,
        "status": 200,
        "cold": True,
        "problem": None,
    }


def test_it_ends_when_stdout_is_closed(start_serve: StartServe) -> None:
    served = start_serve()
    assert served.process.stdout
    served.process.stdout.close()
    served.get("/")
    assert served.process.wait(timeout=30) == 0


def fail(project: Path, *options: str) -> tuple[int, str]:
    """Exit code and last line of a run that cannot start."""
    result = run_routegen(project, "serve", *OPTIONS, *options)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.code, result.error


def test_env_replaces_an_app_s_variables(start_serve: StartServe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "mine")
    served = start_serve("--env", "mcp:GREETING=moin=moin", "--env", "wiki:TOKEN", "--env", "wiki:EMPTY=")
    env = served.get("/mcp")["env"]
    assert (env["GREETING"], env.get("TOKEN")) == ("moin=moin", None)
    env = served.get("/")["env"]
    assert (env.get("GREETING"), env["TOKEN"], env["EMPTY"]) == (None, "mine", "")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (":GREETING=moin", "':GREETING=moin' is not NAME=VALUE, NAME or APP:NAME=VALUE"),
        ("mcp:=moin", "'mcp:=moin' is not NAME=VALUE, NAME or APP:NAME=VALUE"),
        ("mpc:GREETING=moin", "no app is called 'mpc'; the apps are mcp, wiki"),
        ("mcp:NO_SUCH_OTTER", "has no value, and NO_SUCH_OTTER is not in your environment either"),
    ],
)
def test_an_invalid_env_option_is_an_error_of_one_line(project: Path, value: str, problem: str) -> None:
    code, line = fail(project, "--env", value)
    assert code == 2
    assert problem in line


@pytest.mark.parametrize("url", ["", "x", "ftp://x", "https://", "https://x/y", "https://u@x", "https://x?y"])
def test_a_public_url_must_be_an_origin(project: Path, url: str) -> None:
    code, line = fail(project, "--public-url", url)
    assert code == 2
    assert f"--public-url: {url!r} is not an origin such as https://abc.example.org" in line


def test_the_error_names_an_app_without_handler(project: Path) -> None:
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace('handler = "echo.handler"\npath = "wiki"\n', ""))
    code, line = fail(project)
    assert code == 2
    assert "[tool.routegen.apps.wiki]: handler is missing" in line


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("apps.wiki]", "apps.other]", "[tool.routegen.apps.wiki] is missing"),
        ('path = "wiki"', 'path = "wika"', "[tool.routegen.apps.wiki]: path: there is no directory wika"),
        ('handler = "echo.handler"\npath = "wiki"', 'handler = "echo"', "'echo' is not of the form 'module.function'"),
    ],
)
def test_an_invalid_configuration_is_an_error_of_one_line(project: Path, old: str, new: str, problem: str) -> None:
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace(old, new))
    code, line = fail(project)
    assert code == 2
    assert problem in line


@pytest.mark.parametrize("text", [None, "{", '{"version": 2}'])
def test_an_invalid_manifest_is_exit_code_4(project: Path, text: str | None) -> None:
    (project / "other.json").write_text(text) if text else None
    code, line = fail(project, "--manifest", "other.json")
    assert code == 4
    assert "other.json" in line


def test_a_port_in_use_is_an_error_of_one_line(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other_server:
        port = str(other_server.getsockname()[1])
        code, line = fail(project, "--port", port)
    assert code == 2
    assert f"--port: cannot listen on 127.0.0.1, port {port}" in line


def test_a_missing_package_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "awslambdaric", None)
    serve = next(command for command in COMMANDS if command.name == "serve").load()
    error = CliRunner().invoke(serve, []).exception
    assert isinstance(error, ConfigError)
    needs = "routegen serve needs awslambdaric, which the extra `serve` has"
    assert str(error) == f"{needs}: pip install awslambdaric"
