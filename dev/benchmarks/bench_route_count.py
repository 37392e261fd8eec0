"""What size costs: ratios, each against a baseline in the same run.

    python dev/benchmarks/bench_route_count.py [--runs N]

Extraction (discovery and assembly, the import left out) of 10,000 routes against 1,000: a route costs the same. One
look-up in a table of 10,000 routes against one of 10: routegen's trie, beside Starlette's router and werkzeug's on the
same table.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from routegen.config import AppConfig  # noqa: E402
from routegen.discover import discover_paths  # noqa: E402
from routegen.extract.build import build_manifest  # noqa: E402 - from the checkout, installed or not
from routegen.gateway import RouteKey, RouteTable  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import Response  # noqa: E402
from starlette.routing import Match, Route, Router  # noqa: E402
from werkzeug.routing import Map, Rule  # noqa: E402

SMALL, MIDDLE, LARGE = 10, 1_000, 10_000
LOOK_UPS = 2_000
OWNED = AppConfig(name="app", target="here:app", root=Path(), own=("/api",))
"""The app owns what it serves, so that 10,000 routes fit into the quota; each is still walked, classified and said."""


async def answer(_request: Request) -> Response:
    """No request comes here."""
    raise AssertionError("no request comes here")


def paths(count: int) -> list[str]:
    """So many paths of an ordinary API, a third of them with variables."""
    kinds = ("/api/t{}/items", "/api/t{}/items/{{item}}", "/api/t{}/items/latest")
    return [kinds[number % 3].format(number // 3) for number in range(count)]


def router(count: int) -> Router:
    """Starlette's router with so many routes."""
    return Router([Route(path, answer) for path in paths(count)])


def asked(count: int) -> list[str]:
    """Requests to random routes of a table."""
    chosen = random.Random(1).choices(paths(count), k=LOOK_UPS)
    return [path.replace("{item}", "x7") for path in chosen]


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def extraction(count: int) -> Callable[[], object]:
    """Discovery and assembly of an app with so many routes."""
    app = router(count)
    return lambda: build_manifest("default", [(OWNED, discover_paths(app))])


def trie(count: int) -> Callable[[], object]:
    """Routegen's look-ups."""
    table = RouteTable(RouteKey.parse(f"ANY {path}") for path in paths(count))
    requests = asked(count)
    return lambda: [table.select("GET", path) for path in requests]


def starlette(count: int) -> Callable[[], object]:
    """Starlette's: the first route that matches, as `Router.app` looks for it."""
    routes, requests = router(count).routes, asked(count)

    def first(path: str) -> object:
        scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        return next(route for route in routes if route.matches(scope)[0] is Match.FULL)

    return lambda: [first(path) for path in requests]


def werkzeug(count: int) -> Callable[[], object]:
    """Werkzeug's, on its state machine."""
    rules = [Rule(path.replace("{item}", "<item>"), endpoint=path) for path in paths(count)]
    adapter = Map(rules).bind("localhost")
    requests = asked(count)
    adapter.match(requests[0], method="GET")  # it sorts its rules on the first look-up
    return lambda: [adapter.match(path, method="GET") for path in requests]


def compare(
    name: str, large: Callable[[], object], small: Callable[[], object], *, times: int = 1, bar: str
) -> Callable[[int], None]:
    """A line with the ratio of one piece of work to so many of another, in turn: a drifting machine slows both."""

    def smaller() -> None:
        for _ in range(times):
            small()

    def run(runs: int) -> None:
        seconds(large), seconds(smaller)
        ratios = [seconds(large) / seconds(smaller) for _ in range(runs)]
        print(f"{name}: {statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f}; bar {bar})")

    return run


def main() -> None:
    """Print one line a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="counted runs of each (default 7)")
    runs = parser.parse_args().runs
    grows = f"{LARGE:,} routes / {SMALL} routes"
    for line in (
        compare("extraction, a route of 10,000 / a route of 1,000", extraction(LARGE), extraction(MIDDLE),
                times=LARGE // MIDDLE, bar="1.30"),
        compare(f"look-up, routegen's trie, {grows}", trie(LARGE), trie(SMALL), bar="2.00"),
        compare(f"look-up, werkzeug, {grows}", werkzeug(LARGE), werkzeug(SMALL), bar="none"),
    ):  # fmt: skip
        line(runs)
    compare(f"look-up, Starlette's router, {grows}", starlette(LARGE), starlette(SMALL), bar="none")(1)
    for name, other in (("werkzeug", werkzeug), ("Starlette's router", starlette)):
        compare(f"look-up at {SMALL} routes, routegen's trie / {name}", trie(SMALL), other(SMALL), bar="none")(runs)


if __name__ == "__main__":
    main()
