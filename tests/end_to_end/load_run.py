"""A load of 50 clients on `routegen serve` with both apps of this repository, and faults during it."""

import asyncio
import json
import math
import os
import random
import re
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from helpers.ports import free_port
from helpers.support import PROJECT
from joserfc import jwt

from dev.authkit.background import BackgroundStandIn, run_in_background
from dev.serve.local_apps import app_environments, make_wiki

CLIENTS = 50
GATEWAY_500 = '{"message":"Internal Server Error"}'
FAVICON = (files("otterwiki") / "static" / "img" / "otter-favicon.png").read_bytes()

Check = Callable[[httpx2.Response], bool]


@dataclass
class GatewayProcess:
    """`routegen serve` in a separate process, with a copy of this repository's apps."""

    process: subprocess.Popen[bytes]
    url: str
    authkit: BackgroundStandIn
    project: Path
    repository: Path

    def functions(self) -> dict[int, str]:
        """The process ids of the functions' instances, each with the name of its app."""
        apps = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid and b"awslambdaric" in (folder / "cmdline").read_bytes():
                    variables = (folder / "environ").read_bytes().split(b"\0")
                    apps[int(folder.name)] = next(
                        text.decode().partition("=")[2]
                        for text in variables
                        if text.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")
                    )
            except (OSError, StopIteration):  # the process has ended in the meantime
                continue
        return apps

    def kilobytes(self) -> int:
        """The resident memory of the gateway's process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def open_files(self) -> int:
        """The number of file descriptors of the gateway's process."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def serving(folder: Path, instances: int) -> Iterator[GatewayProcess]:
    project, data = folder / "project", folder / "wiki"
    shutil.copytree(PROJECT / "app", project / "app", ignore=shutil.ignore_patterns("build", "__pycache__"))
    shutil.copytree(PROJECT / "generated", project / "generated")
    shutil.copy(PROJECT / "pyproject.toml", project)
    make_wiki(data)
    url = f"http://127.0.0.1:{free_port()}"
    with run_in_background(frozenset({f"{url}/mcp"})) as authkit:
        apps = app_environments(url, authkit.settings.issuer, authkit.settings.client_id, data)
        env = [f"--env={app}:{name}={value}" for app, variables in apps.items() for name, value in variables.items()]
        options = [f"--port={url.rpartition(':')[2]}", "--inspector-port=0", f"--max-instances={instances}", "--json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "routegen", "serve", *options, *env], cwd=project, stdout=subprocess.PIPE
        )
        assert process.stdout
        assert json.loads(process.stdout.readline())["kind"] == "listening"
        # The output must be read, because a full pipe would block the gateway.
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield GatewayProcess(process, url, authkit, project, data / "repository")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
            process.stdout.close()
            drain.wait(timeout=30)


def make_token(gateway: GatewayProcess) -> str:
    (key,) = gateway.authkit.keys.signing().keys
    now = int(time.time())
    claims = {
        "iss": gateway.authkit.settings.issuer,
        "aud": f"{gateway.url}/mcp",
        "sub": "u",
        "iat": now,
        "exp": now + 3000,
    }
    return jwt.encode({"alg": "RS256", "kid": str(key.kid)}, claims, key)


def mcp_calls(
    gateway: GatewayProcess, bearer: str
) -> Callable[[str, dict[str, Any], str], tuple[httpx2.Request, Check]]:
    headers = {"authorization": f"Bearer {bearer}", "accept": "application/json, text/event-stream"}

    def make(method: str, parameters: dict[str, Any], expected: str) -> tuple[httpx2.Request, Check]:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        request = httpx2.Request("POST", f"{gateway.url}/mcp", json=body, headers=headers)
        return request, lambda answer: expected in answer.text and answer.json()["jsonrpc"] == "2.0"

    return make


def request_mix(gateway: GatewayProcess) -> list[tuple[httpx2.Request, Check]]:
    """Return requests to both apps, each with a check that only the right app passes."""
    call = mcp_calls(gateway, make_token(gateway))

    def get(path: str, check: Check) -> tuple[httpx2.Request, Check]:
        return httpx2.Request("GET", gateway.url + path), check

    def page(answer: httpx2.Response) -> bool:
        return "routegen&#39;s wiki" in answer.text

    def resource(answer: httpx2.Response) -> bool:
        return bool(answer.json()["resource"] == f"{gateway.url}/mcp")

    return [
        get("/Home", page),
        get("/Team/Onboarding", page),
        get("/-/login", page),
        get("/static/img/otter-favicon.png", lambda answer: answer.content == FAVICON),
        get("/Otters/source?raw", lambda answer: answer.text.startswith("# Otters")),
        get("/.well-known/oauth-protected-resource/mcp", resource),
        get("/.well-known/oauth-authorization-server", lambda answer: "token_endpoint" in answer.json()),
        call("tools/list", {}, "recent_changes"),
        call("tools/list", {}, "recent_changes"),
        call("tools/call", {"name": "read_page", "arguments": {"page": "Otters"}}, "A group of them"),
    ]


