"""AWS's Lambda runtime client without a gateway: a worker process of `bench_local_gateway.py`.

The Runtime API, the pool and the instance are the gateway's own; an event that is ready is handed to the instance, and
the time ends with its answer.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import uvicorn

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from routegen.gateway import RouteKey  # noqa: E402 - from the checkout, installed or not
from routegen.serve.instance_pool import Pool, Surroundings  # noqa: E402
from routegen.serve.lambda_function import Function  # noqa: E402
from routegen.serve.lambda_instance import Instance  # noqa: E402
from routegen.serve.local_gateway import listen  # noqa: E402
from routegen.serve.proxy_event import Invocation, Request, make_event  # noqa: E402
from routegen.serve.runtime_api import Receive, Scope, Send, runtime_api  # noqa: E402
from routegen.serve.serve_settings import Settings  # noqa: E402

from dev.benchmarks.compared_servers import PATH  # noqa: E402

SETTINGS = Settings(max_instances=1)


class NoGuard:
    """This process ends its function by itself."""

    def started(self, pid: int) -> None:
        """Nothing to do."""

    def ended(self, pid: int) -> None:
        """Nothing to do."""


def event() -> bytes:
    """What the gateway would make of the load client's request."""
    headers = (("host", "127.0.0.1:8000"), ("user-agent", "benchmark"), ("accept", "*/*"))
    key, trace = RouteKey.parse(f"ANY {PATH}"), f"Root=1-{0:08x}-{0:024x}"
    invocation = Invocation(key, PATH, "request", trace, time.time())
    return json.dumps(make_event(Request("GET", PATH, headers=headers), invocation, SETTINGS)).encode()


def say(function: str, line: str) -> None:
    """The function has printed something."""
    print(f"{function} | {line}", file=sys.stderr)


async def measure(pool: Pool, count: int) -> list[float]:
    """Seconds of each invocation.

    Raises:
        RuntimeError: one failed, so that its time means nothing.
    """
    handed = event()
    took = []
    for number in range(count):
        began = time.perf_counter()
        outcome = await pool.invoke(f"request-{number}", "Root=1-0-0", handed)
        took.append(time.perf_counter() - began)
        if outcome.kind != "result" or json.loads(outcome.payload)["statusCode"] != 200:
            raise RuntimeError(f"{outcome}")
    return took


async def run(folder: Path, home: Path) -> None:
    """Serve the Runtime API to one instance, and measure when asked."""
    at: dict[int, Instance] = {}
    listening = listen("127.0.0.1", 0)
    around = Surroundings(SETTINGS, [listening.getsockname()[1]], at, home, NoGuard(), say, say)
    pool = Pool(Function("site", "site_app.handler", folder, {}), around)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await runtime_api(scope, receive, send, at.get(scope["server"][1]), pool.next_job)

    # As the gateway sets it.
    config = uvicorn.Config(
        app, interface="asgi3", http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps({"each": await measure(pool, **json.loads(line))}), flush=True)
    finally:
        await pool.close()
        server.should_exit = True
        await serving


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(run(Path(sys.argv[1]), Path(home)))
