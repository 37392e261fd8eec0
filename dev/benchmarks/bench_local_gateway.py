"""The local gateway: what it adds to AWS's runtime client, and how many requests a second it answers.

    python dev/benchmarks/bench_local_gateway.py [--quick] [--json]

Every server has the same Starlette application with one small answer: `routegen serve` as a user starts it, log and
inspector included; bare uvicorn with the application in its own process; serverless-offline, where Node.js is
installed (its first run installs it into the user's cache). They run side by side and take turns.
"""

import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from dev.benchmarks import compared_servers  # noqa: E402 - from the checkout
from dev.benchmarks.measuring import Figure, Worker, parser, progress, report, run  # noqa: E402

ADDED_BAR = 1.0
"""Milliseconds."""

GATEWAY, PLAIN, BARE = "routegen serve", "routegen serve without inspector", "bare uvicorn"
OFFLINE, CEILING = "serverless-offline", "a server that doesn't look"
CLIENTS = (1, 8)


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, requests for a latency, requests of all clients for a rate."""

    rounds: int
    latency: int
    rate: int


FULL = Effort(31, 100, 240)
QUICK = Effort(2, 10, 16)


@dataclass(frozen=True)
class Bench:
    """What runs: the load client, the runtime client's stand-alone, and each server's port."""

    load: Worker
    direct: Worker
    ports: dict[str, int]

    def latency(self, name: str, count: int) -> float:
        """The median of one client's requests, in milliseconds."""
        return _milliseconds(self._ask(name, 1, count)["each"])

    def rate(self, name: str, clients: int, count: int) -> float:
        """Requests a second of so many clients, `count` in all."""
        each = max(1, count // clients)
        seconds: float = self._ask(name, clients, each)["seconds"]
        return each * clients / seconds

    def runtime_client(self, count: int) -> float:
        """The median of events that are handed to the runtime client, in milliseconds."""
        return _milliseconds(self.direct.ask(count=count)["each"])

    def _ask(self, name: str, clients: int, count: int) -> Any:
        port = self.ports[name]
        return self.load.ask(
            port=port, path=compared_servers.PATH, body=compared_servers.BODY, clients=clients, count=count
        )


def _milliseconds(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


def added(bench: Bench, effort: Effort) -> list[Figure]:
    """What the gateway adds to the runtime client's median, in milliseconds."""
    direct: list[float] = []
    taken: dict[str, list[float]] = {GATEWAY: [], PLAIN: []}
    for _ in range(effort.rounds):
        direct.append(bench.runtime_client(effort.latency))
        for name, column in taken.items():
            column.append(bench.latency(name, effort.latency))
    figures = []
    for name, column in taken.items():
        medians = f"{statistics.median(column):.2f} ms - {statistics.median(direct):.2f} ms"
        differences = tuple(one - other for one, other in zip(column, direct, strict=True))
        bar = ADDED_BAR if name == GATEWAY else None
        figures.append(Figure(f"warm GET, {name} - runtime client", medians, differences, "ms", bar))
    return figures


def rates(bench: Bench, clients: int, effort: Effort) -> dict[str, tuple[float, ...]]:
    """Requests a second of each server, round by round."""
    for name in bench.ports:
        bench.rate(name, clients, effort.rate)  # warm-up: as many instances as there are clients
    rounds = [[bench.rate(name, clients, effort.rate) for name in bench.ports] for _ in range(effort.rounds)]
    return dict(zip(bench.ports, zip(*rounds, strict=True), strict=True))


def compared(clients: int, found: dict[str, tuple[float, ...]]) -> list[Figure]:
    """The gateway's rate in times of the others', and the client's own ceiling."""
    pairs = [(GATEWAY, other) for other in (BARE, OFFLINE) if other in found]
    pairs += [(PLAIN, BARE), (CEILING, BARE)]
    who = f"{clients} client" + "s" * (clients > 1)
    return [_compare(f"requests a second, {who}: {one} / {other}", found[one], found[other]) for one, other in pairs]


def _compare(name: str, ours: Sequence[float], baseline: Sequence[float]) -> Figure:
    medians = f"{statistics.median(ours):,.0f} / {statistics.median(baseline):,.0f}"
    return Figure(name, medians, tuple(one / other for one, other in zip(ours, baseline, strict=True)))


def start(stack: ExitStack, folder: Path, packages: Path | None) -> Bench:
    """Everything, until the stack ends."""
    compared_servers.write_site(folder)
    starting = {
        GATEWAY: compared_servers.routegen(folder, inspector=True),
        PLAIN: compared_servers.routegen(folder, inspector=False),
        BARE: compared_servers.uvicorn(folder),
        CEILING: compared_servers.ceiling(folder),
    }
    if packages:
        starting[OFFLINE] = compared_servers.serverless(folder, packages)
    ports = {}
    for name, one in starting.items():
        progress(f"starting {name}")
        ports[name] = stack.enter_context(one)
    load = stack.enter_context(Worker([sys.executable, str(HERE / "load_client.py")]))
    direct = stack.enter_context(Worker([sys.executable, str(HERE / "direct_runtime_client.py"), str(folder)]))
    return Bench(load, direct, ports)


def main() -> int:
    """Print the table; 1 if a bar is missed."""
    options = parser(__doc__).parse_args()
    effort = QUICK if options.quick else FULL
    packages = compared_servers.install_serverless()
    if isinstance(packages, str):
        progress(f"without serverless-offline: {packages}")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = start(stack, Path(folder), packages if isinstance(packages, Path) else None)
        for name in (GATEWAY, PLAIN):
            bench.latency(name, effort.latency)
        bench.runtime_client(effort.latency)
        progress("what the gateway adds")
        figures = added(bench, effort)
        for clients in CLIENTS:
            progress(f"requests a second with {clients}")
            figures += compared(clients, rates(bench, clients, effort))
    return report(figures, options.json)


if __name__ == "__main__":
    run(main)
