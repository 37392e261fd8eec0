"""How much of a command's time is ours: ratios against a baseline, paired in one run.

    python dev/benchmarks/bench_command_startup.py [--runs N]

`routegen extract` as a whole process against importing the same server bare (the import is the work, the
rest is ours), and `routegen --help` against importing click. The two commands of a pair run in turn, so that
a machine whose speed drifts slows both; the ratio is taken pair by pair, and its median is what counts.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from routegen.config import read_config  # noqa: E402 - from the checkout, installed or not


@dataclass(frozen=True)
class Pair:
    """Two commands to compare.

    Attributes:
        bar: the ratio that the project wants to stay below.
    """

    name: str
    ours: list[str]
    baseline: list[str]
    env: dict[str, str]
    bar: float


def pairs() -> list[Pair]:
    """The pairs, with the repository's own server and the environment that its configuration gives it."""
    app = read_config(ROOT / "pyproject.toml").apps[0]
    command = str(Path(sys.executable).with_name("routegen"))
    bare = f"import sys; sys.path.insert(0, {app.path!r}); import mcp_server; mcp_server.app"
    return [
        Pair(
            "routegen extract / import of the server",
            [command, "extract"],
            [sys.executable, "-c", bare],
            dict(app.env),
            1.10,
        ),
        Pair(
            "routegen --help / import click",
            [command, "--help"],
            [sys.executable, "-c", "import click"],
            {},
            1.75,  # each command brings its options
        ),
    ]


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Wall-clock seconds of one whole process.

    Raises:
        subprocess.CalledProcessError: it failed, so its time means nothing.
    """
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print one line a pair: the medians of both, and the minimum, median and maximum of the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="counted runs of each command (default 15)")
    runs = parser.parse_args().runs
    for pair in pairs():
        seconds(pair.ours, pair.env), seconds(pair.baseline, pair.env)  # warm-up: bytecode and file cache
        taken = [(seconds(pair.ours, pair.env), seconds(pair.baseline, pair.env)) for _ in range(runs)]
        ratios = [ours / baseline for ours, baseline in taken]
        ours, baseline = (statistics.median(column) for column in zip(*taken, strict=True))
        print(
            f"{pair.name}: {ours * 1000:.0f} ms / {baseline * 1000:.0f} ms = "
            f"{statistics.median(ratios):.3f} (min {min(ratios):.3f}, max {max(ratios):.3f}; bar {pair.bar:.2f})"
        )


if __name__ == "__main__":
    main()
