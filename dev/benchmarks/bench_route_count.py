"""Compare the time for many routes with the time for few routes, in extraction and in look-ups.

    python dev/benchmarks/bench_route_count.py [--quick] [--json]

Extraction of 10,000 routes is compared with ten extractions of 1,000 routes. It consists of discovery and of building
the manifest; the import of the app is not measured. The comparison of all paths is measured in the same way, and for
300 routes it is compared with the start of Python. Look-ups in a table of 10,000 routes are compared with look-ups in
a table of 10 routes, for routegen's route table, Starlette's router and werkzeug's router.
"""

import random
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from routegen.config import AppConfig  # noqa: E402 - from the checkout, installed or not
from routegen.discover import discover_paths, discover_routes  # noqa: E402
from routegen.extract.build import build_manifest  # noqa: E402
from routegen.gateway import RouteKey, RouteTable  # noqa: E402
from routegen.prove.app_proof import compare_all_paths  # noqa: E402
from routegen.prove.compare_requests import AppComparison  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import Response  # noqa: E402
from starlette.routing import Match, Route, Router  # noqa: E402
from werkzeug.routing import Map, Rule  # noqa: E402

from dev.benchmarks.measuring import (  # noqa: E402
    Figure,
    alternate,
    argument_parser,
    print_report,
    ratio,
    run_script,
    seconds_of,
)

ROUNDS, QUICK_ROUNDS = 7, 2
SMALL, MIDDLE, LARGE = 10, 1_000, 10_000
LOOK_UPS = 2_000
OWNING_APP = AppConfig(name="app", target="here:app", root=Path(), own=("/api",))
"""The app owns /api, so that 10,000 routes fit into the quota of route keys. Extraction still handles each route."""

MakeLookUps = Callable[[int], Callable[[], object]]


async def answer(_request: Request) -> Response:
    """Fail, because no request is sent to the app."""
    raise AssertionError("no request is sent to the app")


def paths(count: int) -> list[str]:
    """Return paths of an ordinary API; one third of them has a variable."""
    templates = ("/api/t{}/items", "/api/t{}/items/{{item}}", "/api/t{}/items/latest")
    return [templates[number % 3].format(number // 3) for number in range(count)]


def starlette_router(count: int) -> Router:
    """Create Starlette's router with the given number of routes."""
    return Router([Route(path, answer) for path in paths(count)])


def random_requests(count: int) -> list[str]:
    """Return the paths of requests to random routes of a table."""
    chosen = random.Random(1).choices(paths(count), k=LOOK_UPS)
    return [path.replace("{item}", "x7") for path in chosen]


def extraction(count: int) -> Callable[[], object]:
    """Discover the routes of an app and build its manifest."""
    app = starlette_router(count)
    return lambda: build_manifest("default", [(OWNING_APP, discover_paths(app))])


def comparison(count: int) -> Callable[[], object]:
    """Compare an app with its manifest for all paths."""
    _, served = discover_routes(starlette_router(count))
    app = OWNING_APP if count > MIDDLE // 2 else OWNING_APP.model_copy(update={"own": ()})
    manifest = build_manifest("default", [(app, served.paths)]).manifest
    return lambda: compare_all_paths(AppComparison(manifest, app, served))


def python_start() -> object:
    """Start Python and end it."""
    return subprocess.run([sys.executable, "-c", ""], check=True)


def repeated(times: int, call: Callable[[], object]) -> Callable[[], object]:
    """Call a function several times."""
    return lambda: [call() for _ in range(times)]


def route_table_look_ups(count: int) -> Callable[[], object]:
    """Look up requests in routegen's route table."""
    table = RouteTable(RouteKey.parse(f"ANY {path}") for path in paths(count))
    requests = random_requests(count)
    return lambda: [table.select("GET", path) for path in requests]


def starlette_look_ups(count: int) -> Callable[[], object]:
    """Look up requests in Starlette's router: the first route that matches, as in `Router.app`."""
    routes, requests = starlette_router(count).routes, random_requests(count)

    def first_match(path: str) -> object:
        scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        return next(route for route in routes if route.matches(scope)[0] is Match.FULL)

    return lambda: [first_match(path) for path in requests]


def werkzeug_look_ups(count: int) -> Callable[[], object]:
    """Look up requests in werkzeug's router, which is a state machine."""
    rules = [Rule(path.replace("{item}", "<item>"), endpoint=path) for path in paths(count)]
    adapter = Map(rules).bind("localhost")
    requests = random_requests(count)
    adapter.match(requests[0], method="GET")  # the first look-up sorts the rules
    return lambda: [adapter.match(path, method="GET") for path in requests]


def compare(
    name: str, measured: Callable[[], object], baseline: Callable[[], object], rounds: int, bar: float | None = None
) -> Figure:
    """Compare the seconds of two functions."""
    seconds = alternate(rounds, partial(seconds_of, measured), partial(seconds_of, baseline))
    return ratio(name, *seconds, bar=bar)


def compare_table_sizes(name: str, look_ups: MakeLookUps, rounds: int, bar: float | None = None) -> Figure:
    """Compare look-ups in a large table with look-ups in a small table."""
    title = f"look-up, {name}, {LARGE:,} routes / {SMALL} routes"
    return compare(title, look_ups(LARGE), look_ups(SMALL), rounds, bar)


def compare_routers(name: str, look_ups: MakeLookUps, rounds: int) -> Figure:
    """Compare look-ups in routegen's route table with look-ups in another router, both with a small table."""
    title = f"look-up in {SMALL} routes, routegen's route table / {name}"
    return compare(title, route_table_look_ups(SMALL), look_ups(SMALL), rounds)


def main() -> int:
    """Print the table, and return 1 if a figure misses its bar."""
    options = argument_parser(__doc__).parse_args()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    small_extractions = repeated(LARGE // MIDDLE, extraction(MIDDLE))
    small_comparisons = repeated(LARGE // MIDDLE, comparison(MIDDLE))
    figures = [
        compare("extraction, a route of 10,000 / a route of 1,000", extraction(LARGE), small_extractions, rounds, 1.30),
        compare("all paths, a route of 10,000 / a route of 1,000", comparison(LARGE), small_comparisons, rounds, 2.00),
        compare("all paths of 297 routes / starting Python", comparison(297), python_start, rounds),
        compare_table_sizes("routegen's route table", route_table_look_ups, rounds, 2.00),
        compare_table_sizes("werkzeug's router", werkzeug_look_ups, rounds),
        compare_table_sizes("Starlette's router", starlette_look_ups, 1),  # one round takes several seconds
        compare_routers("werkzeug's router", werkzeug_look_ups, rounds),
        compare_routers("Starlette's router", starlette_look_ups, rounds),
    ]
    return print_report(figures, options.json)


if __name__ == "__main__":
    run_script(main)
