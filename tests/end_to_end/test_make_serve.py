"""`make serve`, with the `fastmcp` command as a client."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from helpers.forked import MCP_IMPORTS, import_before_fork, start_program
from helpers.ports import free_port
from helpers.support import PROJECT
from serve.running_gateway import is_running

from dev.serve.local_apps import make_wiki

# The program of the package fastmcp
FASTMCP_COMMAND = "import sys; from fastmcp.cli import app; sys.argv[0] = 'fastmcp'; sys.exit(app())"
DEV_SERVE = f"""
import os, runpy
os.chdir({str(PROJECT)!r})
runpy.run_module("dev.serve", run_name="__main__", alter_sys=True)
"""
BROWSER_PROGRAM = """
import sys, time, urllib.request
deadline = time.monotonic() + 30
while time.monotonic() < deadline:
    try:
        urllib.request.urlopen(sys.argv[1], timeout=30).read()
        break
    except OSError:  # the client does not listen for the callback yet
        time.sleep(0.1)
"""


import_before_fork(*MCP_IMPORTS)


@contextmanager
def make_serve(wiki: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run `python -m dev.serve`, and yield its process and the lines that it prints when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dev.serve", "--port", "0", "--wiki", str(wiki), *options],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        lines: list[str] = []
        while "mcpServers" not in "".join(lines):
            line = process.stdout.readline()
            assert line, f"dev.serve ended with exit code {process.wait()}"
            lines.append(line)
        yield process, lines
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def descendants(pid: int) -> list[int]:
    output = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in output.splitlines()]
    children = [child for child, parent in pairs if parent == pid]
    return children + [descendant for child in children for descendant in descendants(child)]


def home_page(lines: list[str]) -> str:
    url = next(line.split()[-1] for line in lines if line.startswith("  wiki "))
    return httpx2.get(f"{url}Home/source?raw", trust_env=False, timeout=30).text


def test_fastmcp_signs_in_and_calls_the_tools(tmp_path: Path) -> None:
    inspector_port = free_port()
    (tmp_path / "browser.py").write_text(BROWSER_PROGRAM)
    with make_serve(tmp_path / "wiki", "--auto-consent", "--inspector-port", str(inspector_port)) as (process, lines):
        text = "".join(lines)
        mcp = json.loads(lines[-1])["mcpServers"]["wiki"]["url"]
        assert f"fastmcp list {mcp} --auth oauth" in text
        assert f"claude mcp add --transport http wiki {mcp}" in text
        for line in lines[2:6]:
            url = line.split()[-1]
            expected = 405 if url == mcp else 200
            assert httpx2.get(url, trust_env=False, timeout=30).status_code == expected, line
        assert home_page(lines).startswith((tmp_path / "wiki" / "repository" / "home.md").read_text().rstrip("\n"))
        env = {**os.environ, "BROWSER": f"{sys.executable} {tmp_path / 'browser.py'} %s &"}

        def fastmcp(*arguments: str) -> str:
            program = start_program(FASTMCP_COMMAND, env, tmp_path / "stderr", *arguments, "--auth", "oauth")
            output = program.stream.read()
            assert program.exit_code() == 0, (tmp_path / "stderr").read_text()
            return output

        assert "recent_changes" in fastmcp("list", mcp)
        assert "A group of them" in fastmcp("call", mcp, "read_page", "page=Otters")
        functions = descendants(process.pid)
        assert functions
    assert process.returncode == 0
    until = time.monotonic() + 20
    while any(map(is_running, functions)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_running, functions))


def test_an_existing_wiki_is_not_overwritten(tmp_path: Path) -> None:
    make_wiki(tmp_path / "wiki")
    page_file = tmp_path / "wiki" / "repository" / "home.md"
    page_file.write_text("# Mine\n")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qam", "mine"]
    subprocess.run(git, cwd=page_file.parent, check=True)
    with make_serve(tmp_path / "wiki", "--inspector-port", "0") as (_, lines):
        assert "inspector" not in "".join(lines)
        assert home_page(lines).startswith("# Mine\n")
    assert page_file.read_text() == "# Mine\n"


def test_a_used_port_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        options = ("--port", port, "--wiki", str(tmp_path / "wiki"))
        env = {**os.environ, "PYTHONPATH": str(PROJECT)}
        program = start_program(DEV_SERVE, env, tmp_path / "stderr", *options)
        program.stream.read()
        assert program.exit_code() == 2
    stderr = (tmp_path / "stderr").read_text()
    assert f"cannot listen on 127.0.0.1, port {port}" in stderr.rstrip().splitlines()[-1]
    assert "Traceback" not in stderr
