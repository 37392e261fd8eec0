"""`python -m dev.authkit`, as people run it."""

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


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_says_first_what_it_is_and_ends_with_ctrl_c(launch: Start) -> None:
    process = launch("--resource", "http://127.0.0.1:8000/mcp")
    assert line(process).startswith("AuthKit stand-in, for development only")
    about, _, url = line(process).rpartition(" ")
    assert about == "ready at"
    with httpx2.Client(trust_env=False) as http:  # a connection that stays open doesn't hold it up
        assert http.get(f"{url}/.well-known/oauth-authorization-server").json()["issuer"] == url
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)
    assert (process.returncode, rest) == (0, ("", ""))


def test_json_is_one_line_when_it_is_ready(launch: Start) -> None:
    process = launch("--json", "--client-id", "client_01MINE", "--host", "localhost")
    said: dict[str, Any] = json.loads(line(process))
    assert said["client_id"] == "client_01MINE"
    assert said["about"].startswith("AuthKit stand-in, for development only")
    assert said["url"].startswith("http://localhost:")
    assert httpx2.get(f"{said['url']}/oauth2/jwks", trust_env=False).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30) == ("", "")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0 is not loopback"),
        (["--resource", "/mcp"], "--resource '/mcp' is not an absolute URL"),
        (["--client-id", "mine"], "--client-id 'mine' is not in WorkOS's form"),
    ],
)
def test_refuses_in_one_line(launch: Start, options: list[str], problem: str) -> None:
    process = launch(*options)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (1, "")
    assert stderr.startswith(f"dev.authkit: {problem}")
    assert stderr.count("\n") == 1


def test_port_in_use_is_one_line(launch: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = launch("--port", str(port))
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    said = f"can't listen on 127.0.0.1 port {port}: Address already in use; --port 0 takes a free one"
    assert stderr == f"dev.authkit: {said}\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_is_taken(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.1", "example.com", "localhost.example.com", "127.1"])
def test_nothing_else_is(host: str) -> None:
    assert not is_loopback(host)
