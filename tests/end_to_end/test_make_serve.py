"""`make serve` as a person runs it, and `fastmcp` in another shell."""

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
from helpers.ports import free_port
from helpers.support import PROJECT
from serve.running_gateway import is_running

FOLLOW = """
import sys, time, urllib.request
until = time.monotonic() + 30
while time.monotonic() < until:
    try:
        urllib.request.urlopen(sys.argv[1], timeout=30).read()
        break
    except OSError:  # the client's callback isn't there yet
        time.sleep(0.1)
"""


@contextmanager
def served(wiki: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Everything, and what it said when it was ready."""
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
            assert line, f"it has ended with {process.wait()}"
            lines.append(line)
        yield process, lines
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def descendants(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in found.splitlines()]
    children = [child for child, parent in pairs if parent == pid]
    return children + [one for child in children for one in descendants(child)]


def test_fastmcp_in_another_shell_lists_and_calls_the_tools_signed_in(tmp_path: Path) -> None:
    inspector = free_port()
    (tmp_path / "follow.py").write_text(FOLLOW)
    with served(tmp_path / "wiki", "--auto-consent", "--inspector-port", str(inspector)) as (process, lines):
        text = "".join(lines)
        mcp = json.loads(lines[-1])["mcpServers"]["wiki"]["url"]
        assert f"fastmcp list {mcp} --auth oauth" in text
        assert f"claude mcp add --transport http wiki {mcp}" in text
        for line in lines[2:6]:
            url = line.split()[-1]
            expected = 405 if url == mcp else 200
            assert httpx2.get(url, trust_env=False, timeout=30).status_code == expected, line
        env = {**os.environ, "BROWSER": f"{sys.executable} {tmp_path / 'follow.py'} %s &"}

        def fastmcp(*arguments: str) -> str:
            command = [str(Path(sys.executable).with_name("fastmcp")), *arguments, "--auth", "oauth"]
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
            return done.stdout

        assert "recent_changes" in fastmcp("list", mcp)
        assert "A group of them" in fastmcp("call", mcp, "read_page", "page=Otters")
        functions = descendants(process.pid)
        assert functions
    assert process.returncode == 0
    until = time.monotonic() + 20
    while any(map(is_running, functions)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_running, functions))


def test_a_wiki_stays_and_is_not_overwritten(tmp_path: Path) -> None:
    for _ in range(2):
        with served(tmp_path / "wiki", "--inspector-port", "0") as (_, lines):
            url = next(line.split()[-1] for line in lines if line.startswith("  wiki "))
            assert "inspector" not in "".join(lines)
            page = httpx2.get(f"{url}Home/source?raw", trust_env=False, timeout=30).text
        page_file = tmp_path / "wiki" / "repository" / "home.md"
        assert page.startswith(page_file.read_text().rstrip("\n"))
        page_file.write_text("# Mine\n")
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qam", "mine"]
        subprocess.run(git, cwd=page_file.parent, check=False)


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "dev.serve", "--port", port, "--wiki", str(tmp_path / "wiki")],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr.rstrip().splitlines()[-1]
    assert "Traceback" not in done.stderr
