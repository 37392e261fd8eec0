"""Many clients at the same time while function processes are killed: each request gets a response of the right app."""

import asyncio
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx2
import pytest
from helpers.ports import free_port
from helpers.support import PROJECT
from joserfc import jwt

from dev.authkit.background import BackgroundStandIn, run_in_background
from dev.serve.local_apps import app_environments, make_wiki

CLIENTS = 50
GATEWAY_500 = {"message": "Internal Server Error"}
FAVICON = (files("otterwiki") / "static" / "img" / "otter-favicon.png").read_bytes()

Check = Callable[[httpx2.Response], bool]


@dataclass
class GatewayProcess:
    """`routegen serve` in a separate process."""

    process: subprocess.Popen[bytes]
    url: str
    authkit: BackgroundStandIn
    killed: list[int] = field(default_factory=list)

    def functions(self) -> list[int]:
        """Return the process ids of the functions' instances."""
        pids = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes()
            except OSError:  # the process has ended in the meantime
                continue
            if parent == self.process.pid and b"awslambdaric" in command:
                pids.append(int(folder.name))
        return pids

    def kilobytes(self) -> int:
        """Return the resident memory of the gateway's process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


@contextmanager
def serving(data: Path, instances: int) -> Iterator[GatewayProcess]:
    make_wiki(data)
    url = f"http://127.0.0.1:{free_port()}"
    with run_in_background(frozenset({f"{url}/mcp"})) as authkit:
        apps = app_environments(url, authkit.settings.issuer, authkit.settings.client_id, data)
        env = [f"--env={app}:{name}={value}" for app, variables in apps.items() for name, value in variables.items()]
        options = [f"--port={url.rpartition(':')[2]}", "--inspector-port=0", f"--max-instances={instances}", "--json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "routegen", "serve", *options, *env], cwd=PROJECT, stdout=subprocess.PIPE
        )
        assert process.stdout
        assert json.loads(process.stdout.readline())["kind"] == "listening"
        # The output must be read, because a full pipe would block the gateway.
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield GatewayProcess(process, url, authkit)
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
    statuses: Counter[int] = field(default_factory=Counter)
    tool_errors: int = 0
    wrong: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    max_processes: int = 0


async def load(gateway: GatewayProcess, requests: int, kills: int) -> LoadResult:
    """Send requests with 50 clients, and kill function processes at regular intervals."""
    result, chance = LoadResult(), random.Random(7)
    cases = request_mix(gateway)
    numbers = iter(range(requests))
    tls = ssl.create_default_context()  # one for all clients, because creating it takes 40 ms
    kill_numbers = {(number + 1) * requests // (kills + 2) for number in range(kills)}

    async def client() -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=120, verify=tls) as http:
            for number in numbers:
                request, check = cases[chance.randrange(len(cases))]
                if number in kill_numbers and (alive := gateway.functions()):
                    gateway.killed.append(chance.choice(alive))
                    os.kill(gateway.killed[-1], signal.SIGKILL)
                record(await http.send(request), check)
                if number % 100 == 0:
                    result.memory.append(gateway.kilobytes())
                    result.max_processes = max(result.max_processes, len(gateway.functions()))

    def record(answer: httpx2.Response, check: Check) -> None:
        result.statuses[answer.status_code] += 1
        is_from_gateway = "apigw-requestid" in answer.headers
        if answer.status_code == 500 and answer.json() == GATEWAY_500 and is_from_gateway:
            return
        if answer.status_code == 200 and "the wiki answered 500" in answer.text:
            result.tool_errors += 1  # the killed process was the wiki's, and a tool had called it
        elif answer.status_code != 200 or not check(answer):
            result.wrong.append(f"{answer.request.url}: {answer.status_code} {answer.text[:200]}")

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return result


@pytest.mark.parametrize(
    ("requests", "kills", "instances"),
    [(300, 3, 2), pytest.param(10_000, 20, 3, marks=pytest.mark.slow)],
    ids=["300", "10000"],
)
def test_every_request_gets_a_response_of_the_right_app(
    requests: int, kills: int, instances: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path / "wiki", instances) as gateway:
        result = asyncio.run(load(gateway, requests, kills))
        after = asyncio.run(load(gateway, 10, 0))
    memory_after_a_third = result.memory[len(result.memory) // 3]
    with capsys.disabled():
        counts = f"{sum(result.statuses.values()):,} requests of {CLIENTS} clients: {dict(result.statuses)}"
        kills_text = f"{len(gateway.killed)} functions killed, at most {result.max_processes} alive"
        print(
            f"\n{counts}; {kills_text}; memory {memory_after_a_third / 1024:.1f} to {result.memory[-1] / 1024:.1f} MB"
        )
    assert result.wrong == []
    assert sum(result.statuses.values()) == requests
    assert len(gateway.killed) == kills
    assert result.statuses[500] + result.tool_errors <= kills, (
        "a killed process can fail only the request that it handles"
    )
    assert result.max_processes <= 2 * instances
    assert result.memory[-1] <= memory_after_a_third + 8 * 1024, "the memory grows"
    assert after.statuses == {200: 10}
