"""Measure the local gateway: the latency that it adds to AWS's Lambda runtime client, and its requests per second.

    python dev/benchmarks/bench_local_gateway.py [--quick] [--json]

Every server has the same Starlette application with one short response:

- `routegen serve`, with its log, with and without the inspector
- uvicorn with the application in its own process
- serverless-offline if Node.js is installed; the first run installs it into the user's cache
- a server that sends a fixed response without parsing the request
- AWS's Lambda runtime client without a gateway, one instance for each client: the limit of each gateway that uses it

All servers run at the same time, and are measured one after the other in each round.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from dev.benchmarks import compared_servers  # noqa: E402 - from the checkout
from dev.benchmarks.measuring import (  # noqa: E402
    Figure,
    Worker,
    argument_parser,
    divide_rounds,
    print_progress,
    print_report,
    run_script,
)

ADDED_MILLISECONDS_BAR = 1.0

GATEWAY, GATEWAY_WITHOUT_INSPECTOR = "routegen serve", "routegen serve without inspector"
UVICORN, SERVERLESS, FIXED_RESPONSE = "bare uvicorn", "serverless-offline", "a fixed response"
RUNTIME_CLIENT = "runtime client without a gateway"
CLIENTS = (1, 8)


@dataclass(frozen=True)
class GatewayEffort:
    """The number of rounds, and of requests in each round for a latency and for a rate."""

    rounds: int
    latency_requests: int
    rate_requests: int


FULL = GatewayEffort(31, 100, 240)
QUICK = GatewayEffort(2, 10, 16)


@dataclass(frozen=True)
class GatewayBench:
    """The load client, the runtime client without a gateway, and the port of each server."""

    load_client: Worker
    runtime_client: Worker
    ports: dict[str, int]

    def latency(self, name: str, count: int) -> float:
        """Measure the median milliseconds of the requests of one client."""
        return _median_milliseconds(self._send_requests(name, 1, count)["each"])

    def rate(self, name: str, clients: int, count: int) -> float:
        """Measure the requests per second of several clients, which send `count` requests together."""
        if name == RUNTIME_CLIENT:
            return count / float(self.runtime_client.ask(count=count, instances=clients)["seconds"])
        requests_of_client = max(1, count // clients)
        seconds: float = self._send_requests(name, clients, requests_of_client)["seconds"]
        return requests_of_client * clients / seconds

    def runtime_client_latency(self, count: int) -> float:
        """Measure the median milliseconds of invocations through the runtime client without a gateway."""
        return _median_milliseconds(self.runtime_client.ask(count=count)["each"])

    def _send_requests(self, name: str, clients: int, count: int) -> Any:
        port = self.ports[name]
        return self.load_client.ask(
            port=port, path=compared_servers.PATH, body=compared_servers.BODY, clients=clients, count=count
        )


def _median_milliseconds(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


def compare_with_runtime_client(bench: GatewayBench, effort: GatewayEffort) -> list[Figure]:
    """Measure the milliseconds that the gateway adds to the median of the runtime client."""
    baseline: list[float] = []
    latencies: dict[str, list[float]] = {GATEWAY: [], GATEWAY_WITHOUT_INSPECTOR: []}
    for _ in range(effort.rounds):
        baseline.append(bench.runtime_client_latency(effort.latency_requests))
        for name, rounds in latencies.items():
            rounds.append(bench.latency(name, effort.latency_requests))
    figures = []
    for name, rounds in latencies.items():
        medians = f"{statistics.median(rounds):.2f} ms - {statistics.median(baseline):.2f} ms"
        differences = tuple(latency - base for latency, base in zip(rounds, baseline, strict=True))
        bar = ADDED_MILLISECONDS_BAR if name == GATEWAY else None
        figures.append(Figure(f"warm GET, {name} - runtime client", medians, differences, "ms", bar))
    return figures


def measure_rates(bench: GatewayBench, clients: int, effort: GatewayEffort) -> dict[str, tuple[float, ...]]:
    """Measure the requests per second of each server in each round."""
    names = [*bench.ports, RUNTIME_CLIENT]
    for name in names:
        bench.rate(name, clients, effort.rate_requests)  # warm-up: each client causes an instance
    rounds = [[bench.rate(name, clients, effort.rate_requests) for name in names] for _ in range(effort.rounds)]
    return dict(zip(names, zip(*rounds, strict=True), strict=True))


def measure_cpu_time(bench: GatewayBench, clients: int, effort: GatewayEffort) -> list[Figure]:
    """Measure the CPU time of the gateway's process for each request, without its functions; only on Linux."""
    folder = _process_folder(f"--port={bench.ports[GATEWAY]}")
    if folder is None:
        return []
    rounds = []
    for _ in range(effort.rounds):
        used_before = _cpu_milliseconds(folder)
        bench.rate(GATEWAY, clients, effort.rate_requests)
        rounds.append((_cpu_milliseconds(folder) - used_before) / effort.rate_requests)
    return [Figure(f"CPU time for each request, {GATEWAY}, {_load(clients)}", "", tuple(rounds), "ms")]


