"""AWS's Lambda runtime client without a gateway: a worker process of `bench_local_gateway.py`.

It uses the gateway's own Runtime API, instance pool and instance. The measured time begins when the pool gets an event,
and ends with the response of the instance.
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
from routegen.serve.instance_pool import InstancePool, PoolContext  # noqa: E402
from routegen.serve.lambda_function import LambdaFunction  # noqa: E402
from routegen.serve.lambda_instance import LambdaInstance  # noqa: E402
from routegen.serve.local_gateway import open_socket  # noqa: E402
from routegen.serve.proxy_event import HttpRequest, RequestContext, make_event  # noqa: E402
from routegen.serve.runtime_api import Receive, Scope, Send, answer_runtime_api  # noqa: E402
from routegen.serve.serve_settings import ServeSettings  # noqa: E402
from routegen.serve.watchdog import ProcessWatchdog  # noqa: E402

from dev.benchmarks.compared_servers import PATH  # noqa: E402

SETTINGS = ServeSettings(max_instances=1)


def request_event() -> bytes:
    """The event that the gateway would make for the load client's request."""
    headers = (("host", "127.0.0.1:8000"), ("user-agent", "benchmark"), ("accept", "*/*"))
    route_key, trace_id = RouteKey.parse(f"ANY {PATH}"), f"Root=1-{0:08x}-{0:024x}"
    context = RequestContext(route_key, PATH, "request", trace_id, time.time())
    return json.dumps(make_event(HttpRequest("GET", PATH, headers=headers), context)).encode()


def print_line(function: str, line: str) -> None:
    """Print a line of the function's output, or a note about it."""
    print(f"{function} | {line}", file=sys.stderr)


async def measure(pool: InstancePool, count: int) -> list[float]:
    """Measure the seconds of each invocation.

    Raises:
        RuntimeError: an invocation failed, so its time means nothing.
    """
    event = request_event()
    durations = []
    for number in range(count):
        start = time.perf_counter()
        outcome = await pool.invoke(f"request-{number}", "Root=1-0-0", event)
        durations.append(time.perf_counter() - start)
        if outcome.kind != "result" or json.loads(outcome.payload)["statusCode"] != 200:
            raise RuntimeError(f"{outcome}")
    return durations


async def run(folder: Path, home: Path) -> None:
    """Serve the Runtime API to one instance, and measure for each line on stdin."""
    instances: dict[int, LambdaInstance] = {}
    runtime_socket = open_socket("127.0.0.1", 0)
    ports = [runtime_socket.getsockname()[1]]
    with ProcessWatchdog(home) as watchdog:
        context = PoolContext(SETTINGS, ports, instances, home, watchdog, print_line, print_line)
        pool = InstancePool(LambdaFunction("site", "site_app.handler", folder, {}), context)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            instance = instances.get(scope["server"][1])
            await answer_runtime_api(scope, receive, send, instance, pool.next_invocation)

        # The same settings as the gateway's.
        config = uvicorn.Config(
            app, interface="asgi3", http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
            timeout_keep_alive=75, timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        serve_task = asyncio.create_task(server.serve(sockets=[runtime_socket]))
        try:
            while line := await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps({"each": await measure(pool, **json.loads(line))}), flush=True)
        finally:
            await pool.close()
            server.should_exit = True
            await serve_task


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), Path(tempfile.mkdtemp())))
