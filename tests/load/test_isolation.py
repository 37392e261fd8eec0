"""What an app can reach while it is imported, and what is left of it afterwards."""

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from routegen.config import AppConfig, Config, config_for_app, with_env
from routegen.errors import LoadError
from routegen.load import AppProcess, app_process, start_app_process
from routegen.load.supervisor import MAX_OUTPUT

pytestmark = pytest.mark.reliability("attempts of an app to leave its import (network, environment, answer, processes)")
APP = """
from starlette.applications import Starlette
from starlette.routing import Route
app = Starlette(routes=[Route(path, print) for path in paths])
"""
CAN_MAKE_NAMESPACES = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x50000000))"


def start(folder: Path, source: str, **env: str) -> AppProcess:
    (folder / "server.py").write_text(source)
    config = config_for_app(
        "server.py:app", name="mcp", default="site", own=(), unsupported="refuse", timeout=60, root=folder
    )
    config = with_env(config, None, env)
    return start_app_process(config.apps[0], config)


def paths_of(process: AppProcess) -> list[str]:
    return [served.path for served in process.wait_for_routes().paths]


NETWORK_CALLS = """
import asyncio, os, socket
def send(call, family=socket.AF_INET, type=socket.SOCK_STREAM):
    with socket.socket(family, type) as each:
        return call(each)
address, unix = ("127.0.0.1", int(os.environ["PORT"])), os.environ["UNIX"]
calls = {
    "connect": lambda: send(lambda s: s.connect(address)),
    "connect-ex": lambda: send(lambda s: s.connect_ex(address)),
    "udp-connect": lambda: send(lambda s: s.connect(address), type=socket.SOCK_DGRAM),
    "sendto": lambda: send(lambda s: s.sendto(b"x", address), type=socket.SOCK_DGRAM),
    "sendto-flags": lambda: send(lambda s: s.sendto(b"x", 0, address), type=socket.SOCK_DGRAM),
    "sendmsg": lambda: send(lambda s: s.sendmsg([b"x"], [], 0, address), type=socket.SOCK_DGRAM),
    "unix": lambda: send(lambda s: s.connect(unix), socket.AF_UNIX),
    "unix-bytes": lambda: send(lambda s: s.connect(unix.encode()), socket.AF_UNIX),
    "unix-sendto": lambda: send(lambda s: s.sendto(b"x", unix), socket.AF_UNIX, socket.SOCK_DGRAM),
    "netlink": lambda: send(print, socket.AF_NETLINK, socket.SOCK_RAW),
    "packet": lambda: send(print, socket.AF_PACKET, socket.SOCK_DGRAM),
    "raw": lambda: send(print, type=socket.SOCK_RAW),
    "gethostbyname": lambda: socket.gethostbyname("localhost"),
    "gethostbyname-ex": lambda: socket.gethostbyname_ex("localhost"),
    "gethostbyaddr": lambda: socket.gethostbyaddr("127.0.0.1"),
    "getnameinfo": lambda: socket.getnameinfo(address, 0),
    "getaddrinfo": lambda: socket.getaddrinfo("example.com", 80),
    "getaddrinfo-bytes": lambda: socket.getaddrinfo(b"example.com", None),
    "getaddrinfo-passive": lambda: socket.getaddrinfo("198.51.100.7", 80, flags=socket.AI_PASSIVE),
    "create-connection": lambda: socket.create_connection(address),
    "asyncio": lambda: asyncio.run(asyncio.open_connection(*address)),
    "asyncio-unix": lambda: asyncio.run(asyncio.open_unix_connection(unix)),
}
paths = []
for name, call in calls.items():
    try:
        outcome = call()
    except ConnectionRefusedError as error:
        outcome = error
    paths.append(f"/{name}/{str(outcome).replace(' ', '-')}")
"""


def test_python_s_sockets_can_send_nothing_and_ask_for_no_name(
    tmp_path: Path, count_attacks: Callable[[int], None]
) -> None:
    count_attacks(22)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as unix_server:
        unix_server.bind(str(tmp_path / "socket"))
        unix_server.listen()
        port = str(server.getsockname()[1])
        paths = paths_of(start(tmp_path, NETWORK_CALLS + APP, PORT=port, UNIX=str(tmp_path / "socket")))
    assert len(paths) == 22
    assert {path.rpartition("/")[2] for path in paths} == {"no-network-while-an-app-is-loaded"}, paths


OTHER_CODE = """
import ctypes, os, subprocess, sys
port, caller = int(os.environ["PORT"]), os.environ["CALLER"]
code = f"import socket; socket.socket().connect_ex(('127.0.0.1', {port}))"
command = [sys.executable, "-S", "-c", code]
subprocess.run(command)
os.system(f"exec 3<>/dev/tcp/127.0.0.1/{port} || {sys.executable} -S -c \\"{code}\\"")
os.waitpid(os.posix_spawn(command[0], command, os.environ), 0)
if (child := os.fork()) == 0:
    os.execv(command[0], command)
os.waitpid(child, 0)
libc = ctypes.CDLL(None)
address = (2).to_bytes(2, sys.byteorder) + port.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
libc.connect(libc.socket(2, 1, 0), address, 16)
paths = [f"/user-{os.getuid()}-{os.getgid()}"]
for process in {caller, str(os.getppid()), *filter(str.isdigit, os.listdir("/proc"))} - {str(os.getpid())}:
    try:
        environment = open(f"/proc/{process}/environ", "rb").read()
        paths += ["/read"] if b"PYTEST_CURRENT_TEST" in environment or process == caller else []
    except OSError:
        pass
"""


