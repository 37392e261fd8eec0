"""The MCP handler, warm: against the bare application, and against a server rebuilt for each invocation.

    python dev/benchmarks/bench_mcp_handler.py [--quick] [--json]

The bare application gets the same requests from one task on the handler's own loop, so the ratio is what Mangum and
the handler cost. Servers that are compared with each other have a process each, and take turns.
"""

import itertools
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from dev.benchmarks.measuring import Figure, Worker, parser, progress, ratio, report, run  # noqa: E402 - from the checkout

BARE_BAR = 1.15
FLAT_BAR = 0.5
"""KiB a request: what is left is the allocator's, a leak has been 47."""

ASYNC = ("initialize", "tools/list", "tools/call")
SYNC = "tools/call, sync"
SERVERS = {"project": "the project's server, signed in", "warm-1": "one tool", "warm-20": "twenty tools"}
REBUILT = {"rebuilt-1": "one tool", "rebuilt-20": "twenty tools"}


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, requests in a round, rebuilds in a round, invocations in a block of memory."""

    rounds: int
    requests: int
    rebuilds: int
    block: int


FULL = Effort(61, 10, 2, 250)
QUICK = Effort(2, 5, 2, 5)
BLOCKS = 4


def start(name: str) -> Worker:
    """A handler in a process of its own."""
    env = {**os.environ, "FASTMCP_LOG_LEVEL": "WARNING", "FASTMCP_CHECK_FOR_UPDATES": "off"}
    return Worker([sys.executable, str(HERE / "compared_handlers.py"), name], env)


def seconds(worker: Worker, case: str, count: int, *, bare: bool = False) -> float:
    """For one request."""
    took: float = worker.ask(case=case, count=count, bare=bare)["seconds"]
    return took


def against_bare(worker: Worker, what: str, effort: Effort) -> list[Figure]:
    """What the handler adds to its application."""
    figures = []
    for case in ASYNC:
        seconds(worker, case, effort.requests), seconds(worker, case, effort.requests, bare=True)
        pairs = [
            (seconds(worker, case, effort.requests), seconds(worker, case, effort.requests, bare=True))
            for _ in range(effort.rounds)
        ]
        ours, bare = zip(*pairs, strict=True)
        figures.append(ratio(f"{case}, handler / bare application: {what}", ours, bare, bar=BARE_BAR))
    return figures


def sync_against_async(worker: Worker, effort: Effort) -> Figure:
    """What a sync tool costs: a thread for each invocation."""
    seconds(worker, SYNC, effort.requests)
    pairs = [
        (seconds(worker, SYNC, effort.requests), seconds(worker, "tools/call", effort.requests))
        for _ in range(effort.rounds)
    ]
    return ratio(f"tools/call, sync tool / async tool: {SERVERS['project']}", *zip(*pairs, strict=True))


def against_rebuilt(rebuilt: Worker, warm: Worker, what: str, effort: Effort) -> Figure:
    """What rebuilding the server costs, in times of the handler."""
    case = "tools/call"
    seconds(rebuilt, case, effort.rebuilds), seconds(warm, case, effort.rebuilds)
    pairs = [
        (seconds(rebuilt, case, effort.rebuilds), seconds(warm, case, effort.requests)) for _ in range(effort.rounds)
    ]
    return ratio(f"tools/call, rebuilt for each invocation / handler: {what}", *zip(*pairs, strict=True))


def memory(worker: Worker, what: str, effort: Effort, *, bar: float | None = None) -> Figure:
    """How much a process grows with each invocation, in blocks of them, after a first one that isn't counted."""
    sizes = [worker.ask(case="tools/call", count=effort.block, weigh=True)["bytes"] for _ in range(BLOCKS + 1)]
    growth = [(after - before) / 1024 / effort.block for before, after in itertools.pairwise(sizes)]
    medians = f"{sizes[0] / 2**20:.0f} MiB, then {sizes[-1] / 2**20:.0f} MiB"
    name = f"memory, {effort.block * BLOCKS:,} invocations: {what}"
    return Figure(name, medians, tuple(growth), "KiB a request", bar)


def main() -> int:
    """Print the table; 1 if a bar is missed."""
    options = parser(__doc__).parse_args()
    effort = QUICK if options.quick else FULL
    figures: list[Figure] = []
    with ExitStack() as stack:
        workers = {name: stack.enter_context(start(name)) for name in [*SERVERS, *REBUILT]}
        for name, what in SERVERS.items():
            progress(f"{what}: against the bare application")
            figures += against_bare(workers[name], what, effort)
        figures.append(sync_against_async(workers["project"], effort))
        for name, what in REBUILT.items():
            progress(f"{what}: against rebuilding")
            figures.append(against_rebuilt(workers[name], workers[name.replace("rebuilt", "warm")], what, effort))
        if sys.platform == "linux":
            progress("memory")
            bar = None if options.quick else FLAT_BAR
            figures.append(memory(workers["project"], SERVERS["project"], effort, bar=bar))
            figures += [memory(workers[name], f"rebuilt, {what}", effort) for name, what in REBUILT.items()]
        else:
            progress("memory is left out: it is read from Linux's /proc")
    return report(figures, options.json)


if __name__ == "__main__":
    run(main)