@dataclass
class LoadResult:
    """What a run has counted.

    Attributes:
        statuses: the responses by status.
        failed: requests that a killed instance was handling, answered with 500 or with a tool's error.
        refused_saves: saves that the wiki refused because its disk was full.
        wrong: every other response that is not the expected one: the list must be empty.
        saves: the numbers of the accepted saves.
        faults: the faults by kind.
        memory: kilobytes of the gateway's process, at regular intervals.
        max_processes: the largest number of functions' processes.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    failed: int = 0
    refused_saves: int = 0
    wrong: list[str] = field(default_factory=list)
    saves: list[int] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    max_processes: int = 0


class Faults:
    """Faults that a test causes while clients send requests."""

    KINDS = ("kill", "slow client", "kill", "manifest change", "kill", "lost client", "full disk", "reload")

    def __init__(self, gateway: GatewayProcess, result: LoadResult, chance: random.Random) -> None:
        self._gateway, self._result, self._chance = gateway, result, chance
        self._manifest = gateway.project / "generated" / "routes.json"
        self._routes = json.loads(self._manifest.read_text())
        self._disk_is_full_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def disk_is_full(self) -> bool:
        return time.monotonic() < self._disk_is_full_until

    def cause(self, kind: str) -> None:
        """Cause a fault; those that take time go on in the background."""
        if kind == "reload":
            os.utime(self._chance.choice([*(self._gateway.project / "app").rglob("*.py")]))
        elif kind == "manifest change":
            self._change_manifest()
        else:
            actions = {"kill": self._kill, "slow client": self._be_slow, "lost client": self._get_lost}
            self._tasks.append(asyncio.create_task(actions.get(kind, self._fill_disk)()))
        self._result.faults[kind] += 1

    async def wait(self) -> None:
        """Wait until no fault goes on."""
        await asyncio.gather(*self._tasks)

    async def _kill(self) -> None:
        while not (processes := list(self._gateway.functions())):  # noqa: ASYNC110 - the processes are not ours
            await asyncio.sleep(0.01)
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(self._chance.choice(processes), signal.SIGKILL)

    def _change_manifest(self) -> None:
        """Add a route of the MCP server that no client uses, or remove it."""
        extra = {"path": "/soak", "methods": ["GET"], "app": "mcp", "role": "other", "route_keys": ["ANY /soak"]}
        routes = [*self._routes["routes"], extra] if self._result.faults["manifest change"] % 2 == 0 else None
        self._manifest.write_text(json.dumps(self._routes | {"routes": routes or self._routes["routes"]}))

    async def _be_slow(self) -> None:
        """A client that sends its request and reads its response in small pieces."""
        parts = urlsplit(self._gateway.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for byte in b"GET /static/img/otter-favicon.png HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)
        received = b""
        while part := await reader.read(64):
            received += part
        writer.close()
        if not received.startswith(b"HTTP/1.1 200") or not received.endswith(FAVICON):
            self._note_failure(received)

    def _note_failure(self, received: bytes) -> None:
        if b"500" in received[:20]:
            self._result.failed += 1
        else:
            self._result.wrong.append(f"a slow client got {received[:200]!r}")

    async def _get_lost(self) -> None:
        """A client that disconnects in the middle of its request, and one that does not wait for its response."""
        parts = urlsplit(self._gateway.url)
        for request in (
            b"POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
            b"GET /Home HTTP/1.1\r\nHost: a\r\n\r\n",
        ):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(request)
            await writer.drain()
            writer.transport.abort()

    async def _fill_disk(self) -> None:
        """Let the wiki's processes write nothing more into files for a while, as if the disk was full."""
        processes = [pid for pid, app in self._gateway.functions().items() if app == "otterwiki"]
        self._disk_is_full_until = math.inf
        self._limit_files(processes, 0)
        await asyncio.sleep(0.5)
        self._limit_files(processes, resource.RLIM_INFINITY)
        self._disk_is_full_until = time.monotonic() + 3.0  # for the responses to saves that have failed before

    def _limit_files(self, processes: list[int], size: int) -> None:
        for pid in processes:
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            except ProcessLookupError:  # it was killed
                continue