def test_other_code_has_no_network_and_sees_no_other_environment(tmp_path: Path) -> None:
    if subprocess.run([sys.executable, "-S", "-c", CAN_MAKE_NAMESPACES], check=False).returncode:
        pytest.skip("this system permits no user namespace")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        env = {"PORT": str(server.getsockname()[1]), "CALLER": str(os.getpid())}
        assert paths_of(start(tmp_path, OTHER_CODE + APP, **env)) == [f"/user-{os.getuid()}-{os.getgid()}"]
        with pytest.raises(BlockingIOError):
            server.accept()


WRITE_TO_EVERY_PIPE = """
import os, time
for fd in range(3, 512):  # a test process can have many files open
    try:
        while os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"):
            os.write(fd, TEXT)
            END
    except OSError:
        pass
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b'{"served": [{"path": "/admin", "methods": ["GET"], "handlers": []}]}\n', "break"),
        (b'{"served": null}\n', "break"),
        (b'{"loaded": true}\n', "break"),
        (b"x" * 65536, "pass"),
        (b"\n", "break"),
    ],
    ids=["an answer", "a wrong answer", "the end of the import", "an endless text", "an empty line"],
)
def test_what_an_app_writes_into_the_pipe_is_refused_at_once(tmp_path: Path, text: bytes, end: str) -> None:
    with pytest.raises(LoadError, match=r"^server\.py:app: it wrote into routegen's pipe; an app must write only to"):
        start(tmp_path, WRITE_TO_EVERY_PIPE.replace("TEXT", repr(text)).replace("END", end)).wait_for_answer()


def test_an_app_that_does_not_exist_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    app = AppConfig(name="mcp", target="server.py:app", root=tmp_path)
    with pytest.raises(LoadError, match="there is no such file"):
        start_app_process(app, Config(default=None, manifest=tmp_path / "routes.json", apps=(app,)))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_app_that_closes_the_pipe_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The app's own file then has the number of the pipe, and must not get the answer."""
    source = "import os\nown = open('own', 'a')\nfor fd in range(3, 512): os.dup2(own.fileno(), fd)\npaths = ['/x']\n"
    with pytest.raises(LoadError, match="exited with status 1 while it was imported"):
        start(tmp_path, source + APP).wait_for_answer()
    assert "routegen: the app has closed routegen's pipe" in capfd.readouterr().err
    assert (tmp_path / "own").read_bytes() == b""


def test_the_task_has_a_time_limit_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_process, "_SECONDS_FOR_TASK", 0.1)
    app = AppConfig(name="mcp", target="server.py:app", root=tmp_path)
    config = Config(default=None, manifest=tmp_path / "routes.json", apps=(app,))
    process: Any = SimpleNamespace(terminate=lambda: None, wait=lambda _seconds: 0)
    reading, writing = os.pipe()
    os.write(writing, b'token {"loaded": {}}\n')
    home, deadline = str(tmp_path / "home"), time.monotonic() + 60
    waiting = AppProcess(app, config, process, io.BytesIO(), reading, "token", home, deadline)
    waiting.wait_for_question()
    waiting.reply([])
    with pytest.raises(LoadError, match=r"loaded, but the requests to it take more than 0.1 s"):
        waiting.wait_for_answer()
    os.close(writing)


LEFT_BEHIND = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])
session = subprocess.Popen(["sleep", "600"], start_new_session=True)
read_end, write_end = os.pipe()
if os.fork() == 0:
    os.setsid()
    if (grandchild := os.fork()) == 0:
        time.sleep(600)
    os.write(write_end, str(grandchild).encode())
    os._exit(0)
paths = [f"/{pid}" for pid in (os.getpid(), child.pid, session.pid, int(os.read(read_end, 20)))]
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child subreapers")
def test_no_process_is_left_behind(tmp_path: Path) -> None:
    pids = [int(path[1:]) for path in paths_of(start(tmp_path, LEFT_BEHIND + APP))]
    assert len(pids) == 4
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_output_of_an_app_is_bounded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = f"import os\nfor _ in range(80):\n    os.write(1 + _ % 2, b'x' * {MAX_OUTPUT // 40})\npaths = ['/x']\n"
    assert paths_of(start(tmp_path, source + APP)) == ["/x"]
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("x") == MAX_OUTPUT
    assert captured.err.endswith("\nroutegen: the app prints more, which is left out\n")


def test_without_a_namespace_the_app_is_supervised_too() -> None:
    program = (
        "import os\nfrom routegen.load import supervisor\nsupervisor._NEW_USER_AND_NETWORK_NAMESPACE = 1\n"
        "os.setsid()\nsupervisor.fork_supervised(lambda status: os.write(2, b'exit %d' % status))\n"
        "print('the app', flush=True)\nos._exit(7)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.replace("exit 7", "") == "the app\n"
    assert "exit 7" in done.stderr