def _process_folder(argument: str) -> Path | None:
    """The folder in /proc of the process with an argument; None if there is none."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has ended
            if argument.encode() in file.read_bytes().split(b"\0"):
                return file.parent
    return None


def _cpu_milliseconds(folder: Path) -> float:
    """The CPU time of a process: the fields `utime` and `stime` of its `stat` (proc_pid_stat(5))."""
    user, system = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


def _load(clients: int) -> str:
    return f"{clients} client" + "s" * (clients > 1)


def compare_rates(clients: int, rates: dict[str, tuple[float, ...]]) -> list[Figure]:
    """Compare the rates of the servers with each other."""
    pairs = [(GATEWAY, baseline) for baseline in (SERVERLESS, RUNTIME_CLIENT, UVICORN) if baseline in rates]
    pairs += [(GATEWAY_WITHOUT_INSPECTOR, UVICORN), (FIXED_RESPONSE, UVICORN)]
    return [
        _rate_ratio(f"requests per second, {_load(clients)}: {name} / {baseline}", rates[name], rates[baseline])
        for name, baseline in pairs
    ]


def _rate_ratio(name: str, measured: Sequence[float], baseline: Sequence[float]) -> Figure:
    medians = f"{statistics.median(measured):,.0f} / {statistics.median(baseline):,.0f}"
    return Figure(name, medians, divide_rounds(measured, baseline))


def start_servers(stack: ExitStack, folder: Path, packages: Path | None) -> GatewayBench:
    """Start all servers and workers; they end with the stack."""
    compared_servers.write_site(folder)
    servers = {
        GATEWAY: compared_servers.routegen_serve(folder, inspector=True),
        GATEWAY_WITHOUT_INSPECTOR: compared_servers.routegen_serve(folder, inspector=False),
        UVICORN: compared_servers.bare_uvicorn(folder),
        FIXED_RESPONSE: compared_servers.fixed_response(folder),
    }
    if packages:
        servers[SERVERLESS] = compared_servers.serverless_offline(folder, packages)
    ports = {}
    for name, server in servers.items():
        print_progress(f"starting {name}")
        ports[name] = stack.enter_context(server)
    load_client = stack.enter_context(Worker([sys.executable, str(HERE / "load_client.py")]))
    command = [sys.executable, str(HERE / "direct_runtime_client.py"), str(folder)]
    return GatewayBench(load_client, stack.enter_context(Worker(command)), ports)


def main() -> int:
    """Print the table, and return 1 if a figure misses its bar."""
    options = argument_parser(__doc__).parse_args()
    effort = QUICK if options.quick else FULL
    packages = compared_servers.install_serverless()
    if isinstance(packages, str):
        print_progress(f"without serverless-offline: {packages}")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = start_servers(stack, Path(folder), packages if isinstance(packages, Path) else None)
        for name in (GATEWAY, GATEWAY_WITHOUT_INSPECTOR):
            bench.latency(name, effort.latency_requests)
        bench.runtime_client_latency(effort.latency_requests)
        print_progress("latency of the gateway")
        figures = compare_with_runtime_client(bench, effort)
        for clients in CLIENTS:
            print_progress(f"requests per second, clients: {clients}")
            figures += compare_rates(clients, measure_rates(bench, clients, effort))
            figures += measure_cpu_time(bench, clients, effort)
    return print_report(figures, options.json)


if __name__ == "__main__":
    run_script(main)
