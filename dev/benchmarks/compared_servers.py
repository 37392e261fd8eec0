"""The servers that `bench_local_gateway.py` compares: one Starlette application behind each, one process for each."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / "tools"

PATH, BODY = "/hello", "otter"
TIMEOUT_SECONDS = 120.0
"""The time in which a server must listen."""

SITE = f"""\
from mangum import Mangum
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def hello(request):
    return PlainTextResponse("{BODY}")


app = Starlette(routes=[Route("{PATH}", hello)])
handler = Mangum(app, lifespan="off")
"""
PYPROJECT = """\
[tool.routegen]
manifest = "routes.json"
default = "rest"

[tool.routegen.apps.site]
app = "site_app.py:app"
handler = "site_app.handler"

[tool.routegen.apps.rest]
app = "site_app.py:app"
handler = "site_app.handler"
"""
ROUTE = {"path": PATH, "methods": ["GET"], "app": "site", "role": "other", "route_keys": [f"ANY {PATH}"]}

# The last major version that needs no account, and the last version of the plugin for it.
SERVERLESS_VERSIONS = {"serverless": "3.40.0", "serverless-offline": "13.9.0"}
# For every Python runtime, the plugin runs the first `python3` on PATH.
SERVERLESS_YML = f"""\
service: benchmark
frameworkVersion: "{SERVERLESS_VERSIONS["serverless"]}"
provider:
  name: aws
  runtime: python3.11
  timeout: 30
functions:
  site:
    handler: site_app.handler
    events:
      - httpApi: "*"
plugins:
  - serverless-offline
"""
# With these variables it sends no usage statistics and checks for no updates, so it uses only loopback.
NO_TELEMETRY = {
    "SLS_TELEMETRY_DISABLED": "1",
    "SLS_NOTIFICATIONS_MODE": "off",
    "SLS_INTERACTIVE_SETUP_ENABLE": "0",
    "SLS_DISABLE_AUTO_UPDATE": "1",
    "npm_config_update_notifier": "false",
}


def write_site(folder: Path) -> None:
    """Write the application, and the configuration file of each server."""
    (folder / "site_app.py").write_text(SITE)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "routes.json").write_text(json.dumps({"version": 1, "default": "rest", "routes": [ROUTE]}))
    (folder / "serverless.yml").write_text(SERVERLESS_YML)


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@contextmanager
def serving(name: str, command: Sequence[str], port: int, folder: Path, env: Mapping[str, str]) -> Iterator[int]:
    """Run a server, and yield its port. Its output goes to a file in the folder.

    Raises:
        RuntimeError: the server has ended or does not listen; the text contains the end of its output.
    """
    log = folder / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **env}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not listen:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def routegen_serve(folder: Path, *, inspector: bool) -> Iterator[int]:
    """Run `routegen serve`, with or without its inspector."""
    port = free_port()
    inspector_port = free_port() if inspector else 0
    command = [sys.executable, "-m", "routegen", "serve", f"--port={port}", f"--inspector-port={inspector_port}"]
    python_path = os.pathsep.join([str(TOOLS), *filter(None, [os.environ.get("PYTHONPATH")])])
    name = "routegen" if inspector else "routegen-plain"
    with serving(name, command, port, folder, {"PYTHONPATH": python_path}):
        yield port


@contextmanager
def bare_uvicorn(folder: Path) -> Iterator[int]:
    """Run uvicorn with the settings of the gateway; the application runs in the process of uvicorn."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "site_app:app", f"--port={port}", "--http=h11", "--loop=asyncio"]
    command += ["--ws=none", "--lifespan=off", "--no-access-log", "--log-level=warning"]
    with serving("uvicorn", command, port, folder, {}):
        yield port


@contextmanager
def fixed_response(folder: Path) -> Iterator[int]:
    """Run the server with a fixed response."""
    port = free_port()
    command = [sys.executable, str(HERE / "fixed_response_server.py"), str(port)]
    with serving("fixed-response", command, port, folder, {}):
        yield port


@contextmanager
def serverless_offline(folder: Path, packages: Path) -> Iterator[int]:
    """Run serverless-offline with the Python that runs this script."""
    port = free_port()
    with suppress(FileExistsError):
        (folder / "node_modules").symlink_to(packages)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**NO_TELEMETRY, "HOME": str(home), "PATH": path, "VIRTUAL_ENV": sys.prefix}
    script = packages / "serverless" / "bin" / "serverless.js"
    command = ["node", str(script), "offline", "start", "--host=127.0.0.1", f"--httpPort={port}", "--noSponsor"]
    with serving("serverless", [*command, f"--lambdaPort={free_port()}"], port, folder, env):
        yield port


def install_serverless() -> Path | str:
    """Return the packages of serverless-offline, or the reason why they cannot be installed.

    The first run installs them into the cache directory of the user.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js or npm is not installed"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "routegen-benchmarks"
    target = cache / "-".join(["serverless", *SERVERLESS_VERSIONS.values()])
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            work = Path(folder) / "packages"
            work.mkdir()
            (work / "package.json").write_text(json.dumps({"private": True, "dependencies": SERVERLESS_VERSIONS}))
            command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            completed = subprocess.run(
                command, cwd=work, env={**os.environ, **NO_TELEMETRY}, capture_output=True, text=True, check=False
            )
            if completed.returncode:
                return f"npm could not install it: {' '.join(completed.stderr.split())[:300]}"
            work.rename(target)
    return target / "node_modules"
