"""The command `python -m dev.authkit`."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dev.authkit.stand_in_settings import is_loopback

PROJECT = Path(__file__).parents[2]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def launch() -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def run(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-m", "dev.authkit", *options]
        env = {"PATH": os.environ["PATH"]}
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, cwd=PROJECT, env=env, stdout=pipe, stderr=pipe, text=True))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate(timeout=30)


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_the_command_prints_its_url_and_ends_with_ctrl_c(launch: Start) -> None:
    process = launch("--resource", "http://127.0.0.1:8000/mcp")
    assert read_line(process).startswith("AuthKit stand-in, for development only")
    announcement, _, url = read_line(process).rpartition(" ")
    assert announcement == "ready at"
    with httpx2.Client(trust_env=False) as http:  # an open connection does not delay the end
        assert http.get(f"{url}/.well-known/oauth-authorization-server").json()["issuer"] == url
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, ("", ""))


def test_json_is_one_line(launch: Start) -> None:
    process = launch("--json", "--client-id", "client_01MINE", "--host", "localhost")
    announcement: dict[str, Any] = json.loads(read_line(process))
    assert announcement["client_id"] == "client_01MINE"
    assert announcement["about"].startswith("AuthKit stand-in, for development only")
    assert announcement["url"].startswith("http://localhost:")
    assert httpx2.get(f"{announcement['url']}/oauth2/jwks", trust_env=False).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30) == ("", "")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0 is not a loopback address"),
        (["--resource", "/mcp"], "--resource '/mcp' is not an absolute URL"),
        (["--client-id", "mine"], "--client-id 'mine' is not a WorkOS client id"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(launch: Start, options: list[str], problem: str) -> None:
    process = launch(*options)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (1, "")
    assert stderr.startswith(f"dev.authkit: {problem}")
    assert stderr.count("\n") == 1


def test_a_used_port_is_an_error_of_one_line(launch: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        process = launch("--port", str(port))
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    problem = f"cannot listen on 127.0.0.1 port {port}: Address already in use; --port 0 selects a free port"
    assert stderr == f"dev.authkit: {problem}\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_hosts(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.1", "example.com", "localhost.example.com", "127.1"])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)
