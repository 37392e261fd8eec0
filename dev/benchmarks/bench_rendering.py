"""Compare the time of rendering 300 routes for each target with the time of starting Python.

    python dev/benchmarks/bench_rendering.py [--quick] [--json]

As in the command, each round compiles the templates of the target again. The import of Jinja2 is not measured, because
the start of Python imports no module either.
"""

import subprocess
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from routegen.gateway import ROUTE_QUOTA  # noqa: E402 - from the checkout, installed or not
from routegen.manifest import Manifest, Route  # noqa: E402
from routegen.render import RenderRequest, find_target, render, target_names  # noqa: E402

from dev.benchmarks.measuring import (  # noqa: E402
    Figure,
    alternate,
    argument_parser,
    print_report,
    ratio,
    run_script,
    seconds_of,
)

BAR = 1.0
ROUNDS, QUICK_ROUNDS = 15, 2


def manifest(count: int) -> Manifest:
    """Create a manifest with the given number of routes; two thirds of them have variables."""
    templates = ("/t{}/items", "/t{}/items/{{item}}", "/t{}/files/{{rest+}}")
    paths = sorted(templates[number % 3].format(number // 3) for number in range(count))
    routes = (
        Route(path=path, methods=("GET",), app="mcp", role="other", route_keys=(f"ANY {path}",)) for path in paths
    )
    return Manifest(version=1, default="wiki", routes=tuple(routes))


def start_python() -> float:
    """Measure the seconds of a Python process without a program."""
    return seconds_of(partial(subprocess.run, [sys.executable, "-c", "pass"], check=True))


def compare(target: str, routes: Manifest, rounds: int) -> Figure:
    """Compare rendering for a target with starting Python."""
    request = RenderRequest(target, routes, allowed=frozenset(find_target(target).approximations))
    seconds = alternate(rounds, partial(seconds_of, partial(render, request)), start_python)
    return ratio(f"render {target}, 300 routes / starting Python", *seconds, bar=BAR)


def main() -> int:
    """Print the table, and return 1 if a figure misses its bar."""
    options = argument_parser(__doc__).parse_args()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    routes = manifest(ROUTE_QUOTA - 1)
    return print_report([compare(target, routes, rounds) for target in target_names()], options.json)


if __name__ == "__main__":
    run_script(main)
