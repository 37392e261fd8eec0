"""Measure the warm MCP handler: against its ASGI application, and against a server that each invocation creates again.

    python dev/benchmarks/bench_mcp_handler.py [--quick] [--json]

The ASGI application gets the same requests from one task on the handler's event loop, so the ratio shows the time of
Mangum and of the handler. Each server has its own process (`compared_handlers.py`).
"""

import itertools
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from dev.benchmarks.measuring import (  # noqa: E402 - from the checkout
    Figure,
    Worker,
    alternate,
    argument_parser,
    print_progress,
    print_report,
    ratio,
    run_script,
)

APPLICATION_BAR = 1.15
MEMORY_BAR = 0.5
"""KiB for each request. The allocator causes small growth; a memory leak in the past was 47 KiB."""

ASYNC_CASES = ("initialize", "tools/list", "tools/call")
SYNC_CASE = "tools/call, sync"
WARM_SERVERS = {"project": "the project's server, signed in", "warm-1": "one tool", "warm-20": "twenty tools"}
REBUILT_SERVERS = {"rebuilt-1": "one tool", "rebuilt-20": "twenty tools"}


@dataclass(frozen=True)
class HandlerEffort:
    """The number of rounds, of requests and rebuilds in each round, and of invocations in a memory measurement."""

    rounds: int
    requests: int
    rebuilds: int
    memory_invocations: int


FULL = HandlerEffort(61, 10, 2, 250)
QUICK = HandlerEffort(2, 5, 2, 5)
MEMORY_MEASUREMENTS = 4


def start_handler(name: str) -> Worker:
    """Start a handler in its own process."""
    env = {**os.environ, "FASTMCP_LOG_LEVEL": "WARNING", "FASTMCP_CHECK_FOR_UPDATES": "off"}
    return Worker([sys.executable, str(HERE / "compared_handlers.py"), name], env)


def seconds_per_request(worker: Worker, case: str, count: int, *, bare: bool = False) -> float:
    """Measure the seconds of one request; `bare` sends it to the ASGI application without the handler."""
    seconds: float = worker.ask(case=case, count=count, bare=bare)["seconds"]
    return seconds


def compare_with_application(worker: Worker, title: str, effort: HandlerEffort) -> list[Figure]:
    """Compare the handler with its ASGI application."""
    figures = []
    for case in ASYNC_CASES:
        handler = partial(seconds_per_request, worker, case, effort.requests)
        seconds = alternate(effort.rounds, handler, partial(handler, bare=True))
        figures.append(ratio(f"{case}, handler / ASGI application: {title}", *seconds, bar=APPLICATION_BAR))
    return figures


def compare_sync_with_async(worker: Worker, effort: HandlerEffort) -> Figure:
    """Compare a sync tool, which needs a thread for each call, with an async tool."""
    seconds = alternate(
        effort.rounds,
        partial(seconds_per_request, worker, SYNC_CASE, effort.requests),
        partial(seconds_per_request, worker, "tools/call", effort.requests),
    )
    return ratio(f"tools/call, sync tool / async tool: {WARM_SERVERS['project']}", *seconds)


def compare_rebuilt_with_warm(rebuilt: Worker, warm: Worker, title: str, effort: HandlerEffort) -> Figure:
    """Compare a server that each invocation creates again with the warm handler."""
    seconds = alternate(
        effort.rounds,
        partial(seconds_per_request, rebuilt, "tools/call", effort.rebuilds),
        partial(seconds_per_request, warm, "tools/call", effort.requests),
    )
    return ratio(f"tools/call, created again for each invocation / handler: {title}", *seconds)


def measure_memory(worker: Worker, title: str, effort: HandlerEffort, *, bar: float | None = None) -> Figure:
    """Measure the growth of a process for each invocation, after a first measurement that does not count."""
    count = effort.memory_invocations
    sizes = [
        worker.ask(case="tools/call", count=count, measure_memory=True)["bytes"] for _ in range(MEMORY_MEASUREMENTS + 1)
    ]
    growth = [(later - earlier) / 1024 / count for earlier, later in itertools.pairwise(sizes)]
    medians = f"{sizes[0] / 2**20:.0f} MiB, then {sizes[-1] / 2**20:.0f} MiB"
    name = f"memory, {count * MEMORY_MEASUREMENTS:,} invocations: {title}"
    return Figure(name, medians, tuple(growth), "KiB per request", bar)


def main() -> int:
    """Print the table, and return 1 if a figure misses its bar."""
    options = argument_parser(__doc__).parse_args()
    effort = QUICK if options.quick else FULL
    figures: list[Figure] = []
    with ExitStack() as stack:
        workers = {name: stack.enter_context(start_handler(name)) for name in [*WARM_SERVERS, *REBUILT_SERVERS]}
        for name, title in WARM_SERVERS.items():
            print_progress(f"{title}: handler and ASGI application")
            figures += compare_with_application(workers[name], title, effort)
        figures.append(compare_sync_with_async(workers["project"], effort))
        for name, title in REBUILT_SERVERS.items():
            print_progress(f"{title}: created again for each invocation, and handler")
            warm = workers[name.replace("rebuilt", "warm")]
            figures.append(compare_rebuilt_with_warm(workers[name], warm, title, effort))
        if sys.platform == "linux":
            print_progress("memory")
            bar = None if options.quick else MEMORY_BAR
            figures.append(measure_memory(workers["project"], WARM_SERVERS["project"], effort, bar=bar))
            figures += [
                measure_memory(workers[name], f"created again, {title}", effort)
                for name, title in REBUILT_SERVERS.items()
            ]
        else:
            print_progress("memory is not measured, because the measurement needs /proc of Linux")
    return print_report(figures, options.json)


if __name__ == "__main__":
    run_script(main)
