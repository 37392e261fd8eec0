"""What rendering costs: 300 routes in each target, against starting Python, in the same run.

    python dev/benchmarks/bench_rendering.py [--runs N]

Jinja2 compiles a target's templates anew each time, as the command does; its import is left out, as Python's own start
has none.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from routegen.gateway import ROUTE_QUOTA  # noqa: E402 - from the checkout, installed or not
from routegen.manifest import Manifest, Route  # noqa: E402
from routegen.render import RenderRequest, find_target, render, target_names  # noqa: E402

BAR = 1.0


def manifest(count: int) -> Manifest:
    """So many routes, a third of them with variables."""
    kinds = ("/t{}/items", "/t{}/items/{{item}}", "/t{}/files/{{rest+}}")
    paths = sorted(kinds[number % 3].format(number // 3) for number in range(count))
    routes = (
        Route(path=path, methods=("GET",), app="mcp", role="other", route_keys=(f"ANY {path}",)) for path in paths
    )
    return Manifest(version=1, default="wiki", routes=tuple(routes))


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def start_python() -> None:
    """An interpreter that does nothing."""
    subprocess.run([sys.executable, "-c", "pass"], check=True)


def main() -> int:
    """Print one line a target; 1 if one takes longer than its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="counted runs of each (default 15)")
    runs = parser.parse_args().runs
    routes = manifest(ROUTE_QUOTA - 1)
    slow = 0
    for name in target_names():
        request = RenderRequest(name, routes, allowed=frozenset(find_target(name).approximations))
        seconds(lambda: render(request))  # noqa: B023 - called at once
        pairs = [(seconds(lambda: render(request)), seconds(start_python)) for _ in range(runs)]  # noqa: B023
        ratios = [one / other for one, other in pairs]
        median = statistics.median(ratios)
        took = statistics.median(one for one, _ in pairs) * 1000
        slow += median > BAR
        between = f"min {min(ratios):.2f}, max {max(ratios):.2f}; bar {BAR:.2f}"
        print(f"render {name}, 300 routes / starting Python: {took:.1f} ms, {median:.2f} ({between})")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
