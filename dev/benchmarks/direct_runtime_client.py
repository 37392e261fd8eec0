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

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from routegen.gateway import RouteKey  # noqa: E402 - from the checkout, installed or not
from routegen.serve.exchange import HttpRequest  # noqa: E402
from routegen.serve.http_server import HttpServer  # noqa: E402
from routegen.serve.instance_pool import InstancePool, PoolContext  # noqa: E402
from routegen.serve.lambda_function import LambdaFunction  # noqa: E402
from routegen.serve.local_gateway import make_event_loop, open_socket  # noqa: E402
from routegen.serve.proxy_event import RequestContext, make_event  # noqa: E402
from routegen.serve.runtime_api import RuntimeApi  # noqa: E402
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
    runtime_socket = open_socket("127.0.0.1", 0)
    address = f"127.0.0.1:{runtime_socket.getsockname()[1]}"
    with ProcessWatchdog(home) as watchdog:
        context = PoolContext(SETTINGS, address, {}, home, watchdog, print_line, print_line)
        pool = InstancePool(LambdaFunction("site", "site_app.handler", folder, {}), context)
        runtime_api = RuntimeApi(address, context.instances, pool.next_invocation)
        server = HttpServer(runtime_api.answer, lambda text: print_line("routegen", text))
        await server.start(runtime_socket)
        try:
            while line := await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps({"each": await measure(pool, **json.loads(line))}), flush=True)
        finally:
            await pool.close()
            await server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=make_event_loop) as runner:  # the event loop of the gateway
        runner.run(run(Path(sys.argv[1]), Path(tempfile.mkdtemp())))
