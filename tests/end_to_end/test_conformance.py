"""The official conformance suite of MCP gives the same result at a server with and without `routegen serve`.

The suite is the package `@modelcontextprotocol/conformance`; the server is `conformance_server.py`. The suite needs
Node.js 22, which comes from PyPI if this machine has an older one.
"""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers.node import PACKAGES, reason_not_to_run
from truth.mcp_server import server, write_project
from truth.truth_check import extract_server, serve_server

from dev.client_lab.client_sessions import INSTALLED, node_22

FOLDER = Path(__file__).parent
SUITE = PACKAGES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
REVISIONS = ("2025-11-25", "2026-07-28")
SERVER = server("the conformance server", (FOLDER / "conformance_server.py").read_text())
SERVE = """
import socket, sys, uvicorn, conformance_server
app = getattr(conformance_server, sys.argv[2])
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def node() -> Path:
    if reason := reason_not_to_run("@modelcontextprotocol/conformance"):
        pytest.skip(reason)
    return node_22(INSTALLED)


@contextmanager
def bare_server(app: str) -> Iterator[str]:
    """Run an app of `conformance_server.py` with uvicorn, and return the URL of its endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        with subprocess.Popen(
            [sys.executable, "-c", SERVE, str(number), app], cwd=FOLDER, pass_fds=[number]
        ) as process:
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
            finally:
                process.kill()


@contextmanager
def server_behind_gateway(folder: Path) -> Iterator[str]:
    """Extract the server, run its Lambda handler behind the local gateway, and return the URL of its endpoint."""
    config = write_project(SERVER, folder)
    assert extract_server(config).outcome == "accepted"
    with serve_server(SERVER, config, in_processes=True) as gateway:
        yield f"{gateway.url}/mcp"


def run_suite(node: Path, url: str, revision: str, results: Path, failures: Path) -> tuple[int, str]:
    """Run all scenarios of a revision, and return the exit code and the output.

    The exit code is 0 if exactly the scenarios in the file `failures` fail.
    """
    program: list[str | Path] = [node, SUITE, "server", "--url", url, "--requirements", revision]
    program += ["--output-dir", results, "--expected-failures", failures]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout + done.stderr


def read_checks(results: Path) -> list[tuple[str, str, str]]:
    """Return the scenario, the id and the status of each check, sorted."""
    checks = []
    for file in results.glob("*/checks.json"):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", file.parent.name)
        checks += [(scenario, check["id"], check["status"]) for check in json.loads(file.read_text())]
    return sorted(checks)


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_gateway_changes_no_check(node: Path, revision: str, tmp_path: Path) -> None:
    with bare_server("app") as url:
        run_suite(node, url, revision, tmp_path / "bare", FOLDER / "conformance_gateway.yml")
    with server_behind_gateway(tmp_path) as url:
        exit_code, output = run_suite(node, url, revision, tmp_path / "gateway", FOLDER / "conformance_gateway.yml")
    assert exit_code == 0, output
    bare_checks = read_checks(tmp_path / "bare")
    assert len(bare_checks) > 60
    # `conformance_gateway.yml` has the reason for the one difference.
    rejected = ("dns-rebinding-protection", "localhost-host-rebinding-rejected")
    expected = [(*check[:2], "FAILURE") if check[:2] == rejected else check for check in bare_checks]
    assert (*rejected, "SUCCESS") in bare_checks
    assert read_checks(tmp_path / "gateway") == sorted(expected)


@pytest.mark.parametrize("revision", REVISIONS)
def test_only_the_expected_scenarios_fail_without_the_gateway(node: Path, revision: str, tmp_path: Path) -> None:
    with bare_server("streaming_app") as url:
        exit_code, output = run_suite(node, url, revision, tmp_path, FOLDER / "conformance_bare.yml")
    assert exit_code == 0, output