class Savers:
    """A browser that saves new pages in the wiki, each with a number."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._gateway = gateway
        with httpx2.Client(base_url=gateway.url, trust_env=False, timeout=60) as http:
            page = http.get("/-/login")
            self._cookie = page.headers["set-cookie"].partition(";")[0]
            token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
            assert token
            self._token = token[1]

    def request(self, number: int) -> httpx2.Request:
        form = {"csrf_token": self._token, "content": f"saved {number}", "commit": f"save {number}"}
        headers = {"cookie": self._cookie, "referer": f"{self._gateway.url}/"}
        return httpx2.Request("POST", f"{self._gateway.url}/Soak{number}/save", data=form, headers=headers)

    def lost(self, numbers: list[int]) -> list[int]:
        """The accepted saves whose page does not have the saved text."""
        return [number for number in numbers if self._text(number) != f"saved {number}"]

    def _text(self, number: int) -> str:
        file = self._gateway.repository / f"soak{number}.md"
        return file.read_text().strip() if file.exists() else ""


class LoadRun:
    """One run: the clients, and the record of their responses."""

    def __init__(self, gateway: GatewayProcess, requests: int, faults: int, saves: int) -> None:
        self.result, self._chance = LoadResult(), random.Random(7)
        self._gateway = gateway
        self._cases, self.faults = request_mix(gateway), Faults(gateway, self.result, self._chance)
        self.savers = Savers(gateway) if saves else None
        self._numbers = iter(range(requests))
        self._tls = ssl.create_default_context()  # one for all clients, because creating it takes 40 ms
        kinds = zip(range(faults), cycle(Faults.KINDS), strict=False)
        self._fault_numbers = {(number + 1) * requests // (faults + 2): kind for number, kind in kinds}
        self._save_numbers = {(number + 1) * requests // (saves + 1) for number in range(saves)}

    async def client(self) -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=120, verify=self._tls) as http:
            for number in self._numbers:
                if number in self._fault_numbers:
                    self.faults.cause(self._fault_numbers[number])
                if self.savers and number in self._save_numbers:
                    self._record_save(await http.send(self.savers.request(number)), number)
                else:
                    request, check = self._cases[self._chance.randrange(len(self._cases))]
                    self._record(await http.send(request), check)
                if number % 100 == 0:
                    self.result.memory.append(self._gateway.kilobytes())
                    self.result.max_processes = max(self.result.max_processes, len(self._gateway.functions()))

    def _failed_with_its_instance(self, answer: httpx2.Response) -> bool:
        self.result.statuses[answer.status_code] += 1
        is_from_gateway = answer.text == GATEWAY_500 and "apigw-requestid" in answer.headers
        is_failed = answer.status_code == 500 and is_from_gateway
        self.result.failed += is_failed
        return is_failed

    def _record_save(self, answer: httpx2.Response, number: int) -> None:
        if self._failed_with_its_instance(answer):
            return
        if answer.status_code == 302:
            self.result.saves.append(number)
        elif self.faults.disk_is_full and answer.status_code in (500, 503):
            self.result.refused_saves += 1
        else:
            self.result.wrong.append(f"save {number}: {answer.status_code} {answer.text[:200]}")

    def _record(self, answer: httpx2.Response, check: Check) -> None:
        if self._failed_with_its_instance(answer):
            return
        if answer.status_code == 200 and "the wiki answered 500" in answer.text:
            self.result.failed += 1  # the killed process was the wiki's, and a tool had called it
        elif answer.status_code != 200 or not check(answer):
            self.result.wrong.append(f"{answer.request.url}: {answer.status_code} {answer.text[:200]}")


async def load(gateway: GatewayProcess, requests: int, faults: int, saves: int = 0) -> LoadResult:
    """Send requests with 50 clients, and cause faults and save pages at regular intervals."""
    run = LoadRun(gateway, requests, faults, saves)
    await asyncio.gather(*(run.client() for _ in range(min(CLIENTS, requests))))
    await run.faults.wait()
    lost = run.savers.lost(run.result.saves) if run.savers else []
    run.result.wrong += [f"save {number} is lost" for number in lost]
    return run.result
